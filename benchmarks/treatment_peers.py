"""The effect for one patient beside econml's estimators and a T-learner that takes a censoring for an event.

`python -m benchmarks.treatment_peers [--patients 2000] [--seeds 5] [--out FILE]`

Cohorts whose true effect is known in closed form: ten covariates, an arm chosen by two of them, a time to the
event that is exponential, and the days of the first year free of it. The effect on the log-hazard is none,
constant, linear in a covariate, or a step. Everybody learns from the same patients and is judged on 5,000
others of the same seed by the root mean squared error of the days that the second arm gains or loses. Without
censoring econml's CausalForestDML, DRLearner and ForestDRLearner learn the days free of the event, with their
own defaults; with it (a third is lost, more of the sick) a T-learner of boosted trees takes the last day seen
for the day of the event, as one does who forgets censoring. Means over seeds with 95% intervals by Student's
t; seconds are processor time of all threads.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from scipy.stats import t as student

from prognosis.errors import MissingDependencyError
from prognosis.treatment import (
    ArmCases,
    Assignment,
    FollowUp,
    fit_boosted_effect,
    fit_corrected_effect,
    fit_individual_curves,
    score_difference,
    survival_effects,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Effect = Callable[[Floats], Floats]

TAU = 365.0
COVARIATES = 10
JUDGED = 5_000
ARMS = ("usual", "new")
OURS, BOOSTED, NAIVE = "prognosis", "prognosis, boosted trees", "T-learner, censored taken for events"

LOG_RATIOS: Mapping[str, Effect] = {
    "none": lambda x: np.zeros(len(x)),
    "constant": lambda x: np.full(len(x), -0.5),
    "linear": lambda x: -0.3 + 0.5 * x[:, 3],
    "step": lambda x: np.where(x[:, 3] > 0.5, 0.5, -0.6),
}


@dataclass(frozen=True, slots=True)
class Known:
    """Patients, their arms, what came of them, and what the second arm truly gains them.

    Attributes:
        covariates: (n, 10).
        arm: (n,) 0 or 1.
        days: (n,) to the event.
        lost: (n,) days to the end of observation, were nothing to happen before.
        effect: (n,) days of the first year free of the event that the second arm gains.
    """

    covariates: Floats
    arm: Ints
    days: Floats
    lost: Floats
    effect: Floats


def drawn(log_ratio: Effect, patients: int, seed: int) -> Known:
    """Patients of one seed."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(patients, COVARIATES))
    prognosis = 0.5 * x[:, 0] + 0.3 * x[:, 1] + 0.2 * (x[:, 2] ** 2 - 1.0)
    arm = (random.random(patients) < expit(0.7 * x[:, 0] + 0.5 * x[:, 4])).astype(np.int64)
    rates = np.exp(prognosis[:, None] + np.stack([np.zeros(patients), log_ratio(x)], axis=1)) / 400.0
    days = random.exponential(1.0 / rates[np.arange(patients), arm])
    lost = random.exponential(700.0 * np.exp(-0.3 * x[:, 0] - 0.3 * arm))
    free = -np.expm1(-rates * TAU) / rates
    return Known(x, arm, np.maximum(days, 1e-3), np.maximum(lost, 1e-3), free[:, 1] - free[:, 0])


def ours(known: Known, asked: Floats, *, censored: bool) -> dict[str, tuple[Floats, float]]:
    """Effects of `asked` by the corrected and by the boosted learner, with the seconds of each."""
    started = time.process_time()
    names = np.char.zfill(np.arange(len(known.arm)).astype(str), 6)
    cases = ArmCases(known.covariates, known.arm, ARMS, Assignment.OBSERVATIONAL, names)
    seen = np.minimum(known.days, known.lost) if censored else known.days
    cause = (known.days <= known.lost).astype(np.int64) if censored else np.ones(len(seen), np.int64)
    followed = FollowUp(seen, cause)
    found = survival_effects(cases, followed, TAU)
    shared = time.process_time() - started
    curves = fit_individual_curves(cases, followed, TAU, found.folds)
    corrected = fit_corrected_effect(found, curves, ARMS[1], ARMS[0]).effect(asked)
    first = time.process_time() - started
    difference = score_difference(found, ARMS[1], ARMS[0])
    boosted = fit_boosted_effect(known.covariates, difference, names, found.folds).effect(asked)
    return {OURS: (corrected, first), BOOSTED: (boosted, time.process_time() - started - first + shared)}


def econml_effects(known: Known, asked: Floats, seed: int) -> dict[str, tuple[Floats, float]]:
    """The same by econml, from days of the first year free of the event, nobody being censored.

    Raises:
        MissingDependencyError: econml is not installed.
    """
    try:
        from econml.dml import CausalForestDML
        from econml.dr import DRLearner, ForestDRLearner
    except ImportError as error:
        raise MissingDependencyError("econml", "is not installed", "install the extra 'causal'") from error
    learners = {
        "econml CausalForestDML": CausalForestDML(discrete_treatment=True, random_state=seed),
        "econml DRLearner": DRLearner(random_state=seed),
        "econml ForestDRLearner": ForestDRLearner(random_state=seed),
    }
    outcome = np.minimum(known.days, TAU)
    found = {}
    for name, learner in learners.items():
        started = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scikit-learn's, about names of columns and iterations
            learner.fit(outcome, known.arm, X=known.covariates)
            effect = np.asarray(learner.effect(asked), dtype=np.float64).ravel()
        found[name] = effect, time.process_time() - started
    return found


def naive_effects(known: Known, asked: Floats, seed: int) -> dict[str, tuple[Floats, float]]:
    """A T-learner of boosted trees on the days seen, whoever was lost taken for ended."""
    from xgboost import XGBRegressor

    started = time.process_time()
    seen = np.minimum(np.minimum(known.days, known.lost), TAU)
    means = []
    for arm in range(2):
        own = known.arm == arm
        trees = XGBRegressor(n_estimators=200, max_depth=3, learning_rate=0.05, random_state=seed, n_jobs=1)
        means.append(trees.fit(known.covariates[own], seen[own]).predict(asked).astype(np.float64))
    return {NAIVE: (means[1] - means[0], time.process_time() - started)}


def measured(patients: int, seeds: int) -> list[dict[str, Any]]:
    """A row for each effect, way of observation and method."""
    rows: list[dict[str, Any]] = []
    for name, log_ratio in LOG_RATIOS.items():
        for observed in ("uncensored", "censored"):
            errors: dict[str, list[float]] = defaultdict(list)
            seconds: dict[str, list[float]] = defaultdict(list)
            for seed in range(seeds):
                known, judged = drawn(log_ratio, patients, seed), drawn(log_ratio, JUDGED, 1_000 + seed)
                found = ours(known, judged.covariates, censored=observed == "censored")
                other = naive_effects if observed == "censored" else econml_effects
                found |= other(known, judged.covariates, seed)
                for method, (effect, taken) in found.items():
                    errors[method].append(float(np.sqrt(np.mean((effect - judged.effect) ** 2))))
                    seconds[method].append(taken)
            spread = float(judged.effect.std())
            rows += [
                {
                    "effect": name,
                    "observed": observed,
                    "method": method,
                    "error_days": _interval(errors[method]),
                    "beyond_ours": _interval(np.subtract(errors[method], errors[OURS])),
                    "seconds": float(np.median(seconds[method])),
                    "true_mean": float(judged.effect.mean()),
                    "true_spread": spread,
                }
                for method in errors
            ]
    return rows


def _interval(values: ArrayLike) -> tuple[float, float, float]:
    """Mean, and where its 95% interval begins and ends."""
    each = np.asarray(values, dtype=np.float64)
    reach = float(student.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each)))
    return float(each.mean()), float(each.mean()) - reach, float(each.mean()) + reach


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = [
        "| effect (mean, spread in days) | observed | method | error, days | beyond ours | seconds |",
        "|--|--|--|--:|--:|--:|",
    ]
    for row in rows:
        error, beyond = (
            "{:.1f} ({:.1f} to {:.1f})".format(*row[key]) for key in ("error_days", "beyond_ours")
        )
        truth = f"{row['effect']} ({row['true_mean']:.1f}, {row['true_spread']:.1f})"
        beyond = "" if row["method"] == OURS else beyond
        lines.append(
            f"| {truth} | {row['observed']} | {row['method']} | {error} | {beyond} | {row['seconds']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, write the rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.treatment_peers", description=__doc__)
    parser.add_argument("--patients", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=5, help="two or more")
    parser.add_argument("--out", type=Path, help="file for the JSON")
    asked = parser.parse_args()
    rows = measured(asked.patients, asked.seeds)
    print(table(rows))
    if asked.out is not None:
        asked.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
