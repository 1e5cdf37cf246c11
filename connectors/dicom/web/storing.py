"""Instances sent to an archive and asked for again: only what is found there was stored.

STOW-RS (PS3.18 section 10.5). An archive's word that it stored an instance is not taken.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.dicom.header import instance_uid
from connectors.dicom.web.matches import find_instances
from connectors.dicom.web.session import Answer, Session
from prognosis.errors import StudyError

BATCH_BYTES = 64 * 2**20
"""What one POST carries at most, unless a single instance is larger."""

PIECE = 2**18
ANSWERED = frozenset({200, 202, 409})
"""All, some or none were stored, so the archive says (PS3.18 table 10.5.3-1). What it then holds decides."""


def store_study(session: Session, study_uid: str, paths: Sequence[Path]) -> int:
    """Store files of one study. Storing them again changes nothing, so a batch that broke off is sent again.

    Args:
        session: With the archive.
        study_uid: Whose they are; an archive must refuse those of another study.
        paths: Part 10 files, images or not.

    Returns:
        How many instances were sent, and found in the archive afterwards.

    Raises:
        SourceError: The archive cannot be reached or refuses.
        StudyError: A file states no instance UID, or the archive does not hold what was sent.
    """
    reference = f"ImagingStudy {study_uid}"
    uids = {instance_uid(path) for path in paths}
    if "" in uids:
        raise StudyError(reference, "has a file that states no instance UID", "give DICOM files")
    for batch in _batches(paths):
        _send(session, study_uid, batch)
    missing = uids - find_instances(session, study_uid)
    if missing:
        raise StudyError(
            reference,
            f"was sent with {len(uids)} instances, and the archive holds {len(uids) - len(missing)} of them",
            "see in the archive's log why it refused the others",
        )
    return len(uids)


def _batches(paths: Sequence[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    size = 0
    for path in paths:
        own = path.stat().st_size
        if batch and size + own > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += own
    if batch:
        yield batch


def _send(session: Session, study_uid: str, paths: Sequence[Path]) -> None:
    boundary = secrets.token_hex(24)
    opening = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode("ascii")
    closing = f"--{boundary}--\r\n".encode("ascii")
    length = sum(len(opening) + path.stat().st_size + 2 for path in paths) + len(closing)

    def body() -> Iterator[bytes]:
        for path in paths:
            yield opening
            with path.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece
            yield b"\r\n"
        yield closing

    headers = {
        "Accept": "application/dicom+json",
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
        "Content-Length": str(length),
    }
    session.post(f"studies/{study_uid}", headers, body, _read_through, statuses=ANSWERED)


def _read_through(answer: Answer) -> None:
    for _piece in answer.pieces:
        pass
