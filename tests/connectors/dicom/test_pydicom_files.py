"""Every DICOM file inside the pydicom wheel is read as pydicom reads it, or refused for the right reason."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from connectors.dicom.header import read_header
from connectors.dicom.pixels import series_volumes
from prognosis.errors import StudyError

FOLDER = Path(pydicom.__file__).parent / "data"
FILES = sorted(
    path
    for path in FOLDER.rglob("*")
    if path.is_file()
    and path.suffix in {".dcm", ""}
    and "README" not in path.name
    and not re.fullmatch("IM0000(?!00).*", path.name)  # fifty headers without pixels, one is enough
)

UNDECODED = "is compressed as JPEG Extended (Process 2 and 4), which no installed decoder reads"
REFUSED = {
    "is not a DICOM file": {"ExplVR_BigEndNoMeta", "ExplVR_LitEndNoMeta", "no_meta", "rtstruct"},
    "has a damaged file meta group": {"no_meta_group_length"},
    "states no syntax": {"meta_missing_tsyntax"},
    "is cut off or has no rows and columns": {
        *(
            "UN_sequence",
            "chrSQEncoding",
            "chrSQEncoding1",
            "empty_charset_LEI",
            "nested_priv_SQ",
            "priv_SQ",
            "IM000000",
        )
    },
    "has no usable StudyInstanceUID": {
        *(
            "JPEGLSNearLossless_08",
            "JPEGLSNearLossless_16",
            "SC_rgb_jls_lossy_line",
            "SC_rgb_jls_lossy_sample",
        )
    },
    "has no pixel data": {"chrJapMulti", "chrJapMultiExplicitIR6", "chrKoreanMulti"},
    "is cut off in its pixels": {"MR_truncated"},
    "carries a frame of another size than it states": {"JPEG2000-embedded-sequence-delimiter"},
    UNDECODED: {"JPEG-lossy", "JPGExtended"},
}
"""Problem to the names that it is told of; some because they are no images of anybody."""

NO_IMAGES = {"Segmentation Storage", "RT Dose Storage"}


def problem_of(path: Path) -> str:
    return next((problem for problem, names in REFUSED.items() if path.stem in names), "")


def grey(dataset: pydicom.FileDataset) -> NDArray[np.float64]:
    """The pixels of pydicom after the modality LUT, (frames, rows, columns), higher is brighter."""
    pixels = dataset.pixel_array
    kind = dataset.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    if pixels.shape[-1] == 3 and pixels.ndim > 2:
        pixels = np.rint(pixels.astype(np.float64) @ [0.299, 0.587, 0.114])
    if kind == "MONOCHROME1":
        pixels = (2**dataset.BitsStored - 1) - pixels.astype(np.float64)
    return np.asarray(apply_modality_lut(pixels, dataset), dtype=np.float64).reshape(
        -1, dataset.Rows, dataset.Columns
    )


def loaded(path: Path) -> NDArray[np.float32] | None:
    """Our own pixels, None when the file holds no image."""
    header = read_header(path, path.name)
    if header is None:
        return None
    return np.concatenate([volume.voxels for volume in series_volumes([header], header.study_uid)])


def test_the_wheel_holds_the_files_that_are_meant() -> None:
    assert len(FILES) > 130
    assert {name for names in REFUSED.values() for name in names} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", [path for path in FILES if problem_of(path)], ids=lambda path: path.stem)
def test_what_is_no_whole_image_is_refused_for_its_reason(path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        loaded(path)
    assert caught.value.problem == problem_of(path)


@pytest.mark.parametrize("path", [path for path in FILES if not problem_of(path)], ids=lambda path: path.stem)
def test_every_other_file_is_read_as_pydicom_reads_it(path: Path) -> None:
    if path.stem == "SC_rgb_jpeg_gdcm":
        pytest.importorskip("gdcm")
    values = loaded(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        if values is None:
            assert "PixelData" not in dataset or dataset.SOPClassUID.name in NO_IMAGES
            return
        np.testing.assert_array_equal(values, grey(dataset).astype(np.float32))
