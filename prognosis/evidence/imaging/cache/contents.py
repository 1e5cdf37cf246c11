"""The digest of a study's stored bytes, which are read again only when its files have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import StudyError
from prognosis.evidence.imaging.cache.sealed import SealedFiles
from prognosis.record import ImagingStudy

Contents = Sequence[Path | NDArray[Any]]


@dataclass(frozen=True, slots=True)
class ContentDigests:
    """Digests of contents, those of files remembered under where the files lie and when they last changed.

    Attributes:
        files: Where they are remembered.
    """

    files: SealedFiles

    def digest(self, study: ImagingStudy, contents: Contents, stamp: str | None) -> str:
        """sha256 of what a study's files or arrays hold, in their order.

        Args:
            study: For messages.
            contents: Its own.
            stamp: Their `file_stamp`.

        Raises:
            StudyError: A file cannot be read.
        """
        known = None if stamp is None else self.files.read(stamp)
        if known is not None:
            return known.decode()
        found = hashlib.sha256(b"".join(_part_digest(study, part) for part in contents)).hexdigest()
        if stamp is not None and stamp == file_stamp(study, contents):
            self.files.write(stamp, found.encode())
        return found


def file_stamp(study: ImagingStudy, contents: Contents) -> str | None:
    """A digest of the files' paths, sizes and times; None where a content is no file.

    Beside the time of the last writing, which programs that copy files set back, it holds the time of the
    last change of any kind and the file's number, which they cannot.

    Raises:
        StudyError: A file is not there.
    """
    stated = []
    for part in contents:
        if not isinstance(part, Path):
            return None
        try:
            found = part.stat()
        except OSError as error:
            raise _unreadable(study) from error
        stated.append([str(part), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino])
    return hashlib.sha256(json.dumps(stated).encode("utf-8", "surrogatepass")).hexdigest()


def _part_digest(study: ImagingStudy, part: Path | NDArray[Any]) -> bytes:
    if not isinstance(part, Path):
        head = f"{part.dtype.str} {part.shape}\n".encode()
        return hashlib.sha256(head + np.ascontiguousarray(part).tobytes()).digest()
    try:
        with part.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise _unreadable(study) from error


def _unreadable(study: ImagingStudy) -> StudyError:
    return StudyError(
        f"ImagingStudy {study.study_uid}", "has a file that cannot be read", "restore it to its folder"
    )
