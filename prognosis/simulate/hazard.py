"""Hazards made of planted parts: event times that follow them, and the incidences that they imply.

Cause-specific Weibull hazards, proportional in the planted log-hazard eta:
H_k(t) = (t / scale_k) ** shape_k * exp(eta_k). The scales are chosen so that the shares of censored patients
and of deaths are those the dials ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.simulate.standard import CAUSES, Vector

SHAPES = {"progression": 1.2, "death": 1.3}
_DEATH_AFTER_PROGRESSION = 4.0  # hazard ratio of death once the disease has progressed
_SHORTEST_DAYS = 0.5
_GRID_STEPS = 400


@dataclass(frozen=True, slots=True)
class HazardParts:
    """One cause's planted log-hazard of n patients by where it was planted; each (n,).

    What the arm changes is in three parts: by itself and with clinical values, with the note, with the films.
    """

    clinical: Vector
    text: Vector
    imaging: Vector
    interaction: Vector
    arm: Vector
    arm_text: Vector
    arm_imaging: Vector

    def full(self) -> Vector:
        """The whole planted log-hazard: what an oracle that sees everything knows."""
        planted = self.clinical + self.text + self.imaging + self.interaction
        return planted + self.arm + self.arm_text + self.arm_imaging

    def observed(self, has_text: NDArray[np.bool_], has_imaging: NDArray[np.bool_]) -> Vector:
        """The planted parts of what a patient's record holds, and the population's mean, 0, of the rest.

        The interaction is one of imaging and clinical values, so it is absent with imaging.
        """
        in_films = np.where(has_imaging, self.imaging + self.interaction, 0.0)
        planted = self.clinical + np.where(has_text, self.text, 0.0) + in_films
        return planted + self.observed_arm(has_text, has_imaging)

    def observed_arm(self, has_text: NDArray[np.bool_], has_imaging: NDArray[np.bool_]) -> Vector:
        """What the arm changes, as far as a patient's record lets it be known."""
        from_notes = np.where(has_text, self.arm_text, 0.0)
        return self.arm + from_notes + np.where(has_imaging, self.arm_imaging, 0.0)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What happens to n patients, in days from the index.

    Attributes:
        cause: (n,) what came first: 0 censored, 1 progression, 2 death.
        days: (n,) when.
        progression_days: (n,) day of progression, infinite where none was seen.
        death_days: (n,) day of death, also after progression; infinite where none was seen.
        contact_days: (n,) last contact: death, or the end of follow-up.
        scale_days: Cause to the Weibull scale that was used.
    """

    cause: NDArray[np.int64]
    days: Vector
    progression_days: Vector
    death_days: Vector
    contact_days: Vector
    scale_days: dict[str, float]


def draw_fates(patients: int, random: np.random.Generator) -> Vector:
    """(3, n) standard exponentials: progression's, death's, and death's after progression."""
    return np.stack([random.exponential(size=patients) for _ in range(3)])


def follow_up(
    log_hazard: dict[str, Vector], end_days: Vector, shares: tuple[float, float], fates: Vector
) -> FollowUp:
    """Event times.

    Args:
        log_hazard: Cause to (n,) planted log-hazard.
        end_days: (n,) when follow-up ends, whatever happens.
        shares: Of censored patients, and of deaths among first events.
        fates: (3, n) from `draw_fates`.
    """
    unscaled = {
        cause: (fate * np.exp(-log_hazard[cause])) ** (1.0 / SHAPES[cause])
        for cause, fate in zip(CAUSES, fates, strict=False)
    }
    scales = _scales(unscaled, end_days, shares)
    progression = np.maximum(scales["progression"] * unscaled["progression"], _SHORTEST_DAYS)
    death = np.maximum(scales["death"] * unscaled["death"], _SHORTEST_DAYS)
    extra = fates[2] * np.exp(-log_hazard["death"]) / _DEATH_AFTER_PROGRESSION
    spent = (progression / scales["death"]) ** SHAPES["death"]
    later = scales["death"] * (spent + extra) ** (1.0 / SHAPES["death"])
    death = np.where(progression <= death, np.maximum(later, progression + _SHORTEST_DAYS), death)
    days = np.minimum(np.minimum(progression, death), end_days)
    first = np.where(days == end_days, 0, np.where(progression <= death, 1, 2))
    return FollowUp(
        cause=first.astype(np.int64),
        days=days,
        progression_days=np.where(first == 1, progression, np.inf),
        death_days=np.where(death < end_days, death, np.inf),
        contact_days=np.minimum(death, end_days),
        scale_days=scales,
    )


def cumulative_incidence(
    log_hazard: dict[str, Vector], scale_days: dict[str, float], horizons_days: tuple[float, ...]
) -> dict[str, Vector]:
    """Each cause's probability of coming first by each horizon.

    Args:
        log_hazard: Cause to (n,) log-hazard.
        scale_days: Cause to Weibull scale.
        horizons_days: (H,) increasing.

    Returns:
        Cause to (n, H), from 0 to 1; by midpoints of 400 steps.
    """
    grid = np.linspace(0.0, max(horizons_days), _GRID_STEPS + 1)
    hazard = {
        cause: np.exp(log_hazard[cause])[:, None] * (grid / scale_days[cause])[None, :] ** SHAPES[cause]
        for cause in CAUSES
    }
    survival = np.exp(-sum(hazard[cause] for cause in CAUSES))
    middle = np.sqrt(survival[:, 1:] * survival[:, :-1])
    incidence = {}
    for cause in CAUSES:
        running = np.cumsum(middle * np.diff(hazard[cause], axis=1), axis=1)
        running = np.concatenate([np.zeros((len(running), 1)), running], axis=1)
        incidence[cause] = np.array([np.interp(horizons_days, grid, row) for row in running])
    return incidence


def event_free(
    log_hazard: dict[str, Vector], scale_days: dict[str, float], horizons_days: tuple[float, ...]
) -> tuple[Vector, Vector]:
    """Survival without any event by each horizon, and the mean days without one until then.

    Args:
        log_hazard: Cause to (n,) log-hazard.
        scale_days: Cause to Weibull scale.
        horizons_days: (H,) increasing.

    Returns:
        (n, H) probabilities, and (n, H) restricted means in days; by trapezoids of 400 steps.
    """
    grid = np.linspace(0.0, max(horizons_days), _GRID_STEPS + 1)
    hazard = [
        np.exp(log_hazard[cause])[:, None] * (grid / scale_days[cause])[None, :] ** SHAPES[cause]
        for cause in CAUSES
    ]
    survival = np.exp(-np.sum(hazard, axis=0))
    days = np.cumsum(0.5 * (survival[:, 1:] + survival[:, :-1]) * np.diff(grid), axis=1)
    days = np.concatenate([np.zeros((len(days), 1)), days], axis=1)
    at = [np.array([np.interp(horizons_days, grid, row) for row in each]) for each in (survival, days)]
    return at[0], at[1]


def days_kept(
    log_hazard: dict[str, Vector], scale_days: dict[str, float], horizons_days: tuple[float, ...]
) -> Vector:
    """(n, H) mean days by each horizon that progression, coming first, does not take; arguments as above."""
    grid = np.linspace(0.0, max(horizons_days), _GRID_STEPS + 1)
    kept = 1.0 - cumulative_incidence(log_hazard, scale_days, tuple(grid))["progression"]
    days = np.cumsum(0.5 * (kept[:, 1:] + kept[:, :-1]) * np.diff(grid), axis=1)
    days = np.concatenate([np.zeros((len(days), 1)), days], axis=1)
    return np.array([np.interp(horizons_days, grid, row) for row in days])


def _scales(unscaled: dict[str, Vector], end_days: Vector, shares: tuple[float, float]) -> dict[str, float]:
    """Weibull scales at which the shares of censored patients and of deaths come out as asked."""
    censored, deaths = shares
    progression, death = unscaled["progression"], unscaled["death"]
    scale, ratio = 0.0, 0.0  # logarithms: progression's scale, and death's scale relative to it

    def too_few_censored(trial: float) -> bool:
        first = np.minimum(progression, np.exp(ratio) * death)
        return float(np.mean(np.exp(trial) * first >= end_days)) < censored

    def too_many_deaths(trial: float) -> bool:
        end = end_days * np.exp(-scale)
        died = np.exp(trial) * death < np.minimum(end, progression)
        return float(died.sum()) > deaths * float((died | (progression < end)).sum())

    for _ in range(12):
        scale = _bisected(too_few_censored)
        ratio = _bisected(too_many_deaths)
    return {"progression": float(np.exp(scale)), "death": float(np.exp(scale + ratio))}


def _bisected(too_low: Callable[[float], bool]) -> float:
    low, high = -15.0, 15.0
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (middle, high) if too_low(middle) else (low, middle)
    return low
