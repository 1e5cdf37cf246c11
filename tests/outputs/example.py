"""A report whose every number is invented, to draw and to test with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from prognosis.outputs.estimate import Count, Estimate
from prognosis.outputs.patient_explanation import Driver, PatientExplanation, Receipt
from prognosis.outputs.patient_page import (
    Film,
    HorizonRisk,
    IncidenceCurve,
    Missing,
    NoteText,
    PatientPage,
    Sentence,
    Zone,
)
from prognosis.outputs.report_content import (
    Calibration,
    CohortTable,
    Contender,
    Leaderboard,
    Measure,
    Passage,
    Report,
    RiskGroup,
    RiskGroups,
    Subgroup,
    SubgroupTable,
)

ATTACK = "<script>alert('x')</script><img src=x onerror=alert(1)> costs $5 to $9 & more"
DAYS = np.linspace(0.0, 365.0, 40)


def incidence(rate: float) -> NDArray[np.float64]:
    return 1.0 - np.exp(-rate * DAYS / 365.0)


def curve(cause: str, rate: float) -> IncidenceCurve:
    return IncidenceCurve(cause, DAYS, incidence(rate), incidence(0.7 * rate), incidence(1.35 * rate))


def film() -> Film:
    y, x = np.mgrid[0:1:256j, 0:1:224j]
    lungs = sum(np.exp(-(((x - at) / 0.14) ** 2 + ((y - 0.5) / 0.3) ** 2)) for at in (0.3, 0.7))
    opacity = np.exp(-(((x - 0.72) / 0.09) ** 2 + ((y - 0.68) / 0.08) ** 2))
    texture = np.random.default_rng(7).normal(0, 0.03, x.shape)
    pixels = np.clip(0.75 - 0.6 * lungs + 0.4 * opacity + texture, 0, 1)
    gy, gx = np.mgrid[0:1:16j, 0:1:14j]
    evidence = 0.16 * np.exp(-(((gx - 0.72) / 0.12) ** 2 + ((gy - 0.68) / 0.1) ** 2))
    evidence -= 0.05 * np.exp(-(((gx - 0.3) / 0.15) ** 2 + ((gy - 0.35) / 0.2) ** 2))
    names = ("upper", "middle", "lower")
    worth = {("right", 0): -0.12, ("right", 1): -0.04, ("right", 2): 0.02}
    worth |= {("left", 0): 0.01, ("left", 1): 0.17, ("left", 2): 0.58}
    zones = tuple(
        Zone(
            f"{side} {names[row]} zone",
            0.1 + 0.27 * row,
            left,
            0.37 + 0.27 * row,
            left + 0.36,
            worth[side, row],
        )
        for side, left in (("right", 0.12), ("left", 0.52))
        for row in range(3)
    )
    return Film("Chest film, AP, 2020-03-02", "ImagingStudy/1.2.3", pixels, evidence, zones)


def drivers() -> tuple[Driver, ...]:
    named = (
        ("left lower zone", "film of 2020-03-02", "imaging", "ImagingStudy/1.2.3#left lower", 0.58),
        ("C reactive protein, last", "185 mg/L", "clinical", "Observation/crp-9", 0.44),
        ("findings", "Progression of the opacity in the left base.", "text", "DocumentReference/n1#2", 0.31),
        ("oxygen saturation, minimum", "88 %", "clinical", "Observation/spo2-4", 0.27),
        ("C reactive protein, slope", "+31 mg/L per day", "clinical", "Observation/crp-9", 0.19),
        ("left middle zone", "film of 2020-03-02", "imaging", "ImagingStudy/1.2.3#left middle", 0.17),
        ("lymphocytes, last", "1.9 10*9/L", "clinical", "Observation/lym-2", -0.22),
        ("findings", "No pleural effusion.", "text", "DocumentReference/n1#3", -0.14),
        ("right upper zone", "film of 2020-03-02", "imaging", "ImagingStudy/1.2.3#right upper", -0.12),
        ("age", "71 years", "clinical", "Patient/17", 0.11),
    )
    small = tuple(
        (f"laboratory value {i}", f"{i} mmol/L", "clinical", f"Observation/x-{i}", 0.01 * (-1) ** i)
        for i in range(9)
    )
    return tuple(
        Driver(name, detail, modality, "2020-03-02T08:15:00+00:00" if name != "age" else "", source, value)
        for name, detail, modality, source, value in (*named, *small)
    )


def explanation() -> PatientExplanation:
    total = -2.31 + sum(driver.contribution for driver in drivers())
    receipt = Receipt("closed-form Shapley values", "log-hazard", 2.2e-16, 0.0)
    return PatientExplanation("intensive care", -2.31, total, drivers(), receipt)


def patient() -> PatientPage:
    note = NoteText(
        "Radiology report, 2020-03-02",
        "DocumentReference/n1",
        (
            Sentence("Comparison with the film of 28 February."),
            Sentence("Progression of the opacity in the left base.", 0.31),
            Sentence("No pleural effusion.", -0.14),
            Sentence("Lines in place."),
        ),
    )
    return PatientPage(
        patient="example/17",
        index_time="2020-03-02 09:00 UTC",
        question="How likely is intensive care, and death, in the year after this chest film?",
        summary="71 years, female, example site",
        model_id="example-0.1",
        risks=(
            HorizonRisk("intensive care", 30.0, Estimate(0.23, 0.17, 0.31)),
            HorizonRisk("intensive care", 365.25, Estimate(0.38, 0.29, 0.47)),
            HorizonRisk("death", 30.0, Estimate(0.061, 0.032, 0.094)),
            HorizonRisk("death", 365.25, Estimate(0.19, 0.13, 0.26)),
        ),
        curves=(curve("intensive care", 0.48), curve("death", 0.21)),
        explanations=(explanation(),),
        films=(film(),),
        notes=(note,),
        missing=(Missing("procalcitonin", "none before the index", "interval narrower by about 2 points"),),
        modalities_used=("clinical", "text", "imaging"),
        interval_meaning="95% interval, 200 bootstrap refits of the read-outs over patients",
        free_for=("With 90% confidence free of death for at least 12 days (80%: 40 days)",),
        outcome="intensive care after 4 days",
    )


def abstaining_patient() -> PatientPage:
    return replace(
        patient(),
        patient="example/18",
        abstained_because="The film is blank, and without it the interval is wider than the task allows.",
        missing=(Missing("imaging", "film is blank", "interval narrower by about 9 points"),),
    )


def leaderboard() -> Leaderboard:
    rows = (
        ("all modalities (this model)", "ours", 0.772, None, ""),
        ("oracle of what was observed", "oracle", 0.811, -0.039, "knows the true hazard"),
        ("imaging alone", "single modality", 0.671, 0.101, ""),
        ("records alone", "single modality", 0.702, 0.07, ""),
        ("notes alone", "single modality", 0.613, 0.159, ""),
        ("Cox ridge", "baseline", 0.695, 0.077, "same folds"),
        ("age and sex", "baseline", 0.561, 0.211, ""),
    )
    contenders = tuple(
        Contender(
            name,
            kind,
            Estimate(value, value - 0.024, value + 0.022),
            None if gain is None else Estimate(gain, gain - 0.02, gain + 0.02),
            note,
        )
        for name, kind, value, gain, note in rows
    )
    return Leaderboard("Uno C at 365 days", 0.5, contenders, protocol="5 folds by patient, one seed.")


def risk_groups(cause: str) -> RiskGroups:
    steps = np.floor(DAYS / 30.0) * 30.0
    groups = []
    for name, rate in (("lowest third", 0.1), ("middle third", 0.3), ("highest third", 0.8)):
        observed = 1.0 - np.exp(-rate * steps / 365.0)
        band = 0.02 + 0.03 * steps / 365.0
        low, high = np.clip(observed - band, 0, 1), np.clip(observed + band, 0, 1)
        groups.append(RiskGroup(name, 133, DAYS, observed, low, high, incidence(1.05 * rate)))
    return RiskGroups(cause, tuple(groups))


def calibration(title: str) -> Calibration:
    predicted = np.array([0.04, 0.09, 0.15, 0.24, 0.41])
    observed = np.array([0.05, 0.08, 0.17, 0.22, 0.44])
    measures = (
        Measure("calibration slope", Estimate(1.04, 0.88, 1.21), "nearer 1", "below 1: too extreme"),
        Measure("observed / expected", Estimate(1.02, 0.91, 1.14), "nearer 1"),
    )
    counts = np.array([80, 80, 80, 80, 80])
    return Calibration(title, predicted, observed, observed - 0.04, observed + 0.05, counts, measures)


def report() -> Report:
    return Report(
        title="Intensive care and death after a chest film",
        question="How likely is intensive care, and death, in the year after this chest film?",
        evidence="simulation",
        evidence_statement="Every number on this page is invented, to show how a report looks.",
        model_id="example-0.1",
        created="2026-01-01 12:00 UTC",
        command="prognosis demo --out runs/demo",
        cohort=CohortTable(
            cases=1400,
            patients=1312,
            events=(Count("intensive care", 391), Count("death", 127)),
            censored=882,
            exclusions=(Count("no index event", 57), Count("younger than 18 years", 31)),
            quarantined=(Count("Observation without a unit", 4), Count("DICOM file cannot be decoded", 2)),
            sites=(Count("north", 800), Count("south", 600)),
            modalities=(Count("clinical", 1400), Count("imaging", 979), Count("text", 985)),
            characteristics=(("age, median (quartiles)", "68 (57 to 78) years"), ("female", "46%")),
        ),
        measures=(
            Measure(
                "Uno C at 365 days, intensive care", Estimate(0.772, 0.748, 0.794), "higher", "tau 365 days"
            ),
            Measure("integrated Brier score", Estimate(0.141, 0.133, 0.15), "lower", "IPCW, 0 to 365 days"),
        ),
        leaderboards=(leaderboard(),),
        calibrations=(calibration("Intensive care by 30 days"), calibration("Death by 1 year")),
        risk_groups=(risk_groups("intensive care"), risk_groups("death")),
        subgroups=(
            SubgroupTable(
                "Uno C at 365 days",
                (
                    Subgroup("sex", "female", 644, 171, Estimate(0.768, 0.732, 0.801)),
                    Subgroup("sex", "male", 756, 220, Estimate(0.775, 0.744, 0.805)),
                    Subgroup("site", "island", 31, 6, None),
                ),
            ),
        ),
        patients=(patient(), abstaining_patient()),
        intended_use="To be tried by data scientists on retrospective cohorts.",
        not_intended=("Deciding about a patient.", "Children."),
        limits=("One generated cohort.",),
        card=(Passage("Training", ("1,400 cases, five folds by patient.",)),),
        findings=(
            "All modalities together rank patients better than records alone, by 0.070.",
            "The oracle that sees the same data reaches 0.811.",
        ),
    )
