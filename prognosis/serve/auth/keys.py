"""The public keys of clients: from a file or fetched from the one place that the settings name."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from prognosis.errors import AccessError, ConfigError, IdentityError, SourceError
from prognosis.serve.settings import Client

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

    PublicKey = ECKey | RSAKey

SHAPES = {"ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "RS256": ("RSA", ""), "RS384": ("RSA", "")}
"""The algorithms that are taken, each with the only kind of key that it may be checked by."""

FRESH_S = 600.0
FETCH_AGAIN_S = 30.0
LONGEST_S = 3600.0  # for which keys are held that cannot be fetched again
SMALLEST_RSA = 2048

Fetch = Callable[[str], bytes]


@dataclass(slots=True)
class _Held:
    keys: Mapping[str, PublicKey]
    read_at: float
    tried_at: float


@dataclass(slots=True)
class Keys:
    """The keys of every client, fetched when they are needed and kept for a while.

    A key id that is not among those held has them fetched again, at most every `FETCH_AGAIN_S`: a client may
    have renewed its keys, and whoever invents key ids must not have us ask for ever.

    Args:
        fetch: The content at an address; the service's one way out.
    """

    fetch: Fetch
    _held: dict[str, _Held] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, client: Client, kid: str, algorithm: str) -> PublicKey:
        """The key that a token names.

        Raises:
            IdentityError: The client has no such key, it is not one of the algorithm, or it cannot be had.
        """
        with self._lock:
            key = self._of(client, kid)
        if key is None:
            raise IdentityError("the token", "names a key that is not the client's", "publish the key")
        kind, curve = SHAPES[algorithm]
        stated = key.dict_value
        if key.key_type != kind or (curve and stated.get("crv") != curve):
            raise IdentityError("the token", "names a key of another kind than its alg", "sign with its alg")
        if stated.get("alg", algorithm) != algorithm:
            raise IdentityError("the token", "names a key that is for another alg", "sign with the key's alg")
        return key

    def _of(self, client: Client, kid: str) -> PublicKey | None:
        held = self._held.get(client.issuer)
        now = time.monotonic()
        if held is not None and now - held.tried_at <= FETCH_AGAIN_S:
            return held.keys.get(kid)
        if held is not None and kid in held.keys and now - held.read_at <= FRESH_S:
            return held.keys[kid]
        try:
            held = _Held(self._read(client), now, now)
        except (SourceError, AccessError, IdentityError):
            kept = held is not None and now - held.read_at <= LONGEST_S
            held = _Held(held.keys if held and kept else {}, held.read_at if held else now, now)
        self._held[client.issuer] = held
        return held.keys.get(kid)

    def _read(self, client: Client) -> Mapping[str, PublicKey]:
        if client.jku is not None:
            content = self.fetch(client.jku)
        else:
            assert client.keys is not None  # noqa: S101 - the settings have one of the two
            try:
                content = client.keys.read_bytes()
            except OSError as error:
                raise ConfigError(
                    f"keys of {client.issuer}", "cannot be read", "name a file with a JWK Set"
                ) from error
        return public_keys(content)


def public_keys(content: bytes) -> dict[str, PublicKey]:
    """The signing keys of a JWK Set by key id; symmetric, short and nameless ones are left out.

    Raises:
        IdentityError: It is no JWK Set.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    refused = IdentityError("the client's keys", "are no JWK Set", "publish one (RFC 7517)")
    try:
        stated: Sequence[Any] = json.loads(content)["keys"]
    except (ValueError, KeyError, TypeError) as error:
        raise refused from error
    if not isinstance(stated, list):
        raise refused
    found: dict[str, PublicKey] = {}
    for each in stated:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig":
            continue
        kid, kind = each.get("kid"), each.get("kty")
        if not isinstance(kid, str) or kid in found or kind not in ("EC", "RSA"):
            continue
        if kind == "RSA" and 6 * len(str(each.get("n", ""))) < SMALLEST_RSA - 8:
            continue  # its modulus, in base64url, has too few bits
        try:
            key = ECKey.import_key(each) if kind == "EC" else RSAKey.import_key(each)
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # one key that cannot be read must not silence the others
        found[kid] = key
    return found
