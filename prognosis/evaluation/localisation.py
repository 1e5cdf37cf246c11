"""Whether an evidence map lies where the finding lies: pointing game, overlap, share of evidence inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import InputError
from prognosis.survival.bootstrap import Interval, clustered_bootstrap
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import WeightedMean, ratio_of

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Localised:
    """One map against one mask.

    Attributes:
        points: Share, 0 to 1, of the map's maxima that lie in the mask or within the tolerance of it: 0 or 1
            unless several pixels share the largest value.
        points_by_chance: Share of all pixels that would have counted.
        overlap: Intersection over union of the mask and as many pixels of most evidence.
        inside: Share of the positive evidence that lies in the mask; 0 where nothing is positive.
        inside_by_chance: The mask's share of the image, which is what evidence spread evenly would reach.
    """

    points: float
    points_by_chance: float
    overlap: float
    inside: float
    inside_by_chance: float


@dataclass(frozen=True, slots=True)
class Localisation:
    """Means over images, with intervals over patients; higher is better, beside what chance reaches.

    Attributes:
        images: How many.
        points: The pointing game (Zhang et al., Int J Comput Vis 2018;126:1084).
        points_by_chance: Of a pixel drawn at random.
        overlap: Intersection over union at the mask's own area.
        inside: Share of the positive evidence inside the mask.
        inside_by_chance: Of evidence spread evenly.
    """

    images: int
    points: Interval
    points_by_chance: Interval
    overlap: Interval
    inside: Interval
    inside_by_chance: Interval


def localise(evidence: Floats, mask: Mask, tolerance: float) -> Localised:
    """How well a map agrees with a mask.

    Args:
        evidence: Signed evidence of each pixel or voxel; positive speaks for the finding.
        mask: Where the finding is, on the same grid.
        tolerance: Pixels by which a maximum may miss the mask and still count. A map made of cells cannot
            place its maximum better than a cell.

    Raises:
        InputError: The grids differ, or the mask is empty.
    """
    from scipy.ndimage import distance_transform_edt

    if evidence.shape != mask.shape or not mask.any():
        raise InputError(
            "mask", "is empty or not on the map's grid", "give the finding on the map's own grid"
        )
    near = distance_transform_edt(~mask) <= tolerance
    maxima = evidence >= evidence.max() - 1e-12 * np.abs(evidence).max()
    area = int(mask.sum())
    chosen = np.argsort(-evidence, axis=None, kind="stable")[:area]
    shared = int(mask.ravel()[chosen].sum())
    positive = np.maximum(evidence, 0.0)
    total = float(positive.sum())
    return Localised(
        points=float(near[maxima].mean()),
        points_by_chance=float(near.mean()),
        overlap=shared / (2 * area - shared),
        inside=float(positive[mask].sum()) / total if total > 0.0 else 0.0,
        inside_by_chance=float(mask.mean()),
    )


def localisation(
    found: Sequence[Localised], patients: NDArray[np.str_], replicates: int = 1000, seed: int = 0
) -> Localisation:
    """The means over images, with 95% intervals from resampled patients.

    Args:
        found: One an image, at least one.
        patients: (n,) whose image each is.
        replicates: Bootstrap samples.
        seed: Of the bootstrap.
    """

    def mean(values: Sequence[float]) -> Interval:
        return mean_interval(np.array(values), patients, replicates, seed)

    return Localisation(
        images=len(found),
        points=mean([each.points for each in found]),
        points_by_chance=mean([each.points_by_chance for each in found]),
        overlap=mean([each.overlap for each in found]),
        inside=mean([each.inside for each in found]),
        inside_by_chance=mean([each.inside_by_chance for each in found]),
    )


def mean_interval(values: Floats, patients: NDArray[np.str_], replicates: int, seed: int) -> Interval:
    """The mean of (n,) values with its 95% interval over resampled patients."""
    return clustered_bootstrap(ratio_of(WeightedMean(values)), patients, replicates, seed)
