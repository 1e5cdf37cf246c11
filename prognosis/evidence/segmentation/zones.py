"""Six lung zones from an outline of both lungs, and whether the outline can be believed.

Each lung is divided into thirds of its own height, as in the Brixia score (Borghesi and Maroldi, Radiol med
2020;125:509) but for its landmarks: the aortic arch and the hila are not outlined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import InputError
from prognosis.record import Segmentation

LUNGS = ("right lung", "left lung")
ZONES = tuple(f"{side} {level} zone" for level in ("upper", "middle", "lower") for side in ("right", "left"))
OUTSIDE = "outside the lungs"

_LEAST_AREA = 0.03  # of the image: of the smaller lung
_LEAST_HEIGHT = 0.2  # of the image's
_MOST_UNEQUAL = 4.0  # times the smaller lung's area


@dataclass(frozen=True, slots=True)
class LungZones:
    """The zone of every pixel of a film.

    Attributes:
        labels: (rows, columns) 0 outside the lungs, i in ZONES[i - 1].
        implausible: Why the outline is not that of two lungs; "" when it may be.
    """

    labels: NDArray[np.uint8]
    implausible: str


def lung_zones(segmentation: Segmentation) -> LungZones:
    """Six zones on a film whose right and left lung are outlined.

    Raises:
        InputError: The structures are not the two lungs, or the image is no single slice.
    """
    if not set(LUNGS) <= set(segmentation.structures) or segmentation.labels.shape[0] != 1:
        problem = "is no film on which right lung and left lung are outlined"
        raise InputError(segmentation.source, problem, "use a model of configs/tasks/cxr_lungs.yaml")
    labels = np.zeros(segmentation.labels.shape[1:], dtype=np.uint8)
    lungs = [segmentation.mask(name)[0] for name in LUNGS]
    for side, lung in enumerate(lungs):
        rows = np.flatnonzero(lung.any(axis=1))
        if not len(rows):
            continue
        height = rows[-1] + 1 - rows[0]
        third = (np.arange(len(lung)) - rows[0]) * 3 // height  # 0, 1 or 2 within the lung
        place = 1 + side + 2 * np.clip(third, 0, 2)
        labels[lung] = np.broadcast_to(place[:, None], lung.shape)[lung]
    return LungZones(labels, _implausible(lungs))


def _implausible(lungs: Sequence[NDArray[np.bool_]]) -> str:
    """Why two masks are not a right and a left lung on a frontal film; "" when they may be."""
    smallest, largest = sorted(float(lung.mean()) for lung in lungs)
    if smallest < _LEAST_AREA:
        return "a lung was not found, or is too small"
    if largest > _MOST_UNEQUAL * smallest:
        return "one lung is several times larger than the other"
    if min(float(lung.any(axis=1).mean()) for lung in lungs) < _LEAST_HEIGHT:
        return "a lung is too short"
    right, left = (float(np.nonzero(lung)[1].mean()) for lung in lungs)
    return "the lungs are on the wrong sides" if right >= left else ""
