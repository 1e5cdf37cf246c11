"""Films kept as PNG files beside a table: their identity, and a store that opens them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from prognosis.errors import SourceError, StudyError
from prognosis.record import ImagingStudy, Volume

PIXEL_BUDGET = 64_000_000
"""The most pixels one PNG may claim: ten times a large detector's, far below what a crafted header can."""


def contained(folder: Path, name: str) -> Path:
    """The path of `name` in `folder`, refused when it leads out of it (by "..", an absolute path or a link).

    Raises:
        SourceError: The name leads out of the folder.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SourceError(
            f"{folder.name}: file named by a table", "leads out of the folder", "name files inside the folder"
        )
    return path


class FilmFolder:
    """Opens the PNG film of a study.

    Args:
        files: Where each study's film is, by study UID.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """The study's one film, in the intensities of the file; its pixel spacing is not known.

        Raises:
            StudyError: The folder holds no such study, or the file cannot be read as an image.
        """
        (path,) = self.contents(study)
        series = study.series[0]
        return (
            Volume(
                voxels=read_png(path, f"ImagingStudy {study.study_uid}")[None],
                affine=np.eye(4),
                source=f"ImagingStudy/{study.study_uid}#{series.series_uid}",
                modality=series.modality,
                view=series.view,
                spacing_known=False,
            ),
        )

    def contents(self, study: ImagingStudy) -> tuple[Path]:
        """The study's one file.

        Raises:
            StudyError: The folder holds no such study.
        """
        path = self._files.get(study.study_uid)
        if path is None:
            raise StudyError(
                f"ImagingStudy {study.study_uid}", "is not in this folder", "open it from its own source"
            )
        return (path,)


def read_png(path: Path, reference: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """The grey values of an image file, shape (rows, columns), colour turned to luminance.

    Raises:
        StudyError: The file is absent, is no image, is truncated or claims too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.width * image.height > PIXEL_BUDGET:
                raise StudyError(
                    reference,
                    f"claims {image.width} x {image.height} pixels",
                    f"give films of at most {PIXEL_BUDGET} pixels",
                )
            grey = image if image.mode in {"L", "I;16", "I", "F"} else image.convert("L")
            return np.asarray(grey, dtype=np.float32)
    except FileNotFoundError as error:
        raise StudyError(
            reference, "its image file is absent", "restore images/ from the publisher"
        ) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise StudyError(
            reference, "its image file cannot be read", "fetch the file from the publisher again"
        ) from error
