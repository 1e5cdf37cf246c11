"""Image archives: the label lies after the film, the publisher's split travels, bad archives are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from connectors.datasets import ImageArchive
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine

IMAGES = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
LABELS = np.array([[1], [0]], dtype=np.uint8)


def archive(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def read(path: Path) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    return list(ImageArchive(path, f"pneumoniamnist:{path}").records(quarantine)), quarantine


def test_an_image_comes_back_as_stored_and_its_label_is_not_known_at_the_film(tmp_path: Path) -> None:
    records, _ = read(archive(tmp_path / "a.npz", val_images=IMAGES, val_labels=LABELS))
    assert [record.patient_id for record in records] == ["val-00000", "val-00001"]
    record = records[0]
    np.testing.assert_array_equal(record.studies[0].volumes()[0].voxels[0], IMAGES[0])
    known = [str(event.code) for event in record.as_of(record.studies[0].time).events]
    assert known == ["prognosis|part"]
    assert [event.text for event in record.events] == ["validation", None]
    assert [event.number for event in record.events] == [None, 1.0]


def test_colour_becomes_luminance(tmp_path: Path) -> None:
    colour = np.zeros((1, 30, 28, 3), dtype=np.uint8)
    colour[..., 1] = 100
    (record,), _ = read(archive(tmp_path / "a.npz", test_images=colour, test_labels=np.array([1])))
    voxels = record.studies[0].volumes()[0].voxels
    assert voxels.shape == (1, 30, 28)
    assert (voxels == 59.0).all()


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"train_images": IMAGES}, "lacks train_labels"),
        ({"test_labels": LABELS}, "lacks test_images"),
        ({"x": IMAGES}, "holds no train_images"),
        ({"train_images": IMAGES[:1], "train_labels": LABELS}, "2 train_labels for 1 images"),
        ({"train_images": IMAGES[:, :5], "train_labels": LABELS}, "has the shape"),
        ({"train_images": IMAGES, "train_labels": np.array(["a", "b"])}, "one number an image"),
        ({"train_images": IMAGES, "train_labels": np.array([{}, {}])}, "cannot be read"),
    ],
)
def test_an_archive_that_is_not_whole_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], problem: str
) -> None:
    with pytest.raises(SourceError, match=problem):
        read(archive(tmp_path / "a.npz", **arrays))


def test_a_file_that_is_no_archive_or_is_cut_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("no archive", encoding="utf-8")
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path / "a.npz")
    whole = archive(tmp_path / "b.npz", train_images=IMAGES, train_labels=LABELS).read_bytes()
    (tmp_path / "b.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path / "b.npz")


def test_the_published_archive_reads_whole(real_data: Path) -> None:
    records, quarantine = read(real_data / "pneumoniamnist" / "train_val.npz")
    parts = [record.events[0].text for record in records]
    assert (parts.count("train"), parts.count("validation")) == (3882, 524)
    assert len(quarantine) == 0
