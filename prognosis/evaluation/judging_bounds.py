"""Judging lower bounds on event-free time: how often held-out patients stay free as long as theirs says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evaluation.bound_coverage import BoundCoverage
from prognosis.evaluation.subgroups import LEAST_CASES, LEAST_EVENTS
from prognosis.fusion.bounds import bound_days, event_incidence, happened
from prognosis.survival.bootstrap import clustered_bootstrap
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.conformal import day_of_probability, missed_weights, patient_shares
from prognosis.survival.curves import Floats, aalen_johansen
from prognosis.survival.statistic import Statistic

if TYPE_CHECKING:
    from prognosis.evaluation.judging import Judged

JUDGED_LEVELS = (0.8, 0.9)
EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class BoundedCases:
    """Held-out cases with one bound each.

    Attributes:
        days: (n,) the bounds.
        marginal_days: (n,) the bounds that the training cases' Kaplan-Meier or Aalen-Johansen curve gives.
        happened: (n,) True where follow-up ended with what the bound is about.
        missed: (n,) inverse censoring weight where that came before the bound, else 0.
        clusters: (n,) the patient of each case.
    """

    days: Floats
    marginal_days: Floats
    happened: NDArray[np.bool_]
    missed: Floats
    clusters: NDArray[np.str_]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> BoundedCases:
        """The cases at `rows`."""
        return BoundedCases(
            self.days[rows],
            self.marginal_days[rows],
            self.happened[rows],
            self.missed[rows],
            self.clusters[rows],
        )

    def coverage(self) -> Statistic:
        """1 minus the estimated share of patients missed, each counted once; a function of case weights."""
        shares = patient_shares(self.clusters)
        return lambda weights: np.asarray(1.0 - weights @ (self.missed * shares) / (weights @ shares))


def judge_bounds(
    folds: Sequence[Judged], groups: Mapping[str, NDArray[np.str_]], seed: int, replicates: int
) -> tuple[BoundCoverage, ...]:
    """Coverage of every bound, for everyone, in each group, and by the modalities that cases have.

    Args:
        folds: Models and cases that did not train them; nothing comes back where a model has no bounds.
        groups: (n,) the level of each case, fold after fold, by the name of the grouping.
        seed: Of the bootstrap.
        replicates: Bootstrap samples of patients.
    """
    if any(not fold.model.bounds for fold in folds):
        return ()
    observed = np.concatenate([observed_modalities(fold) for fold in folds])
    named = {EVERYONE: np.full(len(observed), EVERYONE), **groups}
    if len(np.unique(observed)) > 1:
        named["modalities"] = observed
    found = []
    for event in folds[0].model.bounds:
        for level in JUDGED_LEVELS:
            parts = [bounded_cases(fold, event, level) for fold in folds]
            cases = joined_cases(parts)
            for group, levels in named.items():
                for group_level in np.unique(levels):
                    part = cases.take(levels == group_level)
                    known = (event, level, group, str(group_level))
                    found.append(_coverage(known, part, seed, replicates))
    return tuple(found)


def bounded_cases(fold: Judged, event: str, level: float) -> BoundedCases:
    """The cases of one fold with their bounds; censoring is that of the fold's training cases."""
    target, training = fold.target, fold.training_target
    days = fold.model.lower_bounds(fold.inputs, level)[event]
    hit = happened(target.cause, target.causes, event)
    censoring = estimate_censoring(training.days, training.cause > 0)
    marginal = min(_marginal_days(fold, training, event, level), fold.model.bounds[event].last_day)
    return BoundedCases(
        days=days,
        marginal_days=np.full(len(days), marginal),
        happened=hit,
        missed=missed_weights(target.days, hit, days, censoring),
        clusters=fold.cohort.patients,
    )


def _marginal_days(fold: Judged, training: Target, event: str, level: float) -> float:
    """The first day by which the training cases' curve says that 1 - level have had the event."""
    grid = bound_days(fold.model.edges)
    curves = aalen_johansen(training.days, training.cause, len(training.causes))
    incidence = np.stack([curve.at(grid) for curve in curves])[None]
    return float(day_of_probability(event_incidence(incidence, training.causes)[event], grid, 1.0 - level)[0])


def _coverage(
    known: tuple[str, float, str, str], cases: BoundedCases, seed: int, replicates: int
) -> BoundCoverage:
    events = int(cases.happened.sum())
    enough = len(cases.days) >= LEAST_CASES and events >= LEAST_EVENTS
    interval = clustered_bootstrap(cases.coverage(), cases.clusters, replicates, seed) if enough else None
    mean, marginal = float(cases.days.mean()), float(cases.marginal_days.mean())
    return BoundCoverage(*known, len(cases.days), events, interval, mean, marginal)


def joined_cases(parts: Sequence[BoundedCases]) -> BoundedCases:
    """The cases of several folds, one after the other."""
    return BoundedCases(
        np.concatenate([part.days for part in parts]),
        np.concatenate([part.marginal_days for part in parts]),
        np.concatenate([part.happened for part in parts]),
        np.concatenate([part.missed for part in parts]),
        np.concatenate([part.clusters for part in parts]),
    )


def observed_modalities(fold: Judged) -> NDArray[np.str_]:
    """The modalities that each case has, joined by +."""
    names = np.array(fold.model.modalities)
    return np.array(["+".join(names[present]) or "none" for present in fold.inputs.present])
