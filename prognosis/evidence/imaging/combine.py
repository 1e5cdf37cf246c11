"""How much each member and the change since the last film count, learned on films no member had seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evidence.imaging.film_table import Dated, FilmTable
from prognosis.evidence.readout import cause_log_likelihood

Array = NDArray[np.float64]

SHORTEST_GAP_DAYS = 1.0  # films of one day are one visit: their difference is not divided by minutes
FEWEST_PAIRS = 30  # cases with two films below which change is given no weight
_PRIOR_PRECISION = 4.0  # of a member's slope about its prior: worth about 20 events
_GAIN_NEEDED = 2.0  # log-likelihood that change must add for its coefficient
_LARGEST_SLOPE = 1.5
_SMALLEST_LEVEL = 0.2  # slope of the level while change is weighed beside it
_LARGEST_CHANGE = 1.0  # log-hazard for one standard deviation of change
_MOST_OF_A_LEVEL = 2.0  # what a unit gained over the usual gap may count, beside 1 for a unit of the level


@dataclass(frozen=True, slots=True)
class Combination:
    """Evidence = sum over members of slope x member, plus coefficient x change a day.

    Attributes:
        slopes: (members, causes), each from 0 to 1.5, times `averaging_gain` for the average of folds.
        change: (causes,) days: what one unit of evidence gained a day adds to the evidence.
    """

    slopes: Array
    change: Array


def film_change(level: Array, table: FilmTable[Dated]) -> Array:
    """(n, causes, regions) change of the evidence a day since the film before; zero without one.

    Args:
        level: (films, causes, regions) evidence of each film.
        table: Which films are each case's.
    """
    change = np.zeros((len(table.latest), *level.shape[1:]))
    both = table.previous >= 0
    gap = np.maximum(table.gap_days[both], SHORTEST_GAP_DAYS)
    change[both] = (level[table.latest[both]] - level[table.previous[both]]) / gap[:, None, None]
    return change


def fit_combination(
    members: Array, table: FilmTable[Dated], target: Target, offset: Array | None = None
) -> Combination:
    """The slopes and the coefficient of change, each cause by itself.

    Slopes shrink toward an equal share of one, so that a tiny cohort averages its members; a slope below zero
    is set to zero. Change is kept only where it adds clearly to the likelihood, and counts at most twice what
    the level does, over the usual gap: more is asked for where these films' level says next to nothing, and
    would be asked of other films too.

    Args:
        members: (members, films, causes, regions) out-of-fold evidence of each film by each member, centred.
        table: Which films are each case's.
        target: What happened to each case.
        offset: (n, causes) evidence known from elsewhere; None for none.
    """
    rows = np.flatnonzero(table.present)
    own = target.take(rows)
    known = np.zeros((len(target), members.shape[2])) if offset is None else offset
    causes = members.shape[2]
    slopes, change = np.zeros((len(members), causes)), np.zeros(causes)
    for cause in range(causes):
        levels = members[:, table.latest[rows], cause].sum(axis=-1).T
        slopes[:, cause] = _slopes(levels, own, cause, known[rows, cause])
        film_level = np.einsum("m,mfr->fr", slopes[:, cause], members[:, :, cause])
        moved = film_change(film_level[:, None, :], table)[rows, 0].sum(axis=-1)
        paired = table.previous[rows] >= 0
        if paired.sum() >= FEWEST_PAIRS and moved.std() > 0.0:
            moved = np.where(paired, moved - moved[paired].mean(), 0.0)
            found = _change(levels @ slopes[:, cause], moved, own, cause, known[rows, cause])
            usual = max(float(np.median(table.gap_days[rows][paired])), SHORTEST_GAP_DAYS)
            most = _MOST_OF_A_LEVEL * usual
            change[cause] = np.clip(found, -most, most)
    return Combination(slopes, change)


def _slopes(levels: Array, target: Target, cause: int, offset: Array) -> Array:
    """Ridge slopes of the members, from 0 to 1.5; zero for one that says nothing."""
    used = levels.std(axis=0) > 1e-9
    slopes = np.zeros(levels.shape[1])
    if used.any():
        prior = np.full(int(used.sum()), 1.0 / used.sum())
        precision, bounds = np.full(len(prior), _PRIOR_PRECISION), [(0.0, _LARGEST_SLOPE)] * len(prior)
        slopes[used] = _ridge(levels[:, used], target, cause, prior, precision, bounds, offset)
    return slopes


def _change(level: Array, moved: Array, target: Target, cause: int, offset: Array) -> float:
    """The coefficient of change, zero unless it adds to the likelihood more than chance would.

    The level's own slope is free meanwhile: what grows is large, and a level that is told too small would
    have change make up for it.
    """
    unit = float(moved.std())
    columns = np.column_stack([level, moved / unit])
    towards, precision = np.array([1.0, 0.0]), np.full(2, _PRIOR_PRECISION)
    bounds = [(_SMALLEST_LEVEL, None), (-_LARGEST_CHANGE, _LARGEST_CHANGE)]

    def fitted(count: int) -> tuple[Array, float]:
        own = columns[:, :count]
        weights = _ridge(own, target, cause, towards[:count], precision[:count], bounds[:count], offset)
        return weights, cause_log_likelihood(target, cause, own @ weights + offset)

    weights, likelihood = fitted(2)
    gain = likelihood - fitted(1)[1]
    change = float(np.clip(weights[1] / weights[0], -_LARGEST_CHANGE, _LARGEST_CHANGE))
    return change / unit if gain > _GAIN_NEEDED else 0.0


def _ridge(
    columns: Array,
    target: Target,
    cause: int,
    towards: Array,
    precision: Array,
    bounds: Sequence[tuple[float, float | None]],
    offset: Array,
) -> Array:
    """The few weights of the highest penalised likelihood; a concave problem."""

    def loss(weights: Array) -> float:
        likelihood = cause_log_likelihood(target, cause, columns @ weights + offset)
        return float(0.5 * precision @ (weights - towards) ** 2) - likelihood

    from scipy.optimize import minimize

    return np.asarray(minimize(loss, towards, method="L-BFGS-B", bounds=bounds).x, dtype=np.float64)
