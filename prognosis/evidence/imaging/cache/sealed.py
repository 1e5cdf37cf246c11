"""A folder of small files, each with a checksum: whole or not there, and never taken for another."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from prognosis.errors import InputError

_DIGEST = 64  # hexadecimal digits of sha256
_OTHERS_MAY_WRITE = 0o022


class SealedFiles:
    """Small files by name. Several processes may read and write at once: a file appears whole, by renaming.

    A checksum tells damage, not intent: whoever may write the folder can change what is read from it, so a
    folder that others may write is refused.

    Args:
        folder: Made, readable by its owner alone, where it is not there.

    Raises:
        InputError: It cannot be made, or others may write it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = owned_folder(folder)

    def read(self, name: str) -> bytes | None:
        """What was written under a name; None where nothing was, or it is damaged, cut off or another's."""
        try:
            content = self._path(name).read_bytes()
        except OSError:
            return None
        body = content[_DIGEST:]
        return body if content[:_DIGEST] == _seal(name, body) else None

    def write(self, name: str, body: bytes) -> None:
        """Keep a body under a name, in place of an earlier one.

        Raises:
            InputError: The folder cannot be written.
        """
        path = self._path(name)
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=path.parent)  # of mode 0600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_seal(name, body) + body)
                Path(part).replace(path)
            except BaseException:
                Path(part).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise InputError(
                f"cache {self.folder}", f"cannot be written ({error.strerror})", "make room, or name another"
            ) from error

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name


def owned_folder(folder: Path) -> Path:
    """The folder, made where it is not there, readable by its owner alone.

    Raises:
        InputError: It cannot be made, or others may write it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise InputError(f"cache {folder}", "is no folder that can be used", "name another") from error
    if os.name == "posix" and mode & _OTHERS_MAY_WRITE:
        raise InputError(
            f"cache {folder}", "may be written by others than its owner", f"run: chmod go-w {folder}"
        )
    return folder


def _seal(name: str, body: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + body).hexdigest().encode()
