"""The private key that a program shows itself by: from a file that nobody else may read, never shown."""

from __future__ import annotations

import os
import stat
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError, SourceError

LARGEST_FILE = 65_536
SHORTEST_RSA_BITS = 2048
ASSERTION_S = 240
"""An assertion may hold for 300 s at most; a minute is left for clocks that differ."""

_REMEDY = "give an RSA key of 2048 bits or more, or an EC key on P-384, as PEM without a password or as a JWK"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, and how it signs.

    Attributes:
        algorithm: RS384 for RSA and ES384 for EC keys: the two that SMART asks servers to take.
        kid: By which the server finds the public key: that of the JWK, else the key's RFC 7638 thumbprint.
        key: Never shown.
    """

    algorithm: Literal["RS384", "ES384"]
    kid: str
    key: RSAKey | ECKey = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """The key in a PEM, JWK or JWK Set file.

        A file that its group or others may read is refused, as ssh does: whoever copies the key can read
        every patient's record, and nobody would see that it was copied.

        Raises:
            SourceError: The file cannot be read, may be read by others, or holds no one key that signs.
        """
        content = _private_content(path)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # a short key is refused below
                return _from_content(content, path.name)
        except (JoseError, ValueError, TypeError, KeyError):
            # Without its cause, whose text may quote the file.
            raise SourceError(path.name, "holds no private key that can be read", _REMEDY) from None

    def assertion(self, client_id: str, audience: str, now: float, jti: str) -> str:
        """A JWT by which a client shows that it holds the key (SMART App Launch 2.2, section 4).

        Args:
            client_id: As the server knows the client: issuer and subject.
            audience: The address of the token endpoint.
            now: Seconds since 1970.
            jti: Never used before.
        """
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        claims: dict[str, Any] = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": int(now),
            "exp": int(now) + ASSERTION_S,
            "jti": jti,
        }
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


def _private_content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        problem = f"cannot be read ({type(error).__name__})"
        raise SourceError(path.name, problem, "name the file that holds the private key") from error
    if not stat.S_ISREG(mode) or len(content) > LARGEST_FILE:
        raise SourceError(path.name, "is no file that holds a key", _REMEDY)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        problem = "is a private key that others on this machine may read or change"
        raise SourceError(path.name, problem, f"chmod 600 {path.name}")
    return content


def _from_content(content: bytes, name: str) -> SigningKey:
    if content.lstrip()[:1] == b"{":
        return _from_jwk(content, name)
    if b"ENCRYPTED" in content:
        raise SourceError(name, "is a key under a password", _REMEDY)
    if b"PRIVATE KEY-----" not in content:
        raise SourceError(name, "holds no private key", _REMEDY)
    try:
        return _signing(RSAKey.import_key(content), name, None)
    except (JoseError, ValueError, TypeError):
        return _signing(ECKey.import_key(content), name, None)


def _from_jwk(content: bytes, name: str) -> SigningKey:
    try:
        stated = parse_resource(content, name)
    except MappingError as error:
        raise SourceError(name, error.problem, _REMEDY) from error
    if "keys" in stated:
        private = [each for each in stated["keys"] if isinstance(each, dict) and "d" in each]
        if len(private) != 1:
            raise SourceError(name, f"holds {len(private)} private keys", "give the one that is to sign")
        stated = private[0]
    if stated.get("kty") not in ("RSA", "EC"):
        raise SourceError(name, "holds a key that is neither RSA nor EC", _REMEDY)
    key = RSAKey.import_key(stated) if stated["kty"] == "RSA" else ECKey.import_key(stated)
    signing = _signing(key, name, stated.get("kid"))
    if stated.get("alg", signing.algorithm) != signing.algorithm:
        raise SourceError(name, f"is for another algorithm than {signing.algorithm}", _REMEDY)
    return signing


def _signing(key: RSAKey | ECKey, name: str, kid: object) -> SigningKey:
    if not key.is_private:
        raise SourceError(name, "holds a public key, which cannot sign", _REMEDY)
    if kid is not None and not (isinstance(kid, str) and kid.isprintable() and kid):
        raise SourceError(name, "its kid is no text", "give the kid that the server knows the key by")
    if isinstance(key, ECKey):
        if key.curve_name != "P-384":
            raise SourceError(name, "is an EC key on another curve than P-384", _REMEDY)
        return SigningKey("ES384", kid or key.thumbprint(), key)
    if key.raw_value.key_size < SHORTEST_RSA_BITS:
        raise SourceError(name, "is an RSA key of fewer than 2048 bits", _REMEDY)
    return SigningKey("RS384", kid or key.thumbprint(), key)
