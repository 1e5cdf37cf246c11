"""How far an export has come, kept beside its files, so that a program that was killed goes on."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError, SourceError
from prognosis.record import Quarantine

STATE_FILE = "bulk-export.state"
"""Not .json: a folder's .json files are read as resources."""

_VERSION = 1


@dataclass(slots=True)
class ExportState:
    """What is known of an export; written after each step.

    Attributes:
        request: The address that was asked; an export of another one does not go on from here.
        status_url: Where the server says how far it is; "" before it was asked.
        manifest: As `Manifest.stated` gives it; None until the server is done.
        files: Finished files by name, with how many resources each holds.
        validators: ETag or Last-Modified of files begun, by name.
        finished: The receipt, when everything is here; None before.
    """

    request: str
    status_url: str = ""
    manifest: dict[str, Any] | None = None
    files: dict[str, int] = field(default_factory=dict)
    validators: dict[str, str] = field(default_factory=dict)
    finished: dict[str, Any] | None = None

    def save(self, folder: Path) -> None:
        """Write it so that either the old or the new state is there, whatever happens."""
        content = json.dumps({"version": _VERSION, **asdict(self)}, indent=1).encode()
        temporary = folder / f"{STATE_FILE}.new"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(folder / STATE_FILE)


def saved_state(folder: Path) -> ExportState | None:
    """The state of an export into a folder; None where there was none.

    Raises:
        SourceError: It cannot be read.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return None
    try:
        stated = parse_resource(path.read_bytes(), STATE_FILE)
        if stated.pop("version", None) != _VERSION:
            raise SourceError(STATE_FILE, "is of another version", "export into a new folder")
        return ExportState(**stated)
    except (OSError, MappingError, TypeError) as error:
        raise SourceError(STATE_FILE, "cannot be read", "export into a new folder") from error


def noted_export(root: Path, quarantine: Quarantine) -> None:
    """Refuse a folder whose export was stopped: the patients and facts that lack would be taken as absent.

    Args:
        root: Searched below, too.
        quarantine: Where it is noted what an export was, and that the server could not export all.

    Raises:
        SourceError: An export below `root` is not finished.
    """
    for path in sorted(root.rglob(STATE_FILE)) if root.is_dir() else ():
        state = saved_state(path.parent)
        if state is None or state.finished is None:
            problem = "holds a bulk export that was stopped before its end"
            raise SourceError(root.name, problem, "run the same `prognosis bulk-export` again")
        issues = state.finished.get("issues")
        if isinstance(issues, int) and issues:
            quarantine.notice("resources that the server said it could not export", issues)


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """The folder for one program at a time; made for its owner alone where it is new.

    Raises:
        SourceError: It cannot be made or read, or another export is writing to it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise SourceError(str(folder), "cannot be written", "give a new or empty folder") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise SourceError(str(folder), "is written to by another export", "wait for it") from error
    finally:
        os.close(descriptor)
