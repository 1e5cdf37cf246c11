"""Lower bounds on the time free of an event: calibrated on predictions that no case took part in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.fusion.config import FusionConfig
from prognosis.fusion.fitting import fit_head
from prognosis.fusion.head import Array, HazardHead, cumulative_incidence
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure
from prognosis.fusion.recalibration import recalibrate
from prognosis.survival.conformal import SurvivalBound, fit_bound, probability_at

ANY_EVENT = "any event"
STEPS_PER_BIN = 8


def bound_days(edges: Array) -> Array:
    """The days on which curves are read for a bound: each bin of the hazard in equal steps, from 0."""
    inside = np.arange(STEPS_PER_BIN) / STEPS_PER_BIN
    return np.append((edges[:-1, None] + np.diff(edges)[:, None] * inside).ravel(), edges[-1])


def event_incidence(incidence: Array, causes: tuple[str, ...]) -> dict[str, Array]:
    """(n, G) probability of what a bound can be about: any event and, where there are several, each cause."""
    found = {ANY_EVENT: np.asarray(incidence.sum(axis=1))}
    if len(causes) > 1:
        found |= {name: incidence[:, place] for place, name in enumerate(causes)}
    return found


def happened(cause: NDArray[np.int64], causes: tuple[str, ...], name: str) -> NDArray[np.bool_]:
    """(n,) True where follow-up ended with what the bound `name` is about."""
    return np.asarray(cause > 0 if name == ANY_EVENT else cause == causes.index(name) + 1)


def head_of_others(
    config: FusionConfig,
    inputs: FusionInputs,
    exposure: Exposure,
    patients: NDArray[np.str_],
    rows: NDArray[np.bool_],
) -> HazardHead:
    """The head, interaction and recalibration too, of all cases but those at `rows`."""
    others = inputs.take(~rows)
    happened_to_them = exposure.take(~rows)
    fitted = fit_head(others, happened_to_them, config, patients[~rows])
    return recalibrate(fitted.head(), others, happened_to_them, np.ones(len(others)))


def fit_bounds(
    config: FusionConfig,
    inputs: FusionInputs,
    exposure: Exposure,
    target: Target,
    patients: NDArray[np.str_],
    folds: NDArray[np.int64],
) -> Mapping[str, SurvivalBound]:
    """Calibrate a bound for any event and for each of several causes.

    The evidence is out of fold already; the head and its recalibration are fitted again without each fold, so
    that neither the evidence model nor the head which reads a case was fitted on it. (The evidence that the
    refitted head learns from is of models that did see the case, as in any cross-fitting.)

    Args:
        config: How heads are fitted.
        inputs: Out-of-fold evidence of the training cases.
        exposure: What happened, on the bins.
        target: What happened, a time to event.
        patients: (n,) the patient of each case.
        folds: (n,) fold of each case, whole patients.
    """
    grid = bound_days(target.edges)
    scores: dict[str, Array] = {}
    for left_out in np.unique(folds):
        rows = folds == left_out
        head = head_of_others(config, inputs, exposure, patients, rows)
        incidence = cumulative_incidence(head.log_hazard(inputs.take(rows)), target.edges, grid)
        for name, curve in event_incidence(incidence, target.causes).items():
            scores.setdefault(name, np.zeros(len(target)))[rows] = probability_at(
                curve, grid, target.days[rows]
            )
    return {
        name: fit_bound(
            score, target.days, target.cause, happened(target.cause, target.causes, name), patients
        )
        for name, score in scores.items()
    }
