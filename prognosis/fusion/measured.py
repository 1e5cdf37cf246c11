"""A measurement on the trunk: the error about its mean by what was there to be read, and its intervals.

The head's eta is the mean, with the identity as its link. It is fitted in standard units and then carried to
the modelled scale, the quantity's own unit or its logarithm: what explains eta is then in that unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, Target
from prognosis.cohort.measurement import last_value, modelled
from prognosis.cohort.outcome import Measurement
from prognosis.evidence.readout import case_weights
from prognosis.fusion.bounds import head_of_others
from prognosis.fusion.config import FusionConfig
from prognosis.fusion.head import Array, HazardHead, subset_number
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure
from prognosis.fusion.recalibration import MASKED_WEIGHT
from prognosis.fusion.replicates import Replicates
from prognosis.survival.measured import ResidualIntervals, fit_residual_intervals

PRIOR_CASES = 20.0
"""Cases that the error of a subset of modalities is shrunk by toward that of all cases."""


@dataclass(frozen=True, slots=True)
class LastValue:
    """What the last value alone would predict, learnt from the training cases: what a model must beat.

    All on the modelled scale.

    Attributes:
        mean: For a patient without an earlier value.
        mean_error: Standard deviation about it.
        intercept: Of the regression on the last value.
        slope: Of the regression on the last value.
        error: Standard deviation about the regression.
    """

    mean: float
    mean_error: float
    intercept: float
    slope: float
    error: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What turns the head's mean into a prediction.

    Attributes:
        error: (2**M,) standard deviation of the error by subset of modalities, on the modelled scale; bit m
            of the place says that modality m is present.
        intervals: In these errors.
        last: The last value alone.
    """

    error: Array
    intervals: ResidualIntervals
    last: LastValue

    def errors(self, inputs: FusionInputs) -> Array:
        """(n,) standard deviation of each case's error, on the modelled scale."""
        return self.error[subset_number(inputs.present)]


def on_modelled_scale(
    head: HazardHead, replicates: Replicates, target: Target
) -> tuple[HazardHead, Replicates]:
    """The head and its bootstrap, fitted to standard values, on the scale of the values themselves."""
    spread, centre = target.spread, target.centre
    return replace(
        head,
        alpha=centre + spread * head.alpha,
        beta=spread * head.beta,
        strengths=spread * head.strengths,
        shift=spread * head.shift,
    ), Replicates(centre + spread * replicates.alpha, spread * replicates.beta)


def beside_levels(target: Target, folds: NDArray[np.int64], patients: NDArray[np.str_]) -> Target:
    """The target with each value of a measurement less the mean of those that its fold's models learnt from.

    Out-of-fold evidence is zero at the mean of what its models learnt from, which differs from fold to fold:
    the difference is none between their cases. Other targets are left as they are.
    """
    if target.values is None:
        return target
    weights, values = case_weights(target, patients), target.values.copy()
    for fold in np.unique(folds):
        own = folds == fold
        values[own] -= np.average(target.values[~own], weights=weights[~own])
    return replace(target, values=values)


def fit_measured(
    config: FusionConfig,
    inputs: FusionInputs,
    exposure: Exposure,
    target: Target,
    cohort: Cohort,
    folds: NDArray[np.int64],
) -> Measured:
    """The error by subset of modalities, and intervals, from cases that neither evidence nor head had seen.

    A subset's error is that of the cases which show exactly it and, at a lower weight, of those with more
    modalities from which the others are taken away.

    Args:
        config: How heads are fitted.
        inputs: Out-of-fold evidence of the training cases.
        exposure: What was measured.
        target: The same.
        cohort: The training cases.
        folds: (n,) fold of each case, whole patients.
    """
    standard = np.zeros(len(target)) if target.values is None else target.values
    levelled = beside_levels(target, folds, cohort.patients).values
    values = standard if levelled is None else levelled
    modalities, patients = len(inputs.modalities), cohort.patients
    observed = subset_number(inputs.present)
    residual = np.zeros((2**modalities, len(values)))
    for left_out in np.unique(folds):
        rows = folds == left_out
        head = head_of_others(config, inputs, exposure, patients, rows)
        for subset in range(2**modalities):
            keep = np.array([bool(subset >> place & 1) for place in range(modalities)])
            mean = head.log_hazard(inputs.take(rows).keeping(keep))[:, 0, 0]
            residual[subset, rows] = values[rows] - mean
    own = residual[observed, np.arange(len(values))]
    counted = case_weights(target, patients)
    overall = float(np.average(own**2, weights=counted))
    error = np.zeros(2**modalities)
    for subset in range(2**modalities):
        weight = counted * ((observed & subset) == subset) * np.where(observed == subset, 1.0, MASKED_WEIGHT)
        total = float(weight @ residual[subset] ** 2) + PRIOR_CASES * overall
        error[subset] = np.sqrt(total / (weight.sum() + PRIOR_CASES))
    intervals = fit_residual_intervals(own / error[observed], patients, counted)
    return Measured(target.spread * error, intervals, _last_value(cohort, target, standard))


def last_values(outcome: Measurement, cohort: Cohort) -> Array:
    """(n,) each case's last value by its index, on the modelled scale; NaN where there is none."""
    found = [last_value(outcome, case.record) for case in cohort.cases]
    return modelled(outcome, np.array([np.nan if value is None else value for value in found]))


def _last_value(cohort: Cohort, target: Target, standard: Array) -> LastValue:
    values = target.centre + target.spread * standard
    outcome = cohort.task.measurement
    last = np.full(len(values), np.nan) if outcome is None else last_values(outcome, cohort)
    mean, spread = float(values.mean()), float(values.std())
    known = np.isfinite(last)
    if known.sum() < 3 or np.ptp(last[known]) == 0.0:
        return LastValue(mean, spread, mean, 0.0, spread)
    slope, intercept = np.polyfit(last[known], values[known], 1)
    residual = values[known] - intercept - slope * last[known]
    error = float(np.sqrt((residual**2).sum() / (known.sum() - 2)))
    return LastValue(mean, spread, float(intercept), float(slope), error)
