"""A key is read from a file that nobody else may read, and says how it signs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from connectors.fhir.smart import SigningKey
from prognosis.errors import SourceError

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-384")
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused


def stored(folder: Path, content: bytes | dict[str, Any], mode: int = 0o600) -> Path:
    path = folder / "key"
    path.touch(0o600)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    path.chmod(mode)
    return path


def pem(key: Any, form: serialization.PrivateFormat) -> bytes:
    none = serialization.NoEncryption()
    return getattr(key, "raw_value", key).private_bytes(serialization.Encoding.PEM, form, none)


def jwk(key: RSAKey | ECKey, **more: object) -> dict[str, Any]:
    return {**key.as_dict(private=True), **more}


WITH_PASSWORD = RSA.raw_value.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.BestAvailableEncryption(b"word"),
)
FORMS = {
    "RSA as PKCS 8": (pem(RSA, serialization.PrivateFormat.PKCS8), "RS384", RSA.thumbprint()),
    "RSA as PKCS 1": (pem(RSA, serialization.PrivateFormat.TraditionalOpenSSL), "RS384", RSA.thumbprint()),
    "EC as PKCS 8": (pem(EC, serialization.PrivateFormat.PKCS8), "ES384", EC.thumbprint()),
    "EC as SEC 1": (pem(EC, serialization.PrivateFormat.TraditionalOpenSSL), "ES384", EC.thumbprint()),
    "an RSA JWK": (jwk(RSA, kid="k1", alg="RS384"), "RS384", "k1"),
    "an EC JWK without kid": (jwk(EC), "ES384", EC.thumbprint()),
    "a set with one private key": (
        {"keys": [RSA.as_dict(private=False), jwk(EC, kid="k2")]},
        "ES384",
        "k2",
    ),
}
REFUSED = {
    "a password": (WITH_PASSWORD, "under a password"),
    "a public PEM": (
        RSA.raw_value.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "no private key",
    ),
    "a public JWK": (RSA.as_dict(private=False), "public key"),
    "two private keys": ({"keys": [jwk(RSA), jwk(EC)]}, "holds 2 private keys"),
    "a short RSA key": (pem(SHORT, serialization.PrivateFormat.PKCS8), "fewer than 2048"),
    "another curve": (
        pem(ECKey.generate_key("P-256"), serialization.PrivateFormat.PKCS8),
        "another curve than P-384",
    ),
    "another kind": (OKPKey.generate_key("Ed25519").as_dict(private=True), "neither RSA nor EC"),
    "a shared secret": ({"kty": "oct", "k": "c2VjcmV0"}, "neither RSA nor EC"),
    "another algorithm": (jwk(RSA, alg="RS256"), "another algorithm"),
    "a kid that is no text": (jwk(RSA, kid=7), "no private key that can be read"),
    "a damaged PEM": (
        pem(RSA, serialization.PrivateFormat.PKCS8)[:400] + b"\n-----END PRIVATE KEY-----\n",
        "no private key that can be read",
    ),
    "a damaged JWK": ({"kty": "EC", "crv": "P-384", "d": "AA"}, "no private key that can be read"),
    "half of the JSON": (b'{"kty":', "is not JSON"),
    "nothing": (b"", "no private key"),
    "a film": (b"\0" * 100_000, "no file that holds a key"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_key_signs_what_its_public_half_checks(tmp_path: Path, name: str) -> None:
    content, algorithm, kid = FORMS[name]
    key = SigningKey.load(stored(tmp_path, content))
    assert (key.algorithm, key.kid) == (algorithm, kid)
    assertion = key.assertion("client", "https://example.org/token", 1000.7, "once")
    public = RSA if algorithm == "RS384" else EC
    read = jwt.decode(assertion, public, algorithms=[algorithm])
    assert read.header == {"alg": algorithm, "kid": kid, "typ": "JWT"}
    assert read.claims == {
        "iss": "client",
        "sub": "client",
        "aud": "https://example.org/token",
        "iat": 1000,
        "exp": 1240,
        "jti": "once",
    }


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_key_that_can_sign_is_refused_without_being_shown(tmp_path: Path, name: str) -> None:
    content, why = REFUSED[name]
    with pytest.raises(SourceError, match=why) as caught:
        SigningKey.load(stored(tmp_path, content))
    assert caught.value.__cause__ is None or "key" in caught.value.reference
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    assert not [part for part in text.split() if len(part) > 40 and part.decode() in str(caught.value)]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o644, 0o777])
def test_a_key_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = stored(tmp_path, jwk(EC), mode)
    with pytest.raises(SourceError, match="chmod 600 key"):
        SigningKey.load(path)


def test_a_key_that_is_not_there_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="FileNotFoundError"):
        SigningKey.load(tmp_path / "absent")
    with pytest.raises(SourceError, match="IsADirectoryError"):
        SigningKey.load(tmp_path)
