"""A CT series brought to 1 mm by trilinear interpolation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import SimpleITK
import torch
from monai.data import MetaTensor
from monai.transforms import Spacing

from benchmarks.speed.timing import OURS, Comparison, in_turn
from prognosis.evidence.imaging.spacing import with_spacing
from prognosis.record import Volume

PACKAGES = ("monai", "torch", "SimpleITK")
_SPACING_MM = (0.7, 0.7, 1.25)
_MONAI, _ITK = "MONAI Spacing", "SimpleITK Resample"


def _volume(slices: int, side: int) -> Volume:
    noise = np.random.default_rng(0).normal(0.0, 100.0, (slices, side, side)).astype(np.float32)
    smooth = np.linspace(-1000.0, 1000.0, side, dtype=np.float32)
    return Volume(noise + smooth, np.diag([*_SPACING_MM, 1.0]), "ImagingStudy/1#1", "CT")


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """200 slices of 512 x 512 at 0.7 x 0.7 x 1.25 mm to 1 mm."""
    torch.set_num_threads(threads)
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    volume = _volume(20, 128) if quick else _volume(200, 512)
    spacing = Spacing(pixdim=(1.0, 1.0, 1.0), mode="bilinear", dtype=np.float32)
    channel = torch.from_numpy(volume.voxels.transpose(2, 1, 0).copy())[None]
    image = SimpleITK.GetImageFromArray(volume.voxels)
    image.SetSpacing(_SPACING_MM)

    def ours() -> Volume:
        return with_spacing(volume, (1.0, 1.0, 1.0))

    def monai() -> MetaTensor:
        return spacing(MetaTensor(channel, affine=torch.from_numpy(volume.affine)))

    shape = ours().voxels.shape

    def itk() -> SimpleITK.Image:
        return SimpleITK.Resample(
            image, [int(n) for n in shape[::-1]], SimpleITK.Transform(), SimpleITK.sitkLinear,
            image.GetOrigin(), (1.0, 1.0, 1.0), image.GetDirection(), 0.0, SimpleITK.sitkFloat32,
        )  # fmt: skip

    timings, values = in_turn({OURS: ours, _MONAI: monai, _ITK: itk}, {OURS: 9, _MONAI: 3, _ITK: 5})
    found = values[OURS].voxels
    theirs = values[_MONAI].numpy()[0].transpose(2, 1, 0)
    inside = tuple(slice(0, n - 1) for n in found.shape)  # SimpleITK gives 0 beyond the last voxel
    apart = float(np.abs(theirs - found).max())
    theirs_too = SimpleITK.GetArrayFromImage(values[_ITK])[inside]
    itk_apart = float(np.abs(theirs_too - found[inside]).max())
    np.testing.assert_allclose(theirs, found, atol=0.25)
    np.testing.assert_allclose(values[_MONAI].affine.numpy(), values[OURS].affine, atol=1e-6)
    np.testing.assert_allclose(theirs_too, found[inside], atol=0.25)
    yield Comparison(
        task=f"CT of {_sides(volume.voxels.shape)} voxels to {_sides(shape)} of 1 mm",
        timings=timings,
        goals={_MONAI: 5.0},
        equality=f"the same grid and affine; largest difference {apart:.2g} HU from MONAI, "
        f"{itk_apart:.2g} HU from SimpleITK, in single precision",
    )


def _sides(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
