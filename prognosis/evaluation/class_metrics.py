"""The evaluation of predicted class probabilities, with patient-clustered intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.evaluation.results import CalibrationCurve, EvaluationResult, Protocol
from prognosis.evaluation.survival_metrics import PreparedMetrics
from prognosis.survival.calibration import smooth_calibration
from prognosis.survival.classification import (
    accuracy_statistic,
    auroc_statistic,
    average_precision,
    brier_statistic,
    class_calibration_intercept,
    class_calibration_slope,
    log_loss_statistic,
)
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import Statistic, Stratified, ratio_of

REPLICATES = 1000
_BINS = 10
_SMOOTH_POINTS = 50
_OF_ONE_CLASS = ("auroc", "average_precision", "calibration_intercept", "calibration_slope")


def prepare_classes(
    probabilities: Floats,
    label: NDArray[np.int64],
    classes: Sequence[str],
    clusters: NDArray[np.str_],
    fold: NDArray[np.int64] | None = None,
) -> PreparedMetrics:
    """Prepare all metrics of class probabilities.

    With two classes, "auroc", "average_precision", "calibration_intercept" and "calibration_slope" are those
    of the second. With more they are given for each class but the first against all others ("auroc:oedema"),
    and "auroc" is the mean over those.

    Args:
        probabilities: (n, C) predicted probability of each class; rows sum to 1.
        label: (n,) the true class, 0 to C - 1; 0 is the reference.
        classes: The C names.
        clusters: (n,) the patient of each case.
        fold: (n,) the fold whose model predicted each case, None when one model predicted all. The AUROC
            then compares cases of the same fold only; the other metrics take all cases together.
    """
    fold = np.zeros(len(label), dtype=np.int64) if fold is None else fold
    statistics: dict[str, Statistic] = {
        "accuracy": ratio_of(accuracy_statistic(label, probabilities)),
        "brier": ratio_of(brier_statistic(label, probabilities)),
        "log_loss": ratio_of(log_loss_statistic(label, probabilities)),
    }
    refused: dict[str, str] = {}
    curves: list[CalibrationCurve] = []
    areas: list[Statistic] = []
    for number, name in enumerate(classes[1:], start=1):
        suffix = "" if len(classes) == 2 else f":{name}"
        outcome, risk = label == number, probabilities[:, number]
        own = one_class_statistics(outcome, risk, fold)
        statistics |= {f"{kind}{suffix}": found for kind, found in own.items()}
        holds = f"only cases of class {name}" if outcome.any() else f"no case of class {name}"
        refused |= {f"{kind}{suffix}": f"the test set holds {holds}" for kind in refused_kinds(outcome)}
        if own:
            areas.append(own["auroc"])
            curves.append(class_curve(name, outcome, risk))
    if len(classes) > 2:
        if len(areas) == len(classes) - 1:
            statistics["auroc"] = mean_of(areas)
        else:
            refused["auroc"] = "a class is absent from the test set"
    return PreparedMetrics(statistics, clusters, refused, tuple(curves))


def evaluate_classes(
    probabilities: Floats,
    label: NDArray[np.int64],
    classes: Sequence[str],
    clusters: NDArray[np.str_],
    seed: int,
    replicates: int = REPLICATES,
    task: str = "",
) -> EvaluationResult:
    """Judge predicted class probabilities of cases that did not train the model.

    Args:
        probabilities: (n, C) predicted probability of each class; rows sum to 1.
        label: (n,) the true class, 0 to C - 1; 0 is the reference.
        classes: The C names.
        clusters: (n,) the patient of each case.
        seed: Of the bootstrap.
        replicates: Number of bootstrap samples.
        task: The task's name, for the result.

    Raises:
        CohortError: There are no cases.
    """
    if not len(label):
        raise CohortError(f"evaluation of {task or 'classes'}", "has no cases", "give held-out cases")
    prepared = prepare_classes(probabilities, label, classes, clusters)
    return EvaluationResult(
        task=task,
        n=len(label),
        patients=len(np.unique(clusters)),
        events={name: int((label == number).sum()) for number, name in enumerate(classes)},
        protocol=Protocol(level=0.95, replicates=replicates, seed=seed),
        result=prepared.bootstrap(replicates, seed),
        calibration=prepared.calibration,
    )


def one_class_statistics(
    outcome: NDArray[np.bool_], risk: Floats, fold: NDArray[np.int64]
) -> dict[str, Statistic]:
    """The statistics that need cases with and without a class; none where all cases are alike.

    Args:
        outcome: (n,) True for the class.
        risk: (n,) predicted probability of it.
        fold: (n,) the fold whose model predicted each case: the AUROC compares within folds.
    """
    if refused_kinds(outcome):
        return {}
    return {
        "auroc": _area(outcome, risk, fold),
        "average_precision": average_precision(outcome, risk),
        "calibration_intercept": class_calibration_intercept(outcome, risk),
        "calibration_slope": class_calibration_slope(outcome, risk),
    }


def refused_kinds(outcome: NDArray[np.bool_]) -> tuple[str, ...]:
    """What `one_class_statistics` does not give: everything where all cases are alike, else nothing."""
    return _OF_ONE_CLASS if outcome.all() or not outcome.any() else ()


def _area(outcome: NDArray[np.bool_], risk: Floats, fold: NDArray[np.int64]) -> Statistic:
    rows = tuple(np.flatnonzero(fold == number) for number in np.unique(fold))
    return ratio_of(Stratified(rows, tuple(auroc_statistic(outcome[here], risk[here]) for here in rows)))


def mean_of(statistics: Sequence[Statistic]) -> Statistic:
    """The plain mean of several statistics of the same case weights; NaN where one is not defined."""

    def mean(weights: Floats) -> Floats:
        value: Floats = np.mean([statistic(weights) for statistic in statistics], axis=0)
        return value

    return mean


def class_curve(name: str, outcome: NDArray[np.bool_], risk: Floats) -> CalibrationCurve:
    """Observed against predicted probability of a class, in tenths of the prediction and smoothed."""
    edges = np.unique(np.quantile(risk, np.linspace(0.0, 1.0, _BINS + 1)[1:-1]))
    group = np.searchsorted(edges, risk, side="left")
    members = [np.flatnonzero(group == number) for number in np.unique(group)]
    predicted = tuple(float(risk[rows].mean()) for rows in members)
    observed = tuple(float(outcome[rows].mean()) for rows in members)
    cases = tuple(len(rows) for rows in members)
    effective = tuple(float(count) for count in cases)  # every class is known
    try:
        smooth = smooth_calibration(outcome, np.ones(len(risk)), risk)
    except CohortError:  # risks that hardly vary have bins but no curve
        return CalibrationCurve(name, None, predicted, observed, cases, effective)
    shown = np.linspace(0, len(smooth.predicted) - 1, _SMOOTH_POINTS).astype(int)
    return CalibrationCurve(
        name,
        None,
        predicted,
        observed,
        cases,
        effective,
        tuple(float(value) for value in smooth.predicted[shown]),
        tuple(float(value) for value in smooth.observed[shown]),
        smooth.ici,
        smooth.e90,
    )
