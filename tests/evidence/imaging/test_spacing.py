"""Volumes at another spacing: what trilinear interpolation must do, and MONAI's grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.errors import StudyError
from prognosis.evidence.imaging.spacing import with_spacing
from prognosis.record import Volume


def volume(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Volume:
    voxels = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = (-120.0, 40.0, 7.5)
    return Volume(voxels, affine, "ImagingStudy/1#1", "CT")


@pytest.mark.parametrize(
    ("shape", "spacing", "wanted"),
    [
        ((7, 20, 31), (0.7, 0.9, 2.5), (1.0, 1.0, 1.0)),
        ((9, 12, 10), (2.0, 1.5, 3.0), (0.8, 1.1, 1.0)),
        ((1, 16, 16), (1.0, 1.0, 5.0), (0.5, 2.0, 1.0)),
    ],
)
def test_the_grid_and_the_values_are_those_of_monai(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], wanted: tuple[float, float, float]
) -> None:
    torch = pytest.importorskip("torch")
    from monai.data import MetaTensor
    from monai.transforms import Spacing

    known = volume(shape, spacing)
    channel = torch.from_numpy(known.voxels.transpose(2, 1, 0).copy())[None]
    peer = Spacing(pixdim=wanted, mode="bilinear")(MetaTensor(channel, affine=torch.from_numpy(known.affine)))
    found = with_spacing(known, wanted)
    np.testing.assert_allclose(found.voxels, peer.numpy()[0].transpose(2, 1, 0), atol=1e-5)
    np.testing.assert_allclose(found.affine, peer.affine.numpy(), atol=1e-9)


def test_a_straight_slope_in_millimetres_stays_what_it_was_at_every_place() -> None:
    known = volume((12, 15, 18), (0.8, 1.2, 2.0))
    z, y, x = np.indices(known.voxels.shape)
    known = replace(known, voxels=(0.8 * x - 2.4 * y + 6.0 * z).astype(np.float32))  # 1, -2 and 3 a mm
    found = with_spacing(known, (0.5, 0.5, 0.5))
    z, y, x = np.indices(found.voxels.shape)
    inside = (x * 0.5 <= 17 * 0.8) & (y * 0.5 <= 14 * 1.2) & (z * 0.5 <= 11 * 2.0)
    np.testing.assert_allclose(found.voxels[inside], (0.5 * (x - 2 * y + 3 * z))[inside], atol=1e-4)


def test_the_spacing_that_it_has_changes_nothing() -> None:
    known = volume((4, 5, 6), (0.7, 0.7, 1.25))
    np.testing.assert_array_equal(with_spacing(known, (0.7, 0.7, 1.25)).voxels, known.voxels)


def test_oblique_axes_keep_their_directions() -> None:
    known = volume((4, 6, 8), (1.0, 1.0, 2.0))
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    found = with_spacing(replace(known, affine=turn @ known.affine), (0.5, 0.5, 0.5))
    np.testing.assert_allclose(np.linalg.norm(found.affine[:3, :3], axis=0), 0.5)
    np.testing.assert_allclose(found.affine[:3, 0] / 0.5, turn[:3, 0])


def test_an_unknown_spacing_and_a_volume_without_end_are_refused() -> None:
    known = volume((4, 5, 6), (1.0, 1.0, 1.0))
    with pytest.raises(StudyError, match="no pixel spacing"):
        with_spacing(replace(known, spacing_known=False), (1.0, 1.0, 1.0))
    with pytest.raises(StudyError, match="coarser"):
        with_spacing(known, (1e-4, 1e-4, 1e-4))
