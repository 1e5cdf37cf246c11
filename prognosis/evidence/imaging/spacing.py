"""Volumes brought to a spacing in millimetres by trilinear interpolation, plane by plane."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import compiled, threads_allowed
from prognosis.errors import StudyError
from prognosis.record import Volume

Planes = NDArray[np.float32]
Places = NDArray[np.int64]

MOST_VOXELS = 512 * 2**20
"""The largest volume that is made: 2 GiB of voxels."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Along one axis: the voxels before and after each new place, (2, n), and the share of the second."""

    around: Places
    share: Planes

    @classmethod
    def stepped(cls, count: int, step: float) -> _Axis:
        """New places every `step` voxels from the first voxel's centre, as far as they lie near a voxel."""
        places = np.clip(np.arange(round((count - 1) / step + 1)) * step, 0.0, count - 1)
        before = np.floor(places).astype(np.int64)
        around = np.stack([before, np.minimum(before + 1, count - 1)])
        return cls(around, (places - before).astype(np.float32))


def with_spacing(volume: Volume, spacing_mm: Sequence[float]) -> Volume:
    """The volume with another distance between voxels; its first voxel's centre and its axes stay.

    A new voxel is the trilinear interpolation of the eight around its centre: no average over what it now
    stands for, so that a much coarser spacing drops fine detail rather than blurring it. The last new voxel
    may lie up to half a new step beyond the last old one, whose value it then has. The grid is that of
    MONAI's `Spacing` with its defaults.

    Args:
        volume: Any volume whose spacing is known.
        spacing_mm: Between columns (x), rows (y) and slices (z), each above 0.

    Raises:
        StudyError: The file gave no spacing, or the new volume would be too large.
    """
    if not volume.spacing_known:
        raise StudyError(volume.source, "states no pixel spacing", "export it with PixelSpacing")
    old = np.linalg.norm(volume.affine[:3, :3], axis=0)
    steps = np.asarray(spacing_mm, dtype=np.float64) / old
    slices, rows, columns = (
        _Axis.stepped(count, float(step))
        for count, step in zip(volume.voxels.shape, steps[::-1], strict=True)
    )
    shape = tuple(len(axis.share) for axis in (slices, rows, columns))
    if np.prod(shape, dtype=np.float64) > MOST_VOXELS:
        raise StudyError(
            volume.source,
            f"would have {' x '.join(map(str, shape))} voxels",
            "ask for a coarser spacing",
        )
    affine = volume.affine.copy()
    affine[:3, :3] *= steps
    return replace(volume, voxels=_interpolated(volume.voxels, slices, rows, columns), affine=affine)


def _interpolated(voxels: Planes, slices: _Axis, rows: _Axis, columns: _Axis) -> Planes:
    """Whole planes first, each once, then between planes; blocks of planes go to threads."""
    out = np.empty((len(slices.share), len(rows.share), len(columns.share)), dtype=np.float32)
    voxels = np.ascontiguousarray(voxels, dtype=np.float32)
    cuts = np.linspace(0, len(out), threads_allowed() + 1).astype(int)

    def block(first: int, last: int) -> None:
        ours = slices.around[:, first:last], slices.share[first:last]
        _fill(voxels, out[first:last], *ours, rows.around, rows.share, columns.around, columns.share)

    with ThreadPoolExecutor(len(cuts) - 1) as threads:
        list(threads.map(block, cuts[:-1], cuts[1:]))
    return out


@compiled
def _fill(
    voxels: Planes,
    out: Planes,
    slices: Places,
    slice_share: Planes,
    rows: Places,
    row_share: Planes,
    columns: Places,
    column_share: Planes,
) -> None:
    planes = np.empty((2, out.shape[1], out.shape[2]), dtype=np.float32)
    held = np.array([-1, -1])
    line = np.empty(voxels.shape[2], dtype=np.float32)
    for place in range(out.shape[0]):
        for which in range(2):
            wanted = slices[which, place]
            slot = wanted % 2
            if held[slot] == wanted:
                continue
            held[slot] = wanted
            for row in range(out.shape[1]):
                upper, lower = voxels[wanted, rows[0, row]], voxels[wanted, rows[1, row]]
                share = row_share[row]
                for column in range(len(line)):
                    line[column] = upper[column] + share * (lower[column] - upper[column])
                for column in range(out.shape[2]):
                    left = line[columns[0, column]]
                    planes[slot, row, column] = left + column_share[column] * (
                        line[columns[1, column]] - left
                    )
        share = slice_share[place]
        first, second = planes[slices[0, place] % 2], planes[slices[1, place] % 2]
        for row in range(out.shape[1]):
            for column in range(out.shape[2]):
                out[place, row, column] = first[row, column] + share * (
                    second[row, column] - first[row, column]
                )
