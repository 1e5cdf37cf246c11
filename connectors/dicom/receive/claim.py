"""A folder that one receiver at a time may keep."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from prognosis.errors import SourceError


def claim_folder(folder: Path, arriving: Path) -> IO[bytes]:
    """Make a folder ready and hold it until the file that is given back is closed, or the program ends.

    Args:
        folder: Of the whole studies.
        arriving: Of those on their way, below it.

    Raises:
        SourceError: It cannot be written, or another receiver holds it.
    """
    import fcntl

    reference = "the folder for received studies"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        arriving.mkdir(mode=0o700, exist_ok=True)
        held = (arriving / "receiver.lock").open("wb")
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise SourceError(reference, problem, "name one that you may write to") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise SourceError(reference, "is kept by another receiver", "stop that, or name another") from error
    return held
