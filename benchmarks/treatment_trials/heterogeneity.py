"""Whether the effect differs between patients, and what the method finds where arms were shuffled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.treatment_trials.findings import Findings, Table, interval
from benchmarks.treatment_trials.tables import Trial
from prognosis.survival.calibration import wilson_interval
from prognosis.treatment import (
    ArmCases,
    ResponseEffects,
    SurvivalEffects,
    benefit_calibration,
    best_arm,
    best_linear_projection,
    effect_out_of_fold,
    policy_value,
    ranking_value,
    score_difference,
)
from prognosis.treatment.effects import arm_values
from prognosis.treatment.negative_controls import shuffled

Effects = SurvivalEffects | ResponseEffects
Estimator = Callable[[ArmCases], Effects]


@dataclass(frozen=True, slots=True)
class Shuffles:
    """What was found in trials whose arms were shuffled, of `asked` intervals each: there is nothing to find.

    Attributes:
        asked: Intervals: shuffles times arms beside the reference.
        averages: Of them, those of the average effect that leave out 0.
        rankings: Those of the Qini coefficient that lie above 0.
        against: Those of the Qini coefficient that lie below 0.
    """

    asked: int
    averages: int
    rankings: int
    against: int


def differing(trial: Trial, effects: Effects, named: Sequence[str], digits: int = 1) -> Findings:
    """Rankings by predicted effect, their calibration, the worth of choosing by them, and named modifiers.

    Args:
        trial: Its cases.
        effects: The estimate of each arm.
        named: Covariates by which the effect was asked for before, each by itself.
        digits: To print.
    """
    cases, reference = trial.cases, trial.cases.arms[0]
    ranked, slopes, numbers = [], [], {}
    for arm in cases.arms[1:]:
        gap = score_difference(effects, arm, reference)
        predicted = effect_out_of_fold(effects, arm, reference)
        worth = ranking_value(predicted, gap, cases.patients)
        benefit = benefit_calibration(predicted, gap, cases.patients).slope
        ranked.append(
            (
                f"{arm} against {reference}",
                interval(worth.qini, digits),
                interval(worth.autoc, digits),
                "" if benefit is None else interval(benefit),
            )
        )
        numbers[arm] = {
            kind: [each.value, each.low, each.high]
            for kind, each in (("qini", worth.qini), ("autoc", worth.autoc))
        }
        for name in named:
            found = best_linear_projection(trial.column(name)[:, None], gap, cases.patients)
            slopes.append((f"{arm} against {reference}", name, interval(found.slopes[0], digits)))
    tables = (
        Table(
            "Rankings by predicted effect, out of fold (0: no better than chance)",
            ("arms", "Qini coefficient", "AUTOC", "slope of observed on predicted effect (1 is right)"),
            tuple(ranked),
        ),
        Table(
            "Change of the effect per standard deviation of one covariate, each by itself",
            ("arms", "covariate", "change of the effect"),
            tuple(slopes),
        ),
    )
    return Findings(
        f"{trial.name}: who gains more", (), tables, (_policy(effects, digits),), {"rankings": numbers}
    )


def _policy(effects: Effects, digits: int) -> str:
    """What giving each patient the arm predicted best gains on giving everybody one arm."""
    cases = effects.cases
    reference = cases.arms[0]
    gains = np.zeros((len(cases), len(cases.arms)))
    for place, arm in enumerate(cases.arms[1:], 1):
        gains[:, place] = effect_out_of_fold(effects, arm, reference)
    value = policy_value(effects.mean_scores, best_arm(gains), cases.arms, cases.patients)
    best = min(value.gain, key=lambda name: value.gain[name].value)
    shares = ", ".join(f"{arm} to {share:.0%}" for arm, share in value.shares.items())
    gain = interval(value.least_gain, digits)
    rule = f"the arm predicted best for each ({shares})"
    return f"{rule} gains {gain} on giving everybody {best}, the best of them"


def shuffles(cases: ArmCases, estimator: Estimator, times: int, seed: int = 0) -> Shuffles:
    """Estimate the same cases again and again with shuffled arms.

    Args:
        cases: Who was given which arm.
        estimator: From cases to the estimate.
        times: Shuffles.
        seed: Of the shuffles.
    """
    rng = np.random.default_rng(seed)
    counted = np.zeros(3, dtype=np.int64)
    for _ in range(times):
        effects = estimator(cases.with_arm(shuffled(cases, rng)))
        own = effects.cases
        mean = arm_values(effects.mean_scores, own.arms, own.patients)
        for arm in own.arms[1:]:
            gap = score_difference(effects, arm, own.arms[0])
            qini = ranking_value(
                effect_out_of_fold(effects, arm, own.arms[0]), gap, own.patients, replicates=200
            ).qini
            found = (mean.difference(arm, own.arms[0]).excludes(0.0), qini.low > 0.0, qini.high < 0.0)
            counted += np.array(found, dtype=np.int64)
    return Shuffles(times * (len(cases.arms) - 1), int(counted[0]), int(counted[1]), int(counted[2]))


def shuffle_table(found: dict[str, Shuffles]) -> Table:
    """False findings by trial; an interval at 95% leaves out the truth in one of twenty."""
    rows = [
        (
            name,
            str(own.asked),
            _share(own.averages, own.asked),
            _share(own.rankings, own.asked),
            _share(own.against, own.asked),
        )
        for name, own in found.items()
    ]
    header = (
        *("task", "intervals", "average effect leaves out 0 (5% expected)"),
        *("Qini above 0 (2.5% expected)", "Qini below 0 (no finding, see the page)"),
    )
    return Table("Arms shuffled: what is found where there is nothing", header, tuple(rows))


def _share(count: int, of: int) -> str:
    low, high = wilson_interval(np.array([count / of]), np.array([float(of)]))
    return f"{count / of:.1%} ({low[0]:.1%} to {high[0]:.1%})"
