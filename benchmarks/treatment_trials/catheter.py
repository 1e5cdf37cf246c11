"""Right heart catheters: nobody drew. What adjustment leaves of the difference, and what it assumes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.treatment_trials.balance import Balance, balance_numbers, balance_of, balance_tables
from benchmarks.treatment_trials.findings import Findings, Table, interval
from benchmarks.treatment_trials.published import CATHETER_ODDS, CONNORS_1996
from benchmarks.treatment_trials.sayings import words
from benchmarks.treatment_trials.tables import Trial
from prognosis.treatment import (
    ArmCases,
    ArmValues,
    EffectSettings,
    Estimate,
    SurvivalEffects,
    arm_values,
    e_value_of_risk_ratio,
    grounds,
    judge,
    overlap,
    survival_effects,
)
from prognosis.treatment.estimate import ratio_estimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DAYS = (30.0, 180.0)


def analyse(trial: Trial) -> tuple[Findings, SurvivalEffects, Balance]:
    """Deaths by day 30 and 180 with and without adjustment, with their E-values."""
    cases, followed = trial.cases, trial.followed
    settings = EffectSettings(days=(*np.arange(5.0, 180.0, 5.0), *DAYS))
    plain_settings = EffectSettings(adjusted=False, days=DAYS)
    effects = survival_effects(cases, followed, DAYS[-1], settings)
    plain = survival_effects(cases, followed, DAYS[-1], plain_settings)
    own = balance_of(trial, effects.followed.own)
    inside = ~own.found.outside
    risks = {}
    for day in DAYS:
        risks[day, "as it is"] = plain.incidence(day)
        risks[day, "adjusted"] = effects.incidence(day)
        risks[day, "adjusted, within the overlap alone"] = _among(effects, day, inside)
    died = followed.until(DAYS[0]).own
    risks[DAYS[0], "adjusted by weights alone"] = _weighted(cases, died, own.chance)
    tables = (
        *balance_tables(trial, own, effects.followed.own),
        _risks(risks, cases),
        _e_values(risks, cases),
    )
    numbers = {
        "balance": balance_numbers(own),
        "raised_weights": effects.raised,
        "risks": [
            {"day": day, "how": how, "values": dict(zip(found.arms, map(float, found.values), strict=True))}
            for (day, how), found in risks.items()
        ],
    }
    return (
        Findings(trial.name, (), tables, tuple(_sayings(trial, effects, own, risks)), numbers),
        effects,
        own,
    )


def odds_ratio(found: ArmValues, arm: str, reference: str) -> Estimate:
    """The ratio of two arms' odds, with the interval of its logarithm."""
    first, second = (found.arms.index(name) for name in (arm, reference))
    risk = found.values
    slope = np.zeros(len(risk))
    slope[first] += 1.0 / (risk[first] * (1.0 - risk[first]))
    slope[second] -= 1.0 / (risk[second] * (1.0 - risk[second]))
    odds = risk / (1.0 - risk)
    return ratio_estimate(float(odds[first] / odds[second]), float(np.sqrt(slope @ found.covariance @ slope)))


def _among(effects: SurvivalEffects, day: float, rows: Bools) -> ArmValues:
    """The risk by a day among some of the cases."""
    place = int(np.flatnonzero(np.isclose(effects.scores.days, day))[0])
    scores = effects.scores.incidence[rows][:, :, place]
    return arm_values(scores, effects.cases.arms, effects.cases.patients[rows], 1.0)


def _weighted(cases: ArmCases, died: Bools, chance: Floats) -> ArmValues:
    """Shares of the dead, each case weighed by one over its chance of its arm, with no outcome model.

    Nothing is weighed for censoring: it is asked at day 30 alone, before which 8 of 5,735 patients were lost,
    who count as alive. By day 180 it were 144.
    """
    scores = np.zeros((len(cases), len(cases.arms)))
    for number in range(len(cases.arms)):
        weight = (cases.arm == number) / chance[:, number]
        share = float((weight * died).sum() / weight.sum())
        scores[:, number] = share + weight / weight.mean() * (died - share)
    return arm_values(scores, cases.arms, cases.patients, 1.0)


def _risks(risks: dict[tuple[float, str], ArmValues], cases: ArmCases) -> Table:
    reference, arm = cases.arms
    header = ("death by day", "how", reference, arm, "difference", "risk ratio", "odds ratio")
    rows = [
        (
            f"{day:.0f}",
            how,
            interval(found.of(reference), 3),
            interval(found.of(arm), 3),
            interval(found.difference(arm, reference), 3),
            interval(found.ratio(arm, reference)),
            interval(odds_ratio(found, arm, reference)),
        )
        for (day, how), found in sorted(risks.items(), key=lambda each: each[0][0])
    ]
    value, low, high = CATHETER_ODDS
    published = f"{value:.2f} ({low:.2f} to {high:.2f})"
    rows.append(
        ("30", f"published: pairs matched on a propensity score ({CONNORS_1996})", "", "", "", "", published)
    )
    return Table("Deaths by arm", header, tuple(rows))


def _e_values(risks: dict[tuple[float, str], ArmValues], cases: ArmCases) -> Table:
    reference, arm = cases.arms
    rows = []
    for (day, how), found in risks.items():
        if how != "adjusted":
            continue
        value = e_value_of_risk_ratio(found.ratio(arm, reference))
        rows.append((f"{day:.0f}", f"{value.value:.2f}", f"{value.limit:.2f}"))
    header = ("death by day", "of the estimate", "of the end of its interval nearer to no effect")
    return Table("E-values of the adjusted risk ratios", header, tuple(rows))


def _sayings(
    trial: Trial, effects: SurvivalEffects, own: Balance, risks: dict[tuple[float, str], ArmValues]
) -> list[str]:
    cases = trial.cases
    reference, arm = cases.arms
    found = risks[30.0, "adjusted"]
    gap = found.difference(arm, reference)
    e_value = e_value_of_risk_ratio(found.ratio(arm, reference))
    mean = effects.restricted_mean()
    rests_on = grounds(cases, overlap(cases, effects.propensity), effects.followed.own)
    outside = int(own.found.outside.sum())
    weighed = float((overlap(cases, effects.propensity).effective / np.bincount(cases.arm)).min())
    verdict = words(judge(rests_on, arm, reference, mean.difference(arm, reference)), 1)
    return [
        f"Under the assumption that nothing beside the {len(trial.names)} columns read here made both the "
        f"choice of a catheter and death, {interval(gap, 3)} more of all patients would have died within 30 "
        "days with a catheter than without. The data cannot show whether that holds: physicians saw the "
        "patient, and the table did not.",
        f"An unseen cause that goes with both the catheter and death by a risk ratio of {e_value.value:.2f} "
        f"each could make the whole of it; one of {e_value.limit:.2f} would let the interval reach no "
        "difference.",
        f"{outside} of {len(cases)} patients ({outside / len(cases):.1%}) had a chance of one arm below "
        "0.05: of them the average over all patients is extrapolated. The weights leave the worth of "
        f"{weighed:.0%} of an arm's cases.",
        f"`judge`, on the days of the first 180 alive, under the same assumption: {verdict}",
    ]
