"""Metrics of several findings asked at once: each on the cases in which it is known, and their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import PRESENT, UNKNOWN
from prognosis.evaluation.class_metrics import class_curve, mean_of, one_class_statistics, refused_kinds
from prognosis.evaluation.results import CalibrationCurve
from prognosis.evaluation.survival_metrics import PreparedMetrics
from prognosis.survival.classification import brier_statistic, log_loss_statistic
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import Statistic, ratio_of

AVERAGED = ("auroc", "average_precision", "brier", "log_loss")
"""Kinds whose mean over findings is given; a mean of slopes or intercepts would let errors cancel out."""


def prepare_findings(
    probabilities: Floats,
    marks: NDArray[np.int8],
    findings: Sequence[str],
    clusters: NDArray[np.str_],
    fold: NDArray[np.int64],
) -> PreparedMetrics:
    """Prepare all metrics of predicted probabilities of findings.

    A finding's metrics ("auroc:oedema") are those of a class with two values, on the cases in which it is
    known; patients are drawn over all cases, so that the findings' resamples are the same. "auroc" without a
    name is the mean over findings (macro average), and so are the other `AVERAGED`. A finding alone bears no
    name.

    Args:
        probabilities: (n, K) predicted probability of each finding.
        marks: (n, K) PRESENT, ABSENT or UNKNOWN.
        findings: The K names.
        clusters: (n,) the patient of each case.
        fold: (n,) the fold whose model predicted each case; see `prepare_classes`.
    """
    statistics: dict[str, Statistic] = {}
    refused: dict[str, str] = {}
    curves: list[CalibrationCurve] = []
    several = len(findings) > 1
    for place, name in enumerate(findings):
        rows = np.flatnonzero(marks[:, place] != UNKNOWN)
        outcome, risk = marks[rows, place] == PRESENT, probabilities[rows, place]
        own = _statistics(outcome, risk, fold[rows])
        suffix = f":{name}" if several else ""
        statistics |= {f"{kind}{suffix}": _among(rows, found) for kind, found in own.items()}
        holds = f"{name} in {'every case' if outcome.any() else 'no case'} that it is known of"
        refused |= {f"{kind}{suffix}": f"the test set holds {holds}" for kind in refused_kinds(outcome)}
        if "auroc" in own:
            curves.append(class_curve(name, outcome, risk))
    means: dict[str, Statistic] = {}
    for kind in AVERAGED if several else ():
        each = [statistics[f"{kind}:{name}"] for name in findings if f"{kind}:{name}" in statistics]
        if len(each) == len(findings):
            means[kind] = mean_of(each)
        else:
            refused[kind] = "it is not defined for every finding"
    return PreparedMetrics({**means, **statistics}, clusters, refused, tuple(curves))


def _statistics(outcome: NDArray[np.bool_], risk: Floats, fold: NDArray[np.int64]) -> dict[str, Statistic]:
    if not len(outcome):
        return {}
    label, both = outcome.astype(np.int64), np.column_stack([1.0 - risk, risk])
    found = {
        "brier": ratio_of(brier_statistic(label, both)),
        "log_loss": ratio_of(log_loss_statistic(label, both)),
    }
    return {**one_class_statistics(outcome, risk, fold), **found}


def _among(rows: NDArray[np.intp], statistic: Statistic) -> Statistic:
    """A statistic of the cases at `rows`, as a function of all cases' weights."""
    return lambda weights: statistic(weights[:, rows])
