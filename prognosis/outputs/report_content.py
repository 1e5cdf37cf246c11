"""What a report holds: the cohort, how the model was judged on it, and the patients shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prognosis.outputs.estimate import Count, Estimate
from prognosis.outputs.landmark_curves import LandmarkCurves
from prognosis.outputs.patient_page import PatientPage


@dataclass(frozen=True, slots=True)
class CohortTable:
    """Who was asked about.

    Attributes:
        cases: Questions asked (a patient may be asked about more than once).
        patients: Different people.
        events: First events by cause; for a class, cases by class.
        censored: Cases followed without an event; 0 for a class.
        exclusions: Left out, by reason, worded for a flow diagram.
        quarantined: Resources that could not be read, by reason.
        sites: Cases by site.
        modalities: Cases that have each modality.
        characteristics: Further rows as text: ("age, median (quartiles)", "68 (57 to 78) years").
    """

    cases: int
    patients: int
    events: tuple[Count, ...]
    censored: int
    exclusions: tuple[Count, ...] = ()
    quarantined: tuple[Count, ...] = ()
    sites: tuple[Count, ...] = ()
    modalities: tuple[Count, ...] = ()
    characteristics: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of performance.

    Attributes:
        name: "Uno C at 90 days, intensive care".
        estimate: With its interval.
        better: Which way is good.
        meaning: In words, with what fixes it (tau, grid, censoring estimator).
    """

    name: str
    estimate: Estimate
    better: Literal["higher", "lower", "nearer 0", "nearer 1", "nearer its level"]
    meaning: str = ""


ContenderKind = Literal["ours", "single modality", "some modalities", "baseline", "oracle"]


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the leaderboard.

    Attributes:
        name: "all modalities", "imaging alone", "Cox ridge", "oracle of what was observed".
        kind: What it is, which decides its mark in the figure.
        estimate: On the leaderboard's measure.
        gain: Ours minus this one, paired over the same patients; None for ours.
        note: What a reader should know: "knows the true hazard".
    """

    name: str
    kind: ContenderKind
    estimate: Estimate
    gain: Estimate | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Everyone on the same patients.

    Attributes:
        measure: What is compared: "Uno C at 90 days".
        chance: The value of knowing nothing, drawn as a line; None where there is none.
        contenders: In the order to be shown.
        higher_is_better: False for the Brier score.
        protocol: How it was run: folds, seeds, what was tuned.
    """

    measure: str
    chance: float | None
    contenders: tuple[Contender, ...]
    higher_is_better: bool = True
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Predicted against observed risk in groups of equal size.

    Attributes:
        title: "Intensive care by 30 days".
        predicted: (g,) mean predicted risk, increasing.
        observed: (g,) observed risk (Aalen-Johansen, or the share for a class).
        low: (g,) lower end of the observed risk's 95% interval (Wilson's, of the effective number of cases).
        high: (g,) upper end of it.
        counts: (g,) cases in each group.
        measures: Slope, intercept, O/E, ICI: whatever was computed.
    """

    title: str
    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    counts: NDArray[np.int64]
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """One group of patients by predicted risk; every array is on `days`.

    Attributes:
        name: "highest third".
        cases: How many.
        days: (t,) increasing.
        observed: (t,) Aalen-Johansen cumulative incidence.
        low: (t,) lower end of its interval.
        high: (t,) upper end of its interval.
        predicted: (t,) mean predicted cumulative incidence.
    """

    name: str
    cases: int
    days: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    predicted: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskGroups:
    """Observed and predicted incidence of one cause, in groups from lowest to highest risk."""

    title: str
    groups: tuple[RiskGroup, ...]


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One subgroup; `estimate` is None when there are too few cases or events to say ("insufficient")."""

    attribute: str
    level: str
    cases: int
    events: int
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class SubgroupTable:
    """One measure in each subgroup, with the smallest numbers that are reported."""

    measure: str
    rows: tuple[Subgroup, ...]
    minimum_cases: int = 50
    minimum_events: int = 10


@dataclass(frozen=True, slots=True)
class Passage:
    """A heading with paragraphs under it."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. What is empty is left out of the page, except what a reader must be told.

    Attributes:
        title: "Intensive care after a chest film".
        question: The task's question, in one sentence.
        evidence: "simulation" or "real": a banner says which, and that a simulation is no clinical evidence.
        evidence_statement: Where the data come from, how many people, what the evaluation was.
        model_id: Which model.
        created: When, ISO 8601 (given by the caller: this page reads no clock).
        command: What makes this report again.
        cohort: Who was asked about.
        measures: Discrimination, overall performance, calibration in numbers.
        leaderboards: Ours beside every other.
        calibrations: Plots.
        risk_groups: Observed and predicted incidence.
        landmarks: Performance over the landmarks, of a task that has them.
        subgroups: Tables.
        patients: Pages of single patients.
        intended_use: For what and for whom.
        not_intended: For what it must not be used.
        limits: What a reader could wrongly conclude.
        card: The model card's passages.
        findings: Up to five sentences that a reader should take away.
    """

    title: str
    question: str
    evidence: Literal["simulation", "real"]
    evidence_statement: str
    model_id: str
    created: str
    command: str
    cohort: CohortTable
    measures: tuple[Measure, ...]
    leaderboards: tuple[Leaderboard, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    risk_groups: tuple[RiskGroups, ...] = ()
    landmarks: tuple[LandmarkCurves, ...] = ()
    subgroups: tuple[SubgroupTable, ...] = ()
    patients: tuple[PatientPage, ...] = ()
    intended_use: str = ""
    not_intended: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    card: tuple[Passage, ...] = ()
    findings: tuple[str, ...] = ()
