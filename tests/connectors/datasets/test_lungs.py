"""Masks of both lungs in one file, read as a right and a left lung."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from connectors.datasets import CovidCxr, HannoverCxr
from connectors.datasets.lungs import LungMask, MarkedFilmFolder, centred_square, lung_sides
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, Quarantine, Series
from prognosis.record.imaging import UNMARKED
from prognosis.record.source import RecordSource


def ellipse(
    shape: tuple[int, int], centre: tuple[float, float], radii: tuple[float, float]
) -> NDArray[np.bool_]:
    rows, columns = np.indices(shape)
    return ((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2 <= 1.0


LEFT_OF_IMAGE = ellipse((60, 80), (30, 22), (24, 12))
RIGHT_OF_IMAGE = ellipse((60, 80), (30, 58), (20, 12))


def test_the_patients_right_lung_is_on_the_images_left() -> None:
    found = lung_sides(LEFT_OF_IMAGE | RIGHT_OF_IMAGE)
    assert np.array_equal(found == 1, LEFT_OF_IMAGE)
    assert np.array_equal(found == 2, RIGHT_OF_IMAGE)


def test_lungs_joined_by_a_bridge_are_parted_in_its_middle() -> None:
    bridge = np.zeros((60, 80), dtype=bool)
    bridge[28:32, 30:50] = True
    found = lung_sides(LEFT_OF_IMAGE | RIGHT_OF_IMAGE | bridge)
    assert (found[LEFT_OF_IMAGE] == 1).all()
    assert (found[RIGHT_OF_IMAGE] == 2).all()
    assert np.array_equal(found > 0, LEFT_OF_IMAGE | RIGHT_OF_IMAGE | bridge)
    assert set(found[30, 34:38]) == {1}
    assert set(found[30, 43:46]) == {2}


def test_a_lung_cut_across_by_a_gap_stays_one_lung() -> None:
    cut = RIGHT_OF_IMAGE.copy()
    cut[29:31] = False
    found = lung_sides(cut)
    assert np.array_equal(found == 2, cut)


def test_a_crumb_belongs_to_the_nearer_lung() -> None:
    crumb = ellipse((60, 80), (56, 44), (2, 2))
    found = lung_sides(LEFT_OF_IMAGE | RIGHT_OF_IMAGE | crumb)
    assert (found[crumb] == 2).all()


def store(tmp_path: Path, mask: NDArray[np.bool_], *, inside_square: bool = False) -> MarkedFilmFolder:
    film = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
    Image.fromarray(film).save(tmp_path / "film.png")
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "mask.png")
    return MarkedFilmFolder(
        {"1.2": tmp_path / "film.png", "1.3": tmp_path / "film.png"},
        {"1.2": LungMask(tmp_path / "mask.png", inside_square)},
    )


def study(uid: str, store: MarkedFilmFolder) -> ImagingStudy:
    return ImagingStudy(datetime(2020, 3, 1, tzinfo=UTC), uid, (Series("1.9", "CR", "AP"),), store=store)


def test_a_film_that_nobody_marked_has_no_segmentation(tmp_path: Path) -> None:
    assert study("1.3", store(tmp_path, LEFT_OF_IMAGE)).segmentations() == ()


def test_a_segmentation_lies_on_its_films_grid(tmp_path: Path) -> None:
    opened = study("1.2", store(tmp_path, LEFT_OF_IMAGE | RIGHT_OF_IMAGE))
    (volume,), (marked,) = opened.volumes(), opened.segmentations()
    assert marked.source == volume.source
    assert marked.labels.shape == volume.voxels.shape
    assert np.array_equal(marked.mask("left lung")[0], RIGHT_OF_IMAGE)


def test_outside_the_square_that_was_looked_at_nothing_is_known(tmp_path: Path) -> None:
    (marked,) = study(
        "1.2", store(tmp_path, LEFT_OF_IMAGE | RIGHT_OF_IMAGE, inside_square=True)
    ).segmentations()
    assert np.array_equal(marked.labels[0] != UNMARKED, centred_square(60, 80))
    assert centred_square(60, 80)[:, 10:70].all()


def test_a_mask_of_another_size_than_its_film_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="pixels and its film"):
        study("1.2", store(tmp_path, np.ones((60, 81), dtype=bool))).segmentations()


def marked_sides(source: RecordSource) -> Iterator[tuple[float, float, float]]:
    """Of each marked film: the mean column of each lung, and the share that is not known."""
    for record in source.records(Quarantine()):
        for each in record.studies:
            for marked in each.segmentations():
                right, left = (np.nonzero(marked.mask(name))[2].mean() for name in marked.structures)
                yield right, left, float((marked.labels == UNMARKED).mean())


def test_every_mask_of_hannover_has_two_lungs_each_on_its_side(real_data: Path) -> None:
    found = list(marked_sides(HannoverCxr(real_data / "hannover-cxr", "")))
    assert len(found) == 38
    assert all(right < left for right, left, _ in found)
    assert sum(share > 0.0 for *_, share in found) == 37  # one film is square


def test_the_covid_films_that_are_said_to_be_marked_have_masks(real_data: Path) -> None:
    records = list(CovidCxr(real_data / "covid-cxr", "").records(Quarantine()))
    marked = [each for record in records[:12] for study in record.studies for each in study.segmentations()]
    assert marked
    assert all((each.labels != UNMARKED).all() for each in marked)
