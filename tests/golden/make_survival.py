"""Write survival.json: what independent implementations say of the cohorts our statistics are tested on.

Run by hand, from the repository, where all of them are installed; nothing of the project imports any:

    python -m tests.golden.make_survival

| of | values |
|--|--|
| `by_hand.py` beside this file | every statistic, from the formula of its paper, by loops over people |
| scikit-survival 0.28 (GPL) | Harrell's and Uno's C, AUC, Brier, IBS, G(t) |
| lifelines 0.30 | Kaplan-Meier, Nelson-Aalen, restricted mean |
| statsmodels 0.15 | Aalen-Johansen and its standard error, Greenwood's, calibration slope, ICI, E50, E90 |
| pycox 0.3 | Antolini's C (equal risks as discordant), binomial log-likelihood |
| SurvivalEVAL 0.9 (GPL) | Antolini's C, D-calibration, AJ-calibration |
| torchsurv 0.2 | Harrell's C |
| dcurves 1.1 | net benefit |

A package that refuses a cohort (or means something else by a tie, see the code) has no value for it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden import by_hand, packages
from tests.golden.cohorts import PACKAGED, Cohort, made_up, packaged

HERE = Path(__file__).parent
THRESHOLDS = (0.05, 0.2, 0.5, 0.8)
BINS = 10
FEW = 260
"""Above this many people, what takes loops within loops within loops is left to the packages."""


def hand_values(cohort: Cohort) -> dict[str, Any]:
    """Every statistic by `by_hand`."""
    days, cause = cohort.days.tolist(), cohort.cause.tolist()
    times, tau = cohort.times().tolist(), cohort.tau()
    causes = int(max(cause))

    @lru_cache(maxsize=4096)
    def column(t: float) -> list[float]:
        return cohort.incidence(np.array([t]))[:, 0, 0].tolist()

    people = by_hand.People(days, cause, lambda i, t: column(t)[i])
    average = by_hand.People(days, cause, lambda i, t: by_hand.incidence(days, cause, 1, t))
    horizon = times[len(times) // 2]
    found: dict[str, Any] = {
        "event_free": [by_hand.event_free(days, cause, t) for t in times],
        "incidence": [[by_hand.incidence(days, cause, k, t) for t in times] for k in range(1, causes + 1)],
        "uncensored": [by_hand.uncensored(days, cause, t, before=False) for t in times],
        "brier": [by_hand.brier(people, t) for t in times],
        "nbll": [by_hand.surprise(people, t) for t in times],
        "ibs": by_hand.over_time(lambda t: by_hand.brier(people, t), times),
        "ibs_of_average": by_hand.over_time(lambda t: by_hand.brier(average, t), times),
        "integrated_nbll": by_hand.over_time(lambda t: by_hand.surprise(people, t), times),
        "net_benefit": [by_hand.net_benefit(people, horizon, p) for p in THRESHOLDS],
        "treat_all": [treat_all(days, cause, horizon, p) for p in THRESHOLDS],
        "observed_over_expected": [
            by_hand.incidence(days, cause, 1, t) * len(days) / sum(column(t)) for t in times
        ],
        "bins": [list(each) for each in by_hand.bins_of(people, horizon, BINS)],
        "d_calibration": by_hand.d_calibration(own_survival(cohort), [kind > 0 for kind in cause], BINS),
        "aj_calibration": [by_hand.aj_calibration(people, times, power) for power in (1.0, 2.0)],
        "days_lost": [by_hand.days_lost(days, cause, k, tau) for k in range(1, causes + 1)],
        "restricted_mean_variance": by_hand.restricted_mean_variance(days, [k > 0 for k in cause], tau),
    }
    for competing in ("event_free", "censored"):
        found[f"auc:{competing}"] = [by_hand.auc(people, t, competing) for t in times]
        found |= concordances(cohort, people, competing, tau)
    if len(days) <= FEW:
        found["days_lost_variance"] = [days_lost_variance(cohort, k, tau) for k in range(1, causes + 1)]
    return found


def concordances(cohort: Cohort, people: by_hand.People, competing: str, tau: float) -> dict[str, float]:
    """Harrell's, Uno's and Antolini's, with the linear risk or the predicted curves as marker."""
    fixed = cohort.risk.tolist()

    def of(marker: Callable[[int, float], float], end: float, weight: Callable[[int, int], float]) -> float:
        return by_hand.concordance(people, marker, competing, end, weight)

    uno = by_hand.uno_weight(people)
    return {
        f"harrell:{competing}": of(lambda i, _: fixed[i], np.inf, lambda i, j: 1.0),
        f"uno:{competing}": of(lambda i, _: fixed[i], tau, uno),
        f"antolini:{competing}": of(people.risk, tau, lambda i, j: 1.0),
    }


def treat_all(days: list[float], cause: list[int], t: float, threshold: float) -> float:
    """Net benefit of acting on everyone."""
    return by_hand.net_benefit(by_hand.People(days, cause, lambda i, t: 1.0), t, threshold)


def own_survival(cohort: Cohort) -> list[float]:
    """The predicted chance of no event by the end of each person's follow-up."""
    each = cohort.incidence(np.unique(cohort.days)).sum(axis=1)
    column = np.searchsorted(np.unique(cohort.days), cohort.days)
    return (1.0 - each[np.arange(len(column)), column]).tolist()


def days_lost_variance(cohort: Cohort, k: int, tau: float) -> float:
    """Infinitesimal jackknife by moving one person's weight a little, on the weighted estimator."""
    step, total = 1e-5, 0.0
    for i in range(len(cohort.days)):
        areas = []
        for sign in (1.0, -1.0):
            weights = np.ones(len(cohort.days))
            weights[i] += sign * step
            areas.append(weighted_days_lost(cohort, weights, k, tau))
        total += ((areas[0] - areas[1]) / (2.0 * step)) ** 2
    return total


def weighted_days_lost(cohort: Cohort, weights: np.ndarray, k: int, tau: float) -> float:
    """Sum over event days before tau of the jump of the weighted Aalen-Johansen curve times days left."""
    free, area = 1.0, 0.0
    for day in np.unique(cohort.days[(cohort.cause > 0) & (cohort.days < tau)]):
        at_risk, today = weights[cohort.days >= day].sum(), cohort.days == day
        area += free * weights[today & (cohort.cause == k)].sum() / at_risk * (tau - day)
        free *= 1.0 - weights[today & (cohort.cause > 0)].sum() / at_risk
    return area


def main() -> None:
    """Write the file."""
    warnings.simplefilter("ignore")
    lines = []
    for name, cohort in made_up().items():
        stored = {
            "name": name,
            "days": cohort.days.tolist(),
            "cause": cohort.cause.tolist(),
            "risk": cohort.risk.tolist(),
        }
        lines.append(stored | judged(cohort))
    for name in PACKAGED:
        cohort = packaged(name)
        if cohort is None:
            raise SystemExit(f"{name}: its package is not installed")
        lines.append({"name": name} | judged(cohort))
    text = ",\n".join(json.dumps(line, allow_nan=False) for line in lines)
    (HERE / "survival.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")


def judged(cohort: Cohort) -> dict[str, Any]:
    """Both kinds of values of one cohort, and the days they are at."""
    return {
        "times": cohort.times().tolist(),
        "tau": cohort.tau(),
        "by_hand": hand_values(cohort),
        "packages": packages.values(cohort),
    }


if __name__ == "__main__":
    main()
