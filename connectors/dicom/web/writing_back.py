"""Objects made from a study's images, written to the archive that holds the study: asked first, read back.

An archive may correct whose a study is while it stores (coercion, PS3.4 annex B), and may add elements of its
own. Everything else that was sent has to come back as it was.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.dicom.guard import faults_told
from connectors.dicom.web.matches import find_instances
from connectors.dicom.web.retrieving import AS_STORED
from connectors.dicom.web.session import Answer, Session
from connectors.dicom.web.splitting import write_parts
from connectors.dicom.web.storing import store_study
from prognosis.errors import StudyError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PATIENT_GROUP = 0x0010
COERCED = frozenset({0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00081030, 0x00200010})
"""Of the study: date, time, accession number, referring physician, description and id."""

SLACK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """What became of the objects, by SOP instance UID.

    Attributes:
        stored: Sent now, and read back.
        held: Were there already, and were not sent.
    """

    stored: tuple[str, ...]
    held: tuple[str, ...]


def write_back(session: Session, study_uid: str, contents: Mapping[str, bytes]) -> WrittenBack:
    """Store what the archive does not hold yet, and read it back.

    Args:
        session: With the archive.
        study_uid: Of the images that the objects were made from; the archive must hold it, since results
            without their images would be a study of their own.
        contents: Part 10 files by a name for messages.

    Raises:
        SourceError: The archive cannot be reached or refuses.
        StudyError: It does not hold the study, or does not give back what was sent; or an object is of
            another study.
    """
    reference = f"ImagingStudy {study_uid}"
    objects = {name: _read(content, f"{reference} {name}") for name, content in contents.items()}
    if any(str(each.StudyInstanceUID) != study_uid for each in objects.values()):
        raise StudyError(reference, "was given an object of another study", "write each study's own")
    there = find_instances(session, study_uid)
    if not there:
        raise StudyError(
            reference, "is not in the archive", "write results to the archive that has the images"
        )
    new = {name: each for name, each in objects.items() if str(each.SOPInstanceUID) not in there}
    with tempfile.TemporaryDirectory(prefix="prognosis-written-") as made:
        paths = []
        for place, name in enumerate(new):
            paths.append(Path(made) / f"{place}.dcm")
            paths[-1].write_bytes(contents[name])
        if paths:
            store_study(session, study_uid, paths)
    for name, sent in new.items():
        _check_back(session, sent, len(contents[name]), f"{reference} {name}")
    stored = tuple(str(each.SOPInstanceUID) for each in new.values())
    held = (str(each.SOPInstanceUID) for each in objects.values())
    return WrittenBack(stored, tuple(uid for uid in held if uid in there))


def _check_back(session: Session, sent: Dataset, length: int, reference: str) -> None:
    """Retrieve one object and hold it against what was sent.

    Raises:
        StudyError: It is not there, or differs.
    """
    place = f"studies/{sent.StudyInstanceUID}/series/{sent.SeriesInstanceUID}/instances/{sent.SOPInstanceUID}"

    def take(answer: Answer) -> list[bytes]:
        if answer.status == 404:
            return []
        with tempfile.TemporaryDirectory(prefix="prognosis-written-") as made:
            paths = write_parts(answer, Path(made), reference, 2 * length + SLACK_BYTES)
            return [path.read_bytes() for path in paths]

    came = session.get(place, AS_STORED, take, statuses=(200, 404))
    if len(came) != 1:
        raise StudyError(reference, f"was stored, and {len(came)} objects come back", "see the archive's log")
    back = _read(came[0], reference)
    for element in sent:
        if element.tag.group == PATIENT_GROUP or element.tag in COERCED:
            continue
        if back.get(element.tag) != element:
            raise StudyError(
                reference,
                f"comes back from the archive with another {element.keyword or element.tag}",
                "have the archive store objects unchanged; what it holds of this one must not be used",
            )


def _read(content: bytes, reference: str) -> Dataset:
    import pydicom

    with faults_told(reference):
        read = pydicom.dcmread(io.BytesIO(content))
        for element in read:  # what is damaged raises here, and not later
            _ = element.value
        return read
