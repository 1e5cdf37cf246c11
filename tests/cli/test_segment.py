"""`prognosis segment`: what it writes for a film, for a CT series and for images that are no DICOM."""

from __future__ import annotations

from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image

from prognosis.cohort import Task
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.evidence.segmentation.networks import build_network
from prognosis.evidence.segmentation.storage import save_segmentation
from tests.cli.program import Program
from tests.outputs.images import film, headers, series

LUNGS = ("right lung", "left lung")


def a_model(folder: Path, dimensions: int, seed: int = 3, structures: tuple[str, ...] = LUNGS) -> Path:
    """A model whose network was never trained: it marks something, somewhere, always the same."""
    import torch

    task = Task.from_statement(
        {
            "name": "lungs",
            "question": "Where are the lungs?",
            "index": {"at": "study", "views": ["AP", "PA"]},
            "outcome": {"kind": "mask", "structures": list(structures)},
        },
        "lungs.yaml",
    )
    config = SegmentationConfig(channels=(4, 8), residual_units=0, size=16, patch=(8, 16, 16), threads=1)
    torch.manual_seed(seed)
    network = build_network(config, dimensions, len(structures))
    save_segmentation(
        SegmentationModel(task, config, dimensions, network, 1, frozenset()), folder, "# card", {}
    )
    return folder


@pytest.mark.parametrize("kind", ["film", "CT"])
def test_a_study_of_dicom_files_gives_mask_overlay_seg_and_report_that_agree(
    prognosis: Program, tmp_path: Path, kind: str
):
    images = tmp_path / "images"
    _ = film(images) if kind == "film" else series(images, "CT")
    model = a_model(tmp_path / "model", 2 if kind == "film" else 3)
    ran = prognosis("segment", images, "--model", model, "--out", tmp_path / "out", "--json")
    assert ran.status == 0, ran.err
    (volume,) = ran.stated["volumes"]
    files = {Path(name).name: Path(name) for name in volume["files"]}
    as_picture = {"mask.png"} if kind == "film" else set()
    assert set(files) == {"mask.nii.gz", "overlay.png", "seg.dcm", "sr.dcm"} | as_picture
    assert volume["read_back"] is True

    sources = headers(images)
    mask = np.asarray(nibabel.load(files["mask.nii.gz"]).dataobj).transpose(2, 1, 0)
    assert mask.any()
    if kind == "film":
        assert np.array_equal(np.asarray(Image.open(files["mask.png"])), mask[0])
    seg = highdicom.seg.segread(files["seg.dcm"])
    pixels = seg.get_pixels_by_source_instance([each.SOPInstanceUID for each in sources])
    assert np.array_equal(pixels.any(axis=-1), mask > 0)
    made_by = seg.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert made_by.AlgorithmVersion == ran.stated["model_id"]

    report = pydicom.dcmread(files["sr.dcm"])
    assert report.StudyInstanceUID == seg.StudyInstanceUID == sources[0].StudyInstanceUID
    assert len(volume["parts"]) == len(seg.SegmentSequence)
    assert sum(part["voxels"] for part in volume["parts"]) == np.count_nonzero(mask)


def test_a_mask_lies_where_the_voxels_lie_in_the_patient(prognosis: Program, tmp_path: Path):
    segmentation, _ = series(tmp_path / "images", "CT")
    model = a_model(tmp_path / "model", 3)
    ran = prognosis("segment", tmp_path / "images", "--model", model, "--out", tmp_path / "out")
    assert ran.status == 0, ran.err
    (path,) = (tmp_path / "out").rglob("mask.nii.gz")
    to_ras = nibabel.load(path).affine
    assert np.allclose(np.diag([-1, -1, 1, 1]) @ to_ras, segmentation.affine, atol=1e-4)


def test_a_series_that_the_model_does_not_read_is_refused(prognosis: Program, tmp_path: Path):
    series(tmp_path / "images", "CT")
    model = a_model(tmp_path / "model", 2)
    ran = prognosis("segment", tmp_path / "images", "--model", model, "--out", tmp_path / "out")
    assert ran.status == 2
    assert "holds none of the films that the model reads" in ran.prose
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["film.png", "ct.nii.gz"])
def test_one_image_file_is_a_study_of_its_own(prognosis: Program, tmp_path: Path, kind: str):
    place = tmp_path / kind
    if kind == "film.png":
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 24), dtype=np.uint8)).save(place)
    else:
        voxels = np.random.default_rng(0).normal(size=(24, 20, 10)).astype(np.float32)
        image = nibabel.Nifti1Image(voxels, np.diag([-1.0, -1.0, 2.0, 1.0]))
        image.set_sform(image.affine, code=1)
        nibabel.save(image, place)
    model = a_model(tmp_path / "model", 2 if kind == "film.png" else 3)
    ran = prognosis("segment", place, "--model", model, "--out", tmp_path / "out", "--json")
    assert ran.status == 0, ran.err
    (volume,) = ran.stated["volumes"]
    as_picture = {"mask.png"} if kind == "film.png" else set()
    assert {Path(name).name for name in volume["files"]} == {"mask.nii.gz", "overlay.png"} | as_picture
    (path,) = (tmp_path / "out").rglob("mask.nii.gz")
    assert nibabel.load(path).shape == ((24, 20, 1) if kind == "film.png" else (24, 20, 10))
    refused = prognosis("segment", model / "README.md", "--model", model, "--out", tmp_path / "none")
    assert refused.status == 2
    assert "is no image file that is read alone" in refused.prose


def test_one_dicom_file_is_a_study_whatever_it_is_called_and_whatever_lies_beside_it(
    prognosis: Program, tmp_path: Path
):
    film(tmp_path / "images")
    place = (tmp_path / "images" / "1.dcm").rename(tmp_path / "images" / "film.2024")
    (tmp_path / "images" / "other.dcm").write_bytes(b"no image")
    model = a_model(tmp_path / "model", 2)
    ran = prognosis("segment", place, "--model", model, "--out", tmp_path / "out", "--json")
    assert ran.status == 0, ran.err
    (volume,) = ran.stated["volumes"]
    assert "seg.dcm" in {Path(name).name for name in volume["files"]}
    assert "set aside" not in ran.prose


def test_an_outline_that_is_not_of_two_lungs_says_so_and_a_scan_is_not_outlined(
    prognosis: Program, tmp_path: Path
) -> None:
    model = a_model(tmp_path / "model", 2, seed=2)
    film(tmp_path / "film")
    ran = prognosis("segment", tmp_path / "film", "--model", model, "--out", tmp_path / "out", "--json")
    assert ran.stated["volumes"][0]["caution"]
    assert "do not use it" in ran.err
    series(tmp_path / "scan", "CT")
    slice_of_it = min((tmp_path / "scan").glob("*.dcm"))
    alone = prognosis("segment", slice_of_it, "--model", model, "--out", tmp_path / "none")
    assert alone.status == 2
    assert "modality CT" in alone.err


def test_an_out_that_cannot_be_written_is_refused(prognosis: Program, tmp_path: Path) -> None:
    film(tmp_path / "film")
    (tmp_path / "taken").write_bytes(b"")
    model = a_model(tmp_path / "model", 2)
    ran = prognosis("segment", tmp_path / "film", "--model", model, "--out", tmp_path / "taken")
    assert ran.status == 2
    assert "cannot be written" in ran.err
