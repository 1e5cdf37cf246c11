"""What each arm would do for a patient, every number invented: of one arm nothing is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from prognosis.comparison.answer import (
    DAYS,
    PROBABILITY,
    RATIO,
    ArmAnswer,
    ArmBasis,
    ArmCurve,
    ArmRisk,
    Basis,
    Contrast,
    ContrastExplanation,
    Number,
    TreatmentAnswer,
    Why,
)
from prognosis.explanation import Attribution, drivers_of

INDEX = datetime(2020, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
USUAL, NEW, RARE = "usual care", "new drug", "rare drug"
FEW = Why("too few cases", "it was given to 12 effective cases, and 40 are wanted")
SAME = Why(
    "the interval holds 0",
    "new drug and usual care may not differ (the interval of their difference holds 0)",
)


def days(value: float, reach: float) -> Number:
    return Number(value, value - reach, value + reach, 0.95, DAYS)


def arm(name: str, worth: float, risk: float) -> ArmAnswer:
    """One of which something is said."""
    grid = np.array([30.0, 180.0, 365.0])
    incidence = risk * grid / 365.0
    curve = ArmCurve(grid, incidence, 0.8 * incidence, 1.2 * incidence, 0.95)
    told = ArmRisk(365.0, Number(risk, 0.8 * risk, 1.2 * risk, 0.95, PROBABILITY))
    return ArmAnswer(name, 300, 120, 0.48, days(worth, 20.0), (told,), curve)


def why() -> ContrastExplanation:
    """Two sources, one for each arm."""
    told = tuple(
        Attribution("text", name, "stated", source, INDEX.isoformat(), adds, 0.0, name)
        for name, source, adds in (
            ("oedema", "DocumentReference/n1#3", 31.5),
            ("C reactive protein", "Observation/crp-9", -11.5),
        )
    )
    return ContrastExplanation(DAYS, 10.0, 30.0, told, drivers_of(told), 0.0)


def contrast(one: str, other: str, *, said: bool) -> Contrast:
    return Contrast(
        one,
        other,
        days(30.0, 45.0) if said else None,
        Number(1.1, 0.9, 1.3, 0.95, RATIO) if said else None,
        days(21.0, 12.0),
        Number(0.9, 0.8, 1.02, 0.95, RATIO),
        (1.46, 1.0),
        "",
        SAME if said else FEW,
        why() if said else None,
    )


def comparison() -> TreatmentAnswer:
    """Of three arms, the last withheld; chosen by people; with a grace period of two weeks."""
    arms = (
        arm(USUAL, 290.0, 0.31),
        arm(NEW, 320.0, 0.18),
        ArmAnswer(RARE, 30, 9, 0.04, None, withheld=FEW),
    )
    average = {USUAL: 288.0, NEW: 309.0, RARE: 300.0}
    basis = Basis(
        630,
        600,
        "observational",
        tuple(
            ArmBasis(each.name, each.cases, 250.0, each.events, 0.03, days(average[each.name], 9.0))
            for each in arms
        ),
        {"no arm began in time": 14},
        0.06,
        0.9,
        0.08,
        0.01,
        days(2.0, 6.0),
        NEW,
    )
    return TreatmentAnswer(
        patient_id="17",
        site="",
        index_time=INDEX,
        model_id="ward-1f2e3d4c",
        question="What does the drug change in the time to death?",
        outcome="death",
        worth_is="days of the first 365 free of death",
        ratio_is="risk of death by 365 days, lower is better",
        unit=DAYS,
        horizon_days=365.0,
        starts_after_days=14.0,
        arms=arms,
        contrasts=(contrast(NEW, USUAL, said=True), contrast(RARE, USUAL, said=False)),
        better="",
        undecided=SAME,
        refused=None,
        basis=basis,
        assumptions=("An arm is what it was in the cohort.",),
        cautions=("the film may be mirrored", "imaging is missing"),
        unanswered={3650.0: "nobody was followed so long"},
        modalities_used=("clinical", "text"),
        modalities_missing={"imaging": "no study"},
    )


def response() -> TreatmentAnswer:
    """The same question of a response: a probability, no curve."""
    given = comparison()
    arms = tuple(
        replace(
            each,
            worth=None if each.worth is None else Number(0.4, 0.3, 0.52, 0.95, PROBABILITY),
            risks=(),
            curve=None,
        )
        for each in given.arms
    )
    return replace(
        given,
        arms=arms,
        contrasts=(),
        outcome="improved",
        worth_is="probability of improved",
        ratio_is="probability of improved, higher is better",
        unit=PROBABILITY,
        horizon_days=None,
        starts_after_days=0.0,
        basis=None,
    )


def refusal() -> TreatmentAnswer:
    """No arm is compared."""
    given, reason = comparison(), Why("unlike the cohort", "the patient is unlike everybody in the cohort")
    return replace(
        given,
        arms=tuple(replace(each, worth=None, risks=(), curve=None, withheld=reason) for each in given.arms),
        contrasts=(),
        undecided=reason,
        refused=reason,
    )
