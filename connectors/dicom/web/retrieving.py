"""A study from an archive as files, all of it or an error (WADO-RS, PS3.18 section 10.4)."""

from __future__ import annotations

from pathlib import Path

from connectors.dicom.header import instance_uid
from connectors.dicom.web.matches import find_instance_count
from connectors.dicom.web.session import Answer, Session
from connectors.dicom.web.splitting import write_parts
from prognosis.errors import StudyError

AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""Each instance in the transfer syntax that it was stored in: the archive decodes and encodes nothing."""


def retrieve_study(session: Session, study_uid: str, folder: Path) -> int:
    """Write a study's instances into a folder, each as <SOP instance UID>.dcm.

    An instance whose UID cannot be read is written all the same, for the reader to set aside with its reason.

    Args:
        session: With the archive.
        study_uid: Which.
        folder: Exists, and is empty.

    Returns:
        How many instances came: as many as the archive says that the study has.

    Raises:
        SourceError: The archive cannot be reached, its answers keep breaking off, or the disk is full.
        StudyError: The archive does not hold the study, or other than the promised number of instances came.
    """
    reference = f"ImagingStudy {study_uid}"
    promised = find_instance_count(session, study_uid)

    def take(answer: Answer) -> list[Path]:
        for left in folder.iterdir():  # of an answer that broke off
            left.unlink()
        if answer.status == 404:
            raise StudyError(reference, "is not in the archive", "ask for the studies again")
        return write_parts(answer, folder, reference)

    came = session.get(f"studies/{study_uid}", AS_STORED, take, statuses=(200, 404))
    uids = [instance_uid(path) for path in came]
    known = {uid for uid in uids if uid}
    if len(came) != promised or len(known) < sum(map(bool, uids)):
        different = len(known) + uids.count("")
        raise StudyError(
            reference,
            f"has {promised} instances in the archive, and {len(came)} came, {different} of them different",
            "wait until the study is complete, or see why the archive withholds some; nothing of it is used",
        )
    for path, uid in zip(came, uids, strict=True):
        if uid:
            path.rename(folder / f"{uid}.dcm")
    return len(came)
