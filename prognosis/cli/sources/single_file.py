"""One image file, PNG or NIfTI, as a study of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from prognosis.errors import SourceError
from prognosis.record import ImagingStudy, Series, Volume
from prognosis.record.uid import derived_uid

_FILM, _VOLUME = (".png", ".jpg", ".jpeg"), (".nii", ".nii.gz")


@dataclass(frozen=True, slots=True)
class OneFile:
    """Opens the image of one file.

    Attributes:
        path: A picture of a film, whose pixel spacing is then not known, or a NIfTI volume.
    """

    path: Path

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """The file's one image.

        Raises:
            StudyError: The file cannot be used.
        """
        source = f"ImagingStudy/{study.study_uid}#{study.series[0].series_uid}"
        if self.path.name.lower().endswith(_FILM):
            from connectors.datasets.films import read_png

            return (Volume(read_png(self.path, source)[None], np.eye(4), source, spacing_known=False),)
        from connectors.nifti.image import read_image

        image = read_image(self.path, source)
        return (Volume(image.voxels, image.affine, source),)

    def contents(self, study: ImagingStudy) -> tuple[Path]:
        """The file."""
        return (self.path,)


def is_dicom_file(path: Path) -> bool:
    """Whether a path is a file that begins as DICOM files do."""
    from connectors.dicom.guard import has_magic

    return path.is_file() and has_magic(path)


def file_study(path: Path) -> ImagingStudy:
    """A study of one image file, dated when the file was last written.

    Raises:
        SourceError: The file is of no kind that is read alone.
    """
    if not path.name.lower().endswith(_FILM + _VOLUME):
        kinds = ", ".join(_FILM + _VOLUME)
        raise SourceError(
            str(path),
            "is no image file that is read alone",
            f"give a folder, a DICOM file, or one of {kinds}",
        )
    uid = derived_uid("file", path.name, "study")
    time = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    series = Series(derived_uid("file", path.name, "series"))
    return ImagingStudy(time, uid, (series,), f"ImagingStudy/{uid}", OneFile(path))
