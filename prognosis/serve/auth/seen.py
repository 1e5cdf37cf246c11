"""Which tokens have been used: kept on disk, so that a restart does not let one be used again."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from pathlib import Path

from prognosis.errors import IdentityError

SWEEP_EVERY = 1000


class SeenTokens:
    """Each (issuer, jti) once, until the token has expired.

    Args:
        path: The database, made where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._since_sweep = 0
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        # A token lost to a power cut could be used again within its few minutes; the audit says so if it is.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS seen (token BLOB PRIMARY KEY, expires REAL) WITHOUT ROWID"
        )

    def use(self, issuer: str, jti: str, expires: float, now: float) -> None:
        """Mark a token used.

        Args:
            issuer: Of the token.
            jti: Of the token.
            expires: POSIX seconds.
            now: POSIX seconds.

        Raises:
            IdentityError: It was used before.
        """
        token = hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode()).digest()
        with self._lock:
            self._since_sweep += 1
            if self._since_sweep >= SWEEP_EVERY:
                self._since_sweep = 0
                self._db.execute("DELETE FROM seen WHERE expires < ?", (now,))
            done = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (token, expires))
            if not done.rowcount:
                raise IdentityError("the token", "was used before", "send a new one with each request")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()
