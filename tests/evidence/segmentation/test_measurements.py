"""Volumes and diameters: shapes whose size is known, and every pair of points compared with every other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import cdist, pdist

from prognosis.errors import StudyError
from prognosis.evidence.segmentation.diameters import flat_axes, longest_chord, outer_border
from prognosis.evidence.segmentation.measurements import connected_parts, measure, measured_parts
from prognosis.record import Segmentation
from prognosis.record.imaging import UNMARKED

masks = arrays.arrays(np.bool_, st.tuples(*(st.integers(1, 7),) * 3)).filter(np.any)
flat_masks = arrays.arrays(np.bool_, st.tuples(*(st.integers(1, 9),) * 2)).filter(np.any)


def segmented(labels, affine=None, structures=("lesion",)):
    affine = np.eye(4) if affine is None else affine
    return Segmentation(np.asarray(labels, dtype=np.uint8), structures, affine, "ImagingStudy/1.2#1.3")


def border_of_every_voxel(mask):
    """(points, d) halfway to every neighbour outside, in the order of the mask's axes reversed."""
    inside = np.pad(mask, 1)
    found = []
    for axis in range(mask.ndim):
        for step in (-1, 1):
            outside = inside & ~np.roll(inside, -step, axis)
            places = np.argwhere(outside) - 1.0
            places[:, axis] += step / 2
            found.append(places)
    return np.concatenate(found)[:, ::-1]


@given(masks)
def test_the_longest_chord_is_the_largest_of_all_distances_between_border_points(mask):
    spacing = np.array([0.7, 0.8, 3.0])
    every = pdist(border_of_every_voxel(mask) * spacing).max()
    assert longest_chord(outer_border(mask) * spacing).length == pytest.approx(every, rel=1e-12)


@given(flat_masks)
def test_the_long_axis_is_the_largest_of_all_distances_on_a_slice(mask):
    spacing = np.array([0.7, 1.9])
    every = pdist(border_of_every_voxel(mask) * spacing).max()
    assert flat_axes(outer_border(mask) * spacing).long.length == pytest.approx(every, rel=1e-12)


@given(flat_masks)
def test_the_short_axis_crosses_the_long_one_at_a_right_angle_and_is_never_longer(mask):
    axes = flat_axes(outer_border(mask))
    assert abs((axes.long.end - axes.long.start) @ (axes.short.end - axes.short.start)) < 1e-9
    assert axes.short.length <= axes.long.length + 1e-12


@settings(max_examples=20)
@given(arrays.arrays(np.float64, (40, 2), elements=st.floats(-1, 1, width=16), unique=True))
def test_no_line_across_the_hull_at_a_right_angle_is_longer_than_the_short_axis(points):
    points = np.concatenate([points, [[-1.5, 0.2], [1.4, 0.1], [0.0, 0.3]]])
    axes = flat_axes(points)
    along = (axes.long.end - axes.long.start) / axes.long.length
    turned = (points - axes.long.start) @ np.column_stack([along, [-along[1], along[0]]])
    order = np.argsort(turned[:, 0])
    first, second = (turned[order][side] for side in np.triu_indices(len(turned), 1))
    wide = second[:, 0] > first[:, 0] + 1e-9
    for place in np.linspace(0, axes.long.length, 23)[1:-1]:
        spans = wide & (first[:, 0] <= place) & (second[:, 0] >= place)
        share = (place - first[spans, 0]) / (second[spans, 0] - first[spans, 0])
        heights = first[spans, 1] + share * (second[spans, 1] - first[spans, 1])
        assert np.ptp(heights) <= axes.short.length + 1e-9


def test_an_ellipse_measures_its_two_axes_and_a_ball_its_diameter_and_volume():
    z, y, x = np.mgrid[-30:31, -30:31, -30:31]
    ellipse = segmented(((x / 25) ** 2 + (y / 10) ** 2 <= 1)[30:31])
    (flat,) = measured_parts(ellipse)
    assert flat.axes.long.length == pytest.approx(50, abs=1.1)
    assert flat.axes.short.length == pytest.approx(20, abs=1.1)
    assert flat.area_mm2 == pytest.approx(np.pi * 25 * 10, rel=0.02)
    assert flat.volume_ml is None
    assert flat.longest_3d is None
    (ball,) = measured_parts(segmented(x**2 + y**2 + z**2 <= 28**2))
    assert ball.volume_ml == pytest.approx(4 / 3 * np.pi * 2.8**3, rel=0.005)
    assert ball.axes.long.length == pytest.approx(56, abs=1.1)
    assert ball.longest_3d.length == pytest.approx(56, abs=1.1)
    assert ball.slice_index == 30


def test_millimetres_come_from_the_affine_however_the_grid_lies_in_the_patient():
    labels = np.zeros((4, 5, 9))
    labels[1, 2, 2:8] = labels[2, 2, 3] = 1
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array([0.5, 0.8, 3.0])  # columns of 0.5, rows of 0.8, slices of 3 mm
    affine[:3, 3] = [-100, 40, 7]
    (size,) = measured_parts(segmented(labels, affine))
    assert size.volume_ml == pytest.approx(7 * 0.5 * 0.8 * 3.0 / 1000)
    assert size.axes.long.length == pytest.approx(6 * 0.5)
    assert size.axes.short.length == pytest.approx(0.8)
    assert size.area_mm2 == pytest.approx(6 * 0.5 * 0.8)
    assert size.axes.long.start == pytest.approx(affine[:3] @ [1.5, 2, 1, 1]) or size.axes.long.end == (
        pytest.approx(affine[:3] @ [1.5, 2, 1, 1])
    )


def test_the_longest_diameter_is_measured_within_one_slice_never_from_one_slice_to_another():
    labels = np.zeros((2, 3, 12))
    labels[0, 1, 0:5] = labels[1, 1, 4:12] = 1
    (size,) = measured_parts(segmented(labels))
    assert size.slice_index == 1
    assert size.axes.long.length == pytest.approx(8)
    assert size.longest_3d.length > 12


def test_voxels_that_share_only_a_corner_are_one_part_and_the_largest_part_comes_first():
    labels = np.zeros((3, 6, 12))
    labels[0, 0, 0] = labels[1, 1, 1] = 1
    labels[0, 3, 5:9] = 1
    labels[2, 5, 11] = 2
    parts = connected_parts(segmented(labels, structures=("nodule", "cyst", "absent")))
    assert [(part.name, part.voxels) for part in parts] == [("nodule 1", 4), ("nodule 2", 2), ("cyst", 1)]


@given(arrays.arrays(np.uint8, (4, 5, 6), elements=st.sampled_from([0, 1, 2, UNMARKED])))
def test_the_parts_together_are_the_structures_voxel_for_voxel(labels):
    segmentation = segmented(labels, structures=("a", "b"))
    whole = np.zeros_like(labels)
    for part in connected_parts(segmentation):
        whole[part.box][part.mask] += 1 + segmentation.structures.index(part.structure)
    assert np.array_equal(whole, np.where(labels == UNMARKED, 0, labels))


@settings(max_examples=30)
@given(masks)
def test_parts_do_not_touch_one_another(mask):
    parts = [np.argwhere(part.mask) + part.corner for part in connected_parts(segmented(mask))]
    for place, part in enumerate(parts):
        for other in parts[:place]:
            assert cdist(part, other, "chebyshev").min() > 1


def test_a_grid_without_volume_is_refused():
    flat = np.diag([1.0, 1.0, 0.0, 1.0])
    segmentation = segmented(np.ones((1, 2, 2)), flat)
    (part,) = connected_parts(segmentation)
    with pytest.raises(StudyError, match="without volume"):
        measure(part, segmentation)
