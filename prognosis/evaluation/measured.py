"""The evaluation of predicted values: errors, calibration, intervals, beside the last value alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from prognosis.cohort import Case, Cohort, MeasurementLabel
from prognosis.cohort.landmarks import landmarks_of
from prognosis.cohort.measurement import last_value, modelled
from prognosis.cohort.outcome import Measurement
from prognosis.errors import CohortError, TaskError
from prognosis.evaluation.comparison import compare
from prognosis.evaluation.results import Comparison, EvaluationResult, Protocol
from prognosis.evaluation.subgroups import cohort_groups, evaluate_subgroups
from prognosis.evaluation.survival_metrics import PreparedMetrics
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.measured import Measured, last_values
from prognosis.survival.curves import Floats
from prognosis.survival.measured import (
    INTERVAL_LEVELS,
    explained_share,
    gaussian_crps,
    root_mean_square,
    slope_on_predicted,
)
from prognosis.survival.statistic import Statistic, WeightedMean, ratio_of

if TYPE_CHECKING:
    from prognosis.evaluation.judging import Judged

FUSED = "fused"
CARRIED_FORWARD = "last value carried forward"
REGRESSION = "regression on the last value"
COMPARED = ("mae", "rmse", "crps", "r2")
OTHER_UNIT = "the last value is in a unit that the task does not name"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one method says of n cases, on the modelled scale.

    Attributes:
        mean: (n,) expected.
        error: (n,) standard deviation of its normal prediction; 0 for a method that gives none.
        intervals: By level, (n, 2) ends; none for a method that gives none.
    """

    mean: Floats
    error: Floats
    intervals: dict[float, Floats]

    def take(self, rows: NDArray[np.intp]) -> Forecast:
        """The forecast for the cases at `rows`."""
        ends = {level: own[rows] for level, own in self.intervals.items()}
        return Forecast(self.mean[rows], self.error[rows], ends)


def without_other_units(cohort: Cohort) -> Cohort:
    """The cases whose last value the baselines can read; the others are left out and counted by the reason.

    A value in a unit that the task does not name is not guessed at, and the model is compared with the
    baselines on the same cases, so that such a case is judged of neither. A task of another kind loses none.

    Raises:
        CohortError: No case is left.
    """
    outcome = cohort.task.measurement
    if outcome is None:
        return cohort
    kept = cohort.where(lambda case: _readable(outcome, case))
    left_out = len(cohort) - len(kept)
    exclusions = cohort.exclusions + Counter({OTHER_UNIT: left_out})
    if not len(kept):
        raise CohortError(
            f"evaluation of {cohort.task.name}",
            f"{OTHER_UNIT}, of all {left_out} cases",
            "state the unit's factor in other_units, or correct the source",
        )
    return Cohort(cohort.task, kept.cases, exclusions)


def _readable(outcome: Measurement, case: Case) -> bool:
    try:
        last_value(outcome, case.record)
    except TaskError:
        return False
    return True


def evaluate_measured(
    folds: Sequence[Judged], seed: int, replicates: int
) -> tuple[EvaluationResult, dict[str, PreparedMetrics]]:
    """Judge held-out cases: the fused model, each modality alone, the last value, and paired differences.

    Metrics are on the modelled scale, the quantity's unit or its logarithm; "mae_in_unit" of a logarithm is
    that of the median in the unit. A modality alone is the model with only it left. A case without an earlier
    value is forecast the training mean by the baselines.

    Args:
        folds: One element a fold, none sharing a patient with another.
        seed: Of the bootstrap.
        replicates: Bootstrap samples of patients.

    Raises:
        CohortError: The folds' task asks for no measurement.
    """
    outcome = folds[0].cohort.task.measurement
    if outcome is None:
        raise CohortError("evaluation", "is of no measurement", "judge a task with outcome.kind measurement")
    cohort = Cohort(folds[0].cohort.task, tuple(case for fold in folds for case in fold.cohort.cases))
    values = _values(outcome, cohort)
    forecasts = _forecasts(folds, outcome)
    clusters = cohort.patients

    def prepare(forecast: Forecast, rows: NDArray[np.intp]) -> PreparedMetrics:
        return prepare_measured(outcome, values[rows], forecast.take(rows), clusters[rows])

    everyone = np.arange(len(cohort))
    prepared = {name: prepare(forecast, everyone) for name, forecast in forecasts.items()}
    measured = np.ones((len(cohort), 1), dtype=bool)
    result = EvaluationResult(
        task=cohort.task.name,
        n=len(cohort),
        patients=len(set(clusters)),
        events={outcome.name: len(cohort)},
        exclusions=dict(folds[0].cohort.exclusions),
        protocol=Protocol(
            level=0.95,
            replicates=replicates,
            seed=seed,
            strata=len(folds),
            horizons_days=(outcome.horizon_days,),
        ),
        result=prepared[FUSED].bootstrap(replicates, seed),
        members={
            name: found.bootstrap(replicates, seed) for name, found in prepared.items() if name != FUSED
        },
        comparisons=_differences(prepared, seed, replicates),
        subgroups=evaluate_subgroups(
            _groups(folds, cohort),
            measured,
            measured,
            lambda rows: prepare(forecasts[FUSED], rows).bootstrap(min(replicates, 300), seed),
        ),
    )
    return result, prepared


def prepare_measured(
    outcome: Measurement, values: Floats, forecast: Forecast, clusters: NDArray[np.str_]
) -> PreparedMetrics:
    """Every metric of one forecast as a function of case weights.

    Args:
        outcome: What was measured.
        values: (n,) on the modelled scale.
        forecast: Of the same cases.
        clusters: (n,) the patient of each.
    """
    residual = values - forecast.mean
    statistics: dict[str, Statistic] = {
        "mae": _mean(np.abs(residual)),
        "rmse": root_mean_square(residual),
        "r2": explained_share(values, residual),
        "crps": _mean(gaussian_crps(values, forecast.mean, forecast.error)),
        "mean_error": _mean(-residual),
        "calibration_slope": slope_on_predicted(values, forecast.mean),
    }
    if outcome.scale == "log":
        statistics["mae_in_unit"] = _mean(np.abs(np.exp(values) - np.exp(forecast.mean)))
    for level, ends in forecast.intervals.items():
        low, high = ends.T
        statistics[f"coverage@{level:g}"] = _mean(((low <= values) & (values <= high)).astype(np.float64))
        statistics[f"width@{level:g}"] = _mean(high - low)
    return PreparedMetrics(statistics, clusters)


def _mean(contributions: Floats) -> Statistic:
    return ratio_of(WeightedMean(contributions))


def _values(outcome: Measurement, cohort: Cohort) -> Floats:
    stated = [case.label.value for case in cohort.cases if isinstance(case.label, MeasurementLabel)]
    return modelled(outcome, np.array(stated))


def _forecasts(folds: Sequence[Judged], outcome: Measurement) -> dict[str, Forecast]:
    parts: dict[str, list[Forecast]] = {}
    for fold in folds:
        measured = fold.model.measured
        if measured is None:
            raise CohortError("evaluation", "a model predicts no value", "train the model anew")
        own = {FUSED: _of_model(fold, measured, fold.inputs)}
        names = fold.model.modalities
        if len(names) > 1:
            own |= {f"{name} only": _of_model(fold, measured, _only(fold, name)) for name in names}
        for name, forecast in (own | _of_last_value(fold, measured, outcome)).items():
            parts.setdefault(name, []).append(forecast)
    return {name: _joined(each) for name, each in parts.items()}


def _of_model(fold: Judged, measured: Measured, inputs: FusionInputs) -> Forecast:
    mean, error = fold.model.expected(inputs), measured.errors(inputs)
    levels = measured.intervals.levels
    ends = {level: np.column_stack(measured.intervals.of(mean, error, level)) for level in levels}
    return Forecast(mean, error, ends)


def _only(fold: Judged, name: str) -> FusionInputs:
    """The fold's inputs with one modality left: what the model says of patients who have nothing else."""
    return fold.inputs.keeping([modality == name for modality in fold.model.modalities])


def _of_last_value(fold: Judged, measured: Measured, outcome: Measurement) -> dict[str, Forecast]:
    """The last value as it is, and the normal regression on it, of the cases that trained the model."""
    last, learnt = last_values(outcome, fold.cohort), measured.last
    known = np.isfinite(last)
    mean = np.where(known, learnt.intercept + learnt.slope * np.where(known, last, 0.0), learnt.mean)
    error = np.where(known, learnt.error, learnt.mean_error)
    half = {level: norm.ppf((1.0 + level) / 2.0) * error for level in INTERVAL_LEVELS}
    ends = {level: np.column_stack([mean - each, mean + each]) for level, each in half.items()}
    return {
        CARRIED_FORWARD: Forecast(np.where(known, last, learnt.mean), np.zeros(len(last)), {}),
        REGRESSION: Forecast(mean, error, ends),
    }


def _joined(parts: Sequence[Forecast]) -> Forecast:
    levels = set.intersection(*(set(part.intervals) for part in parts))
    return Forecast(
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.error for part in parts]),
        {level: np.concatenate([part.intervals[level] for part in parts]) for level in sorted(levels)},
    )


def _groups(folds: Sequence[Judged], cohort: Cohort) -> dict[str, NDArray[np.str_]]:
    """The usual groups, which modalities each case has, and the landmark at which it was asked."""
    names = folds[0].model.modalities
    present = np.concatenate([fold.inputs.present for fold in folds])
    held = [" and ".join(name for name, here in zip(names, row, strict=True) if here) for row in present]
    groups = {**cohort_groups(cohort), "modalities": np.array([each or "none" for each in held])}
    landmark = landmarks_of(cohort)
    if landmark is not None:
        groups["landmark"] = np.array([f"{each:g}" for each in landmark])
    return {name: levels for name, levels in groups.items() if len(set(levels)) > 1}


def _differences(prepared: dict[str, PreparedMetrics], seed: int, replicates: int) -> tuple[Comparison, ...]:
    return tuple(
        difference
        for name, found in prepared.items()
        if name != FUSED
        for difference in compare(FUSED, name, prepared[FUSED], found, COMPARED, seed, replicates)
    )
