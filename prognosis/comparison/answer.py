"""What is said of one patient under each arm: numbers with interval and unit, reasons, and what they rest on.

Plain dataclasses; every number that a person may read has an interval, a unit and a level. Nothing in an
answer orders a treatment: an arm is "better supported" by the data of a cohort, or none is, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from prognosis.comparison.basis import DAYS, PROBABILITY, RATIO, ArmBasis, Basis, Number
from prognosis.errors import InputError
from prognosis.explanation import Attribution, Driver

__all__ = [
    "DAYS",
    "PROBABILITY",
    "RATIO",
    "ArmAnswer",
    "ArmBasis",
    "ArmCurve",
    "ArmRisk",
    "Basis",
    "Contrast",
    "ContrastExplanation",
    "Number",
    "TreatmentAnswer",
    "Why",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Why:
    """Why something is not said.

    Attributes:
        reason: In a few fixed words, by which a program may go; see `prognosis.treatment.Reason`.
        detail: The same in a sentence for a reader, without patient content.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ArmCurve:
    """The event's cumulative incidence under an arm, brought to agree with the arm's days kept.

    Attributes:
        days: (T,) from time zero (see `TreatmentAnswer.starts_after_days`), the last one the horizon.
        incidence: (T,) probability that the event has come by each day; higher is worse.
        low: (T,) lower end of the pointwise interval.
        high: (T,) upper end.
        level: Of the interval.
    """

    days: Floats
    incidence: Floats
    low: Floats
    high: Floats
    level: float


@dataclass(frozen=True, slots=True)
class ArmRisk:
    """The probability that the event has come by a day of the task, read from the arm's curve."""

    days: float
    risk: Number


@dataclass(frozen=True, slots=True)
class ArmAnswer:
    """What is expected of the patient under one arm.

    Attributes:
        name: Of the arm, as the task states it.
        cases: Patients of the cohort who were given it (cases, where patients have several).
        events: Of them, those with the event (of a response: the rarer of response and failure).
        chance: Share of patients like this one who were given it, 0 to 1: the propensity, by design or
            learned.
        worth: What `TreatmentAnswer.worth_is` says, under this arm; None where it is withheld.
        risks: At the task's horizons up to the answer's own; empty for a response, and where withheld.
        curve: None for a response, and where withheld.
        withheld: Why nothing is said of this arm; None where something is.
    """

    name: str
    cases: int
    events: int
    chance: float
    worth: Number | None
    risks: tuple[ArmRisk, ...] = ()
    curve: ArmCurve | None = None
    withheld: Why | None = None


@dataclass(frozen=True, slots=True)
class ContrastExplanation:
    """Why the difference of two arms is what it is for this patient: base + sum of contributions = total.

    Attributes:
        unit: Of all numbers: "days" or "probability".
        base: The difference for the average patient with these modalities.
        total: The difference for this patient; the contrast's own value.
        attributions: Every token's share, largest magnitude first; positive speaks for the contrast's arm,
            negative for its reference.
        drivers: The same by what they are of, largest sum first; they too sum to total - base.
        max_additivity_error: |base + sum - total|, the total taken from the patient's summed evidence.
    """

    unit: str
    base: float
    total: float
    attributions: tuple[Attribution, ...]
    drivers: tuple[Driver, ...]
    max_additivity_error: float

    def speaking_for(self) -> tuple[Driver, ...]:
        """What speaks for the contrast's arm, most first."""
        return tuple(driver for driver in self.drivers if driver.contribution > 0.0)

    def speaking_against(self) -> tuple[Driver, ...]:
        """What speaks for its reference, most first."""
        return tuple(driver for driver in self.drivers if driver.contribution < 0.0)


@dataclass(frozen=True, slots=True)
class Contrast:
    """One arm beside another, for this patient and on average.

    Attributes:
        arm: The arm asked about.
        reference: The one it is compared with.
        difference: Worth under `arm` less that under `reference`; above 0 is better. None where it is
            withheld.
        ratio: What `TreatmentAnswer.ratio_is` says, of `arm` over `reference`; None where withheld, or where
            one of the two has an interval that reaches 0: a ratio to it says nothing.
        average: The same difference over all patients of the cohort, however it is with this one.
        average_ratio: The same ratio over all patients of the cohort; None where there is none.
        e_value: Of `average_ratio`, observational assignments only: how strongly an unrecorded cause would
            have to be tied to both arm and outcome, as a risk ratio, to explain the estimate away; and the
            same for the end of its interval nearer to no effect.
        better: Name of the arm that is better supported of the two; "" where neither is.
        undecided: Why neither is; None where one is.
        explanation: None where the difference is withheld.
    """

    arm: str
    reference: str
    difference: Number | None
    ratio: Number | None
    average: Number
    average_ratio: Number | None
    e_value: tuple[float, float] | None
    better: str
    undecided: Why | None
    explanation: ContrastExplanation | None


@dataclass(frozen=True, slots=True)
class TreatmentAnswer:
    """What each arm would do for one patient, or why that is not said.

    Attributes:
        patient_id: Within `site`.
        site: Where the record came from.
        index_time: Nothing known later was used.
        model_id: Which model.
        question: The task's.
        outcome: The event or response that arms are judged by.
        worth_is: What `worth` counts, in words: "days of the first 1,825 free of death", "probability of
            improved"; higher is better.
        ratio_is: What ratios are of, in words: "risk of death by 1,825 days, lower is better".
        unit: Of worth and of differences: "days" or "probability".
        horizon_days: The last day of curves and of days kept, from time zero; None for a response.
        starts_after_days: Time zero is so many days after the index: the end of the grace period in which an
            arm had to begin. What is said is of patients who reach it free of the event.
        arms: In the task's order, the reference first.
        contrasts: Every pair, each arm against those named before it.
        better: The one arm that is better supported than every other; "" where there is none.
        undecided: Why there is none; None where there is one.
        refused: Why no arm is compared for this patient at all; None where arms are. `arms` then holds names
            and counts with everything withheld, and `contrasts` is empty.
        basis: The cohort; None where the model compares no arms.
        assumptions: What must hold for the numbers to mean what they say, a sentence each.
        cautions: What to read the numbers with care for, a sentence each.
        unanswered: Horizons of the task by which nothing can be said, with the reason.
        modalities_used: What the answer rests on.
        modalities_missing: Modality to why.
    """

    patient_id: str
    site: str
    index_time: datetime
    model_id: str
    question: str
    outcome: str
    worth_is: str
    ratio_is: str
    unit: str
    horizon_days: float | None
    starts_after_days: float
    arms: tuple[ArmAnswer, ...]
    contrasts: tuple[Contrast, ...]
    better: str
    undecided: Why | None
    refused: Why | None
    basis: Basis | None
    assumptions: tuple[str, ...]
    cautions: tuple[str, ...]
    unanswered: Mapping[float, str]
    modalities_used: tuple[str, ...]
    modalities_missing: Mapping[str, str]

    def arm(self, name: str) -> ArmAnswer:
        """What is said of an arm.

        Raises:
            InputError: The task has no such arm.
        """
        for each in self.arms:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.arms)
        raise InputError(f"arm {name}", "is not compared", f"ask about one of {known}")

    def contrast(self, arm: str, reference: str) -> Contrast:
        """One arm beside another.

        Raises:
            InputError: The pair is not compared, or the other way about.
        """
        for each in self.contrasts:
            if (each.arm, each.reference) == (arm, reference):
                return each
        pairs = "; ".join(f"{each.arm} against {each.reference}" for each in self.contrasts)
        problem = "is not compared" if pairs else "is not compared: no arm is, for this patient"
        raise InputError(f"{arm} against {reference}", problem, f"ask about {pairs or 'another patient'}")
