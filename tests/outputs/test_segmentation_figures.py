"""Figures of segmentations: what they say, and that a slice hangs the same way however it was stored."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from prognosis.evidence.segmentation.measurements import measured_parts
from prognosis.outputs.figures import Picture
from prognosis.outputs.segmentation_figures import contact_sheet_picture, overlay_picture
from prognosis.record import Segmentation, Volume


def pixels(picture: Picture) -> NDArray[np.float64]:
    """(rows, columns, 3) as a viewer shows it."""
    return np.asarray(Image.open(io.BytesIO(picture.content)).convert("RGB"), dtype=np.float64)


def lesion(modality: str = "CT", depth: int = 3) -> tuple[Volume, Segmentation]:
    """A bright lesion at the patient's left and front, largest on slice 2 where there are three."""
    voxels = np.full((depth, 40, 50), -800, dtype=np.float32)
    labels = np.zeros(voxels.shape, dtype=np.uint8)
    labels[depth // 2, 5:12, 30:44] = labels[0, 6:9, 32:40] = 1
    voxels[labels == 1] = 40
    affine = np.diag([0.7, 0.7, 5.0, 1.0])
    source = "ImagingStudy/1.2#1.3"
    return Volume(voxels, affine, source, modality), Segmentation(labels, ("lung lesion",), affine, source)


def test_an_overlay_shows_the_slice_where_most_is_marked_and_says_the_measurements():
    volume, segmentation = lesion()
    picture = overlay_picture(volume, segmentation, measured_parts(segmentation), "Chest CT")
    (size,) = measured_parts(segmentation)
    assert picture.alternative == (
        "Chest CT, slice 2 of 3, with its segmentation outlined: lung lesion: "
        f"{size.volume_ml:.2f} ml, {size.axes.long.length:.1f} x {size.axes.short.length:.1f} mm."
    )
    assert pixels(picture).shape[0] > 300


@pytest.mark.parametrize("axis", [1, 2])
def test_a_slice_stored_mirrored_or_upside_down_is_hung_the_same_way(axis: int):
    volume, segmentation = lesion()
    affine = volume.affine.copy()
    column = 2 - axis
    affine[:3, 3] += affine[:3, column] * (volume.voxels.shape[axis] - 1)
    affine[:3, column] *= -1
    other = (
        replace(volume, voxels=np.flip(volume.voxels, axis), affine=affine),
        replace(segmentation, labels=np.flip(segmentation.labels, axis), affine=affine),
    )
    pictures = [
        pixels(overlay_picture(v, s, measured_parts(s), "CT")) for v, s in ((volume, segmentation), other)
    ]
    assert np.abs(pictures[0] - pictures[1]).mean() < 1.0  # of 255: rounding of the outline only
    assert np.abs(pictures[0] - np.flip(pictures[1], 2 - axis)).mean() > 5.0


def test_a_film_without_pixel_spacing_is_measured_in_pixels():
    volume, segmentation = lesion("DX", depth=1)
    film = replace(volume, view="PA", spacing_known=False)
    marked = replace(segmentation, affine=np.eye(4), spacing_known=False)
    told = overlay_picture(film, marked, measured_parts(marked), "Film").alternative
    assert "98 pixels, 15.2 x" in told  # the root of 14 squared and 6 squared
    assert "slice" not in told


def test_a_segmentation_that_marks_nothing_says_that_nothing_was_found():
    volume, segmentation = lesion()
    nothing = replace(segmentation, labels=np.zeros_like(segmentation.labels))
    assert "nothing was found" in overlay_picture(volume, nothing, (), "CT").alternative


def test_many_parts_are_listed_up_to_a_dozen_and_the_rest_counted():
    volume, segmentation = lesion()
    labels = np.zeros_like(segmentation.labels)
    labels[1, ::8, ::8] = 1
    many = replace(segmentation, labels=labels)
    picture = overlay_picture(volume, many, measured_parts(many), "CT")
    assert picture.height < 1000
    assert picture.alternative.count("lung lesion") == 35


def test_a_contact_sheet_holds_every_film_in_rows():
    films = []
    for place in range(5):
        labels = np.zeros((1, 30, 30), dtype=np.uint8)
        labels[0, 5:15, 3:12] = 1
        labels[0, 5:15, 18:27] = 2 if place else 0  # a structure may be absent
        film = np.random.default_rng(place).uniform(0, 1, (1, 30, 30)).astype(np.float32)
        structures = ("right upper zone", "left upper zone")
        films.append(
            (Volume(film, np.eye(4), "x", "DX", "AP"), Segmentation(labels, structures, np.eye(4), "x"))
        )
    names = [f"film {place}" for place in range(5)]
    two, one = (contact_sheet_picture(films[:count], names[:count], "Zones", columns=4) for count in (5, 4))
    assert two.width == one.width
    assert two.height > one.height + 150
    assert "5 films with right upper zone, left upper zone outlined" in two.alternative
