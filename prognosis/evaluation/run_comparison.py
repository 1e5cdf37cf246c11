"""The first method against each other one on one cohort: over resampled patients, and over folds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prognosis.evaluation.comparison import nadeau_bengio
from prognosis.evaluation.judged_runs import JudgedRuns
from prognosis.evaluation.leaderboard import FoldComparison
from prognosis.evaluation.results import Comparison
from prognosis.survival.bootstrap import interval_of


def over_patients(first: str, judged: Mapping[str, JudgedRuns]) -> tuple[Comparison, ...]:
    """The first method minus each other one, on the same resampled patients; nothing if it gave nothing."""
    if first not in judged:
        return ()
    found: list[Comparison] = []
    own = judged[first]
    for other, its in judged.items():
        for metric in own.drawn:
            if other == first or metric not in its.drawn:
                continue
            gap = own.result.metrics[metric].value - its.result.metrics[metric].value
            difference = interval_of(gap, own.drawn[metric] - its.drawn[metric])
            found.append(Comparison(first, other, metric, difference))
    return tuple(found)


def over_folds(
    first: str, judged: Mapping[str, JudgedRuns], n: int, folds: int
) -> tuple[FoldComparison, ...]:
    """The first method minus each other one over all folds of all repeats, by the corrected resampled t-test.

    Args:
        first: The method.
        judged: Every method.
        n: Cases of the cohort.
        folds: Folds of a repeat; a fold that does not define the metric for both is left out.
    """
    if first not in judged:
        return ()
    found: list[FoldComparison] = []
    own = judged[first].fold_values
    for other, its in judged.items():
        for metric in own:
            if other == first or metric not in its.fold_values:
                continue
            gaps = (own[metric] - its.fold_values[metric]).ravel()
            gaps = gaps[np.isfinite(gaps)]
            if len(gaps) > 1:
                corrected = nadeau_bengio(gaps, n - n // folds, n // folds)
                found.append(FoldComparison(first, other, metric, len(gaps), corrected))
    return tuple(found)
