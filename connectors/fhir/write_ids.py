"""FHIR ids for what is written: the ids that facts were cited by where they are valid, else derived ones."""

from __future__ import annotations

import hashlib

from connectors.fhir.mapping_fields import FHIR_ID


class IdRegister:
    """Hands out each id once per resource type.

    Ids depend only on what is written and in which order, so the same records give the same files.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()

    def keep(self, kind: str, wanted: str) -> str | None:
        """`wanted` when it is a valid FHIR id not used before for this type; else None."""
        name = f"{kind}/{wanted}"
        if not FHIR_ID.match(wanted) or name in self._used:
            return None
        self._used.add(name)
        return wanted

    def derive(self, kind: str, *parts: str) -> str:
        """An id from a digest of `parts`, followed by a number that keeps equal parts apart and in order."""
        stem = hashlib.sha256("\x00".join((kind, *parts)).encode(errors="surrogatepass")).hexdigest()[:24]
        number = 0
        while f"{kind}/{stem}-{number:05d}" in self._used:
            number += 1
        identity = f"{stem}-{number:05d}"
        self._used.add(f"{kind}/{identity}")
        return identity

    def for_source(self, kind: str, source: str, *parts: str) -> str:
        """The id within `source` ("Observation/cr-1") where it can be kept, else one derived from `parts`."""
        named, _, identity = source.partition("/")
        kept = self.keep(kind, identity) if named == kind else None
        return kept or self.derive(kind, *parts)
