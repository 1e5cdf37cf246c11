"""Lesions of each patient, how they grow between visits, and the log-hazard planted in them.

The burden is the sum of the lesions' diameters, which is what response criteria add up (RECIST 1.1,
Eisenhauer 2009), and growth is its change over the 90 days before the index. Both are sums over zones, so
what a zone contributes is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from prognosis.simulate.dials import Dials
from prognosis.simulate.film import ZONES, Lesion
from prognosis.simulate.standard import Vector

MOST_LESIONS = 5
SMALLEST_MM, LARGEST_MM = 3.0, 20.0
_COUNT_SHARES = (0.22, 0.20, 0.20, 0.16, 0.12, 0.10)  # of 0, 1, ... 5 lesions at the index
_BURDEN_WEIGHT = {"progression": 1.0, "death": 0.8}
_GROWTH_WEIGHT = {"progression": 1.0, "death": 0.4}
_REFERENCE_PATIENTS = 20_000


@dataclass(frozen=True, slots=True)
class LesionDraw:
    """Up to five lesions of each of n patients; a slot without a lesion has a diameter of zero.

    Attributes:
        diameter_mm: (n, 5) at the index.
        growth_mm: (n, 5) in 90 days.
        zone: (n, 5) place in `ZONES`.
        across: (n, 5) as in `Lesion`.
        down: (n, 5) as in `Lesion`.
    """

    diameter_mm: Vector
    growth_mm: Vector
    zone: NDArray[np.int64]
    across: Vector
    down: Vector

    def at(self, patient: int, days_before_index: float) -> tuple[Lesion, ...]:
        """One patient's lesions on a day; one that was below 3 mm then is not yet there."""
        diameters = _diameter_then(self.diameter_mm[patient], self.growth_mm[patient], days_before_index)
        return tuple(
            Lesion(ZONES[zone], float(across), float(down), float(diameter))
            for zone, across, down, diameter in zip(
                self.zone[patient], self.across[patient], self.down[patient], diameters, strict=True
            )
            if diameter > 0.0
        )


@dataclass(frozen=True, slots=True)
class LesionHazard:
    """Log-hazard planted in lesions, in units of which the population's spread is one.

    Attributes:
        by_zone: Cause to (n, 6): each zone's share, summing over zones to mean zero and unit variance.
        burden: (n, 6) each zone's share of the burden, summing over zones to a standard variable.
    """

    by_zone: dict[str, Vector]
    burden: Vector


def draw_lesions(dials: Dials, patients: int, random: np.random.Generator) -> LesionDraw:
    """Draw each patient's lesions; growth is largely the patient's own and a little each lesion's."""
    shape = (patients, MOST_LESIONS)
    count = random.choice(len(_COUNT_SHARES), size=patients, p=_COUNT_SHARES)
    there = np.arange(MOST_LESIONS)[None, :] < count[:, None]
    diameter = np.clip(np.exp(random.normal(np.log(9.0), 0.45, shape)), SMALLEST_MM, LARGEST_MM) * there
    pace = random.gamma(1.5, dials.growth_mm / 1.5, (patients, 1))
    growth = pace * random.uniform(0.7, 1.3, shape) * there
    zone = random.integers(len(ZONES), size=shape)
    return LesionDraw(diameter, growth, zone, random.uniform(-1, 1, shape), random.uniform(0, 1, shape))


def lesion_hazard(draw: LesionDraw, dials: Dials) -> LesionHazard:
    """The planted log-hazard of the lesions, by zone."""
    burden, growth = _zone_sums(draw)
    reference = _reference(dials.growth_mm)
    burden = (burden - reference.burden_mean / len(ZONES)) / reference.burden_spread
    growth = (growth - reference.growth_mean / len(ZONES)) / reference.growth_spread
    by_zone = {}
    for cause, burden_weight in _BURDEN_WEIGHT.items():
        first = burden_weight * (1.0 - dials.growth_share)
        second = _GROWTH_WEIGHT[cause] * dials.growth_share
        spread = np.sqrt(first**2 + second**2 + 2.0 * first * second * reference.correlation)
        by_zone[cause] = (first * burden + second * growth) / spread
    return LesionHazard(by_zone, burden)


@dataclass(frozen=True, slots=True)
class _Reference:
    burden_mean: float
    burden_spread: float
    growth_mean: float
    growth_spread: float
    correlation: float


@cache
def _reference(growth_mm: float) -> _Reference:
    """Mean and spread in a large population, so that a cohort's size and seed never move its hazard."""
    draw = draw_lesions(Dials(growth_mm=growth_mm), _REFERENCE_PATIENTS, np.random.default_rng(0))
    burden, growth = (sums.sum(axis=1) for sums in _zone_sums(draw))
    correlation = float(np.corrcoef(burden, growth)[0, 1]) if growth.std() > 0.0 else 0.0
    growth_spread = float(growth.std()) or 1.0
    return _Reference(
        float(burden.mean()), float(burden.std()), float(growth.mean()), growth_spread, correlation
    )


def _zone_sums(draw: LesionDraw) -> tuple[Vector, Vector]:
    """(n, 6) sum of diameters at the index and its change in the 90 days before, in mm."""
    before = _diameter_then(draw.diameter_mm, draw.growth_mm, 90.0)
    member = draw.zone[:, :, None] == np.arange(len(ZONES))[None, None, :]
    burden = np.einsum("nl,nlz->nz", draw.diameter_mm, member)
    return burden, burden - np.einsum("nl,nlz->nz", before, member)


def _diameter_then(diameter_mm: Vector, growth_mm: Vector, days_before_index: float) -> Vector:
    then = diameter_mm - growth_mm * days_before_index / 90.0
    return np.where(then >= SMALLEST_MM, then, 0.0)
