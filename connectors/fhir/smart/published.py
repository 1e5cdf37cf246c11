"""The public keys that a server signs with, from the JWK Set that it publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from connectors.fhir.mapping_fields import Json, elements
from connectors.fhir.smart.key import SHORTEST_RSA_BITS
from prognosis.errors import MappingError

KINDS: Mapping[str, tuple[str, str]] = {
    "RS256": ("RSA", ""),
    "RS384": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
}
"""The algorithms that are taken, each with the only kind of key that it may be checked by: never none, never
one with a shared secret, which a public key could be passed off as (RFC 8725, section 2.1)."""

PublicKey = RSAKey | ECKey


def key_for(stated: Json, algorithm: str, kid: object, reference: str) -> PublicKey:
    """The key that a signature is to be checked by.

    A signature that names no key is checked only where one key alone could have made it (OpenID Connect
    Core 1.0, section 10.1): trying each would let a key serve that was published for something else.

    Args:
        stated: The JWK Set.
        algorithm: One of `KINDS`.
        kid: As the signature's header has it; None where it has none.
        reference: The JWK Set, for errors.

    Raises:
        MappingError: It is no JWK Set, or has no such key or more than one.
    """
    if "keys" not in stated:
        raise MappingError(reference, "is no JWK Set", "publish one (RFC 7517)")
    fitting = [
        each
        for each in elements(stated, "keys", reference)
        if (kid is None or each.get("kid") == kid) and _is_for(each, algorithm)
    ]
    if len(fitting) != 1:
        problem = f"has {len(fitting)} keys by which the token could have been signed"
        raise MappingError(reference, problem, "publish each key once, under a kid of its own")
    try:
        return _imported(dict(fitting[0]))
    except (JoseError, ValueError, TypeError, KeyError):
        # Without its cause, whose text may quote the key.
        raise MappingError(
            reference, "has a key that cannot be read", "publish it as RFC 7518 has it"
        ) from None


def _is_for(key: Json, algorithm: str) -> bool:
    kind, curve = KINDS[algorithm]
    return (
        key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (not curve or key.get("crv") == curve)
        # A modulus in base64url has six bits a letter; one that is too short is no key at all.
        and (kind != "RSA" or 6 * len(str(key.get("n", ""))) >= SHORTEST_RSA_BITS)
    )


def _imported(key: dict[str, Any]) -> PublicKey:
    return ECKey.import_key(key) if key["kty"] == "EC" else RSAKey.import_key(key)
