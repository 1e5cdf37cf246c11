"""Statistics over several simulated runs: pairs within runs, patients of all runs resampled together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_risks import Calibrated
from prognosis.cohort import Target
from prognosis.survival.calibration import calibration_slope
from prognosis.survival.concordance import harrell_statistic
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import Statistic, Stratified, ratio_of


def concordance_over(targets: Sequence[Target], risks: Sequence[Floats]) -> Statistic:
    """Harrell's C of progression over runs, death censored; no pair reaches across runs.

    Args:
        targets: What happened to each run's judged patients.
        risks: (n,) risk of each run's patients; higher is worse.
    """
    sizes = np.cumsum([0, *(len(target) for target in targets)])
    rows = tuple(np.arange(first, last) for first, last in pairwise(sizes))
    statistics = tuple(
        harrell_statistic(target.days, target.cause, risk, competing="censored")
        for target, risk in zip(targets, risks, strict=True)
    )
    return ratio_of(Stratified(rows, statistics))


def slope_over(seen: Sequence[Calibrated]) -> Statistic:
    """The calibration slope over runs, of patients laid end to end."""
    outcome, known, risk = (
        np.concatenate([getattr(each, name) for each in seen]) for name in ("outcome", "known", "risk")
    )
    return calibration_slope(outcome, known, risk)


def clusters_over(patients: Sequence[NDArray[np.str_]], seen: Sequence[Calibrated]) -> NDArray[np.str_]:
    """The patient of each case of `slope_over`."""
    return np.concatenate([names[each.rows] for names, each in zip(patients, seen, strict=True)])
