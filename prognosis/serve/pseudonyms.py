"""Names for patients that mean nothing without the site's key."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from prognosis.errors import ConfigError

KEY_BYTES = 32
OURS = ""
"""The namespace of the patients of the service's own sources; those of an EHR have its address."""


@dataclass(frozen=True, slots=True)
class SiteKey:
    """The secret from which pseudonyms are made (HMAC-SHA256); who holds it can link them to patients."""

    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, path: Path) -> SiteKey:
        """The key in a file; made, readable by its owner alone, where there is none.

        Raises:
            ConfigError: The file holds no key.
        """
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            secret = path.read_bytes()
        else:
            secret = secrets.token_bytes(KEY_BYTES)
            with os.fdopen(handle, "wb") as file:
                file.write(secret)
                file.flush()
                os.fsync(file.fileno())
        if len(secret) != KEY_BYTES:
            raise ConfigError(str(path), "is no site key", f"put back the file of {KEY_BYTES} bytes")
        return cls(secret)

    def patient(self, namespace: str, site: str, patient: str) -> str:
        """The pseudonym of a patient of one site."""
        return self._digest("patient", namespace, site, patient)

    def anywhere(self, namespace: str, patient: str) -> str:
        """The pseudonym of a patient id, whatever the site."""
        return self._digest("id", namespace, patient)

    def birth(self, birth_date: date | None) -> str:
        """The pseudonym of a birth date, by which two records of one id are told apart; "" for none."""
        return "" if birth_date is None else self._digest("birth", birth_date.isoformat())

    def mac(self, content: bytes) -> str:
        """What proves that content was written by a holder of the key."""
        return hmac.new(self.secret, b"head\0" + content, hashlib.sha256).hexdigest()

    def _digest(self, *parts: str) -> str:
        told = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.new(self.secret, told, hashlib.sha256).hexdigest()[:40]
