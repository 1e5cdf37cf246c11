"""Objects made from a study's images, stored beside them in their archive, and what is told of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prognosis.cli.console import stderr
from prognosis.cli.sources import images_archive


@dataclass(frozen=True, slots=True)
class ImagesWritten:
    """How many objects an archive was given and gave back, and how many it held already."""

    stored: int
    held: int


def store_beside_images(archive: str, study_uid: str, files: Mapping[str, bytes]) -> ImagesWritten:
    """Store objects in the study that they were made from, unless the archive holds them; read them back.

    Args:
        archive: "dicomweb:URL".
        study_uid: The study, which the archive must hold.
        files: DICOM files by a name for messages.

    Raises:
        StudyError: The archive lacks the study, or does not give back what was sent.
        SourceError: The archive cannot be used.
    """
    place = images_archive(archive)
    written = place.write_back(study_uid, files)
    stderr.print(
        f"wrote {len(written.stored)} objects of study {study_uid} and read them back; "
        f"{len(written.held)} were there already",
        markup=False,
        highlight=False,
    )
    retracted = len(place.rejected_in(study_uid) & set(written.held)) if written.held else 0
    if retracted:
        stderr.print(
            f"[yellow]{retracted} of them were retracted in this archive[/], and stay so", highlight=False
        )
    return ImagesWritten(len(written.stored), len(written.held))
