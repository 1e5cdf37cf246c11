"""The folder in which a service keeps what must outlive it."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from prognosis.errors import ConfigError


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Where a service keeps what must outlive it; readable by its owner alone.

    Attributes:
        folder: The folder.
        head: The file of the audit's head; inside the folder where no other place is named.
    """

    folder: Path
    head: Path | None = None

    @property
    def key(self) -> Path:
        """The site's key."""
        return self.folder / "site.key"

    @property
    def audit(self) -> Path:
        """The audit."""
        return self.folder / "audit.sqlite"

    @property
    def audit_head(self) -> Path:
        """How far the audit goes."""
        return self.head or self.folder / "audit.head"

    @property
    def scores(self) -> Path:
        """Scores and feedback."""
        return self.folder / "scores.sqlite"

    @property
    def tokens(self) -> Path:
        """Tokens that were used."""
        return self.folder / "tokens.sqlite"

    def made(self) -> StateFolder:
        """The folder, made where there is none.

        Raises:
            ConfigError: It cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(str(self.folder), "cannot be made", "name a folder with --state") from error
        return self

    def locked(self) -> int:
        """A lock on the folder that ends with the process, however it ends; its file descriptor.

        Raises:
            ConfigError: Another process holds it.
        """
        handle = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            problem = "is used by another process, such as a service"
            raise ConfigError(str(self.folder), problem, "name another --state") from error
        return handle
