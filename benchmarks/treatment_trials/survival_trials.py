"""Randomised trials of a time to an event: what our estimate makes of them, beside the trial as it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.treatment_trials import independent
from benchmarks.treatment_trials.balance import Balance, balance_numbers, balance_of, balance_tables
from benchmarks.treatment_trials.findings import Contrast, Findings, Table, interval
from benchmarks.treatment_trials.published import HAZARD_RATIOS
from benchmarks.treatment_trials.sayings import said_of
from benchmarks.treatment_trials.tables import Trial
from prognosis.treatment import (
    Estimate,
    FollowUp,
    SurvivalEffects,
    cumulative_hazard_ratio,
    fit_linear_effect,
    hazard_ratio,
    score_difference,
    survival_effects,
)
from prognosis.treatment.effects import arm_values

Floats = NDArray[np.float64]


def analyse(trial: Trial, tau: float) -> tuple[Findings, SurvivalEffects, Balance]:
    """Contrasts, balance, and what may be said; the estimate itself for figures and what follows.

    Args:
        trial: Its cases.
        tau: The horizon in days.
    """
    followed = trial.followed
    effects = survival_effects(trial.cases, followed, tau)
    happened = effects.followed.own
    own = balance_of(trial, happened)
    mean = effects.restricted_mean()
    said = [*said_of(effects.cases, mean, happened, effects.propensity, 0), *_one_by_one(effects)]
    tables = [*balance_tables(trial, own, happened), _curves(effects)]
    if independent.clustered(trial.cases):
        table, sentence = _pairs(trial, effects)
        tables.append(table)
        said.append(sentence)
    numbers = {
        "tau_days": tau,
        "left_out": dict(trial.arms.left_out),
        "balance": balance_numbers(own),
        "raised_weights": effects.raised,
    }
    return (
        Findings(trial.name, contrasts(trial, effects, followed), tuple(tables), tuple(said), numbers),
        effects,
        own,
    )


def analyse_either(trial: Trial, tau: float) -> Findings:
    """The first of any cause as the one event, which Kaplan-Meier and Cox can stand beside."""
    followed = FollowUp(trial.followed.days, (trial.followed.cause > 0).astype(np.int64))
    effects = survival_effects(trial.cases, followed, tau)
    title = f"{trial.name}: whichever came first, {' or '.join(trial.task.causes)}"
    mean = effects.restricted_mean()
    said = said_of(effects.cases, mean, effects.followed.own, effects.propensity, 0)
    return Findings(title, contrasts(trial, effects, followed), (_curves(effects),), tuple(said))


def contrasts(trial: Trial, effects: SurvivalEffects, followed: FollowUp) -> tuple[Contrast, ...]:
    """Every pair of arms: days gained, hazard ratio to the horizon, hazard ratio of the whole follow-up."""
    cases, tau = trial.cases, effects.tau_days
    alone = not followed.competing.any()
    found = []
    for arm, reference in effects.restricted_mean().pairs():
        if alone:
            gained = independent.mean_difference(cases, followed, arm, reference, tau)
            ours = effects.restricted_mean().difference(arm, reference)
            found.append(Contrast(f"days gained of {tau:.0f}", arm, reference, ours, gained, digits=0))
            ratio = cumulative_hazard_ratio(effects.survival(), arm, reference)
            cox = independent.cox_ratio(cases, followed.until(tau), arm, reference)
            found.append(Contrast(f"hazard ratio to day {tau:.0f}", arm, reference, ratio, cox))
        plain = hazard_ratio(cases, followed, arm, reference)
        stated = HAZARD_RATIOS.get((trial.name, arm)) if reference == cases.arms[0] else None
        published = "" if stated is None else f"{stated[0]:.2f} ({stated[1]})"
        whole = independent.cox_ratio(cases, followed, arm, reference)
        found.append(Contrast("Cox's hazard ratio, all follow-up", arm, reference, plain, whole, published))
    return tuple(found)


def _curves(effects: SurvivalEffects) -> Table:
    """Each arm's risk by the horizon and its restricted mean."""
    risk, mean = effects.incidence(), effects.restricted_mean()
    rows = [(arm, interval(risk.of(arm), 3), interval(mean.of(arm), 0)) for arm in effects.cases.arms]
    tau = effects.tau_days
    return Table(
        "If everybody were given the arm",
        ("arm", f"risk by day {tau:.0f}", f"days of {tau:.0f} kept"),
        tuple(rows),
    )


def _one_by_one(effects: SurvivalEffects) -> list[str]:
    """How many of the patients, asked one by one, have an interval of the difference that leaves out 0."""
    cases = effects.cases
    said = []
    for arm, reference in effects.restricted_mean().pairs():
        gap = score_difference(effects, arm, reference)
        model = fit_linear_effect(cases.covariates, gap, cases.patients, effects.folds)
        value, error = model.effect(cases.covariates), model.standard_error(cases.covariates)
        better, worse = (float((sign * value > 1.96 * error).mean()) for sign in (1.0, -1.0))
        said.append(
            f"asked one by one, {better:.0%} of the cases have an interval in favour of {arm} against "
            f"{reference}, {worse:.0%} one against it "
            f"(effects from {value.min():.0f} to {value.max():.0f} days)"
        )
    return said


def _pairs(trial: Trial, effects: SurvivalEffects) -> tuple[Table, str]:
    """What becomes of the interval when two cases of one patient are taken for two people."""
    cases, followed = trial.cases, trial.followed
    alone = np.arange(len(cases)).astype(str)
    arm, reference = cases.arms[1], cases.arms[0]
    apart = arm_values(effects.mean_scores, cases.arms, alone, effects.tau_days).difference(arm, reference)
    own = effects.restricted_mean().difference(arm, reference)
    ratios = [
        independent.cox_ratio(cases, followed, arm, reference, by_patient=together)
        for together in (True, False)
    ]
    rows = (
        ("days gained, ours", interval(own, 0), interval(apart, 0), _ratio(own, apart)),
        ("hazard ratio, lifelines", interval(ratios[0]), interval(ratios[1]), _ratio(*ratios)),
    )
    header = (
        "quantity",
        "by patient",
        "as if every case were a patient",
        "standard error, by patient over not",
    )
    share = own.standard_error / apart.standard_error
    sentence = f"the interval by patient is {share:.2f} as wide as that which takes every case for a patient"
    return Table("Two cases a patient", header, rows), sentence


def _ratio(first: Estimate, second: Estimate) -> str:
    return f"{first.standard_error / second.standard_error:.2f}"
