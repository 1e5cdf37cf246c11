"""An answer as the service gives it: typed, and the same for the same record whenever it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from prognosis.cohort import Case
from prognosis.comparison.answer import TreatmentAnswer
from prognosis.comparison.treat import treat_cases
from prognosis.explanation import Explanation, case_tokens, explain_tokens
from prognosis.explanation.explanation import Attribution, Driver
from prognosis.fusion import FusionModel
from prognosis.outputs.treatment_text import arm_lines, contrast_lines, verdict
from prognosis.prediction import Prediction, predict_cases

DRIVERS_KEPT = 8


class Stated(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RiskOf(Stated):
    """The probability that a cause has come, and come first, by a day."""

    cause: str
    days: float
    probability: float
    low: float
    high: float
    level: float


class FreeFor(Stated):
    """The days for which the patient stays free of an event, with a stated confidence."""

    event: str
    level: float
    days: float
    limited: bool


class ValueWithin(Stated):
    """Ends between which a value lies, with a stated confidence."""

    level: float
    low: float
    high: float


class ValueExpected(Stated):
    """What a quantity is expected to be."""

    name: str
    unit: str
    days: float
    value: float
    intervals: tuple[ValueWithin, ...]


class OneOf(Stated):
    """The classes that cannot be ruled out, with a stated confidence."""

    level: float
    classes: tuple[str, ...]


class Cited(Stated):
    """A piece of evidence: what it is, where it stands in the record, and what it adds."""

    modality: str
    name: str
    detail: str
    source: str
    time: str
    contribution: float


class DriverTold(Cited):
    """What moved the answer, with its parts."""

    parts: tuple[Cited, ...]


class Why(Stated):
    """Contributions that add up, with their receipt: base + drivers + rest = total."""

    cause: str
    scale: str
    base: float
    total: float
    drivers: tuple[DriverTold, ...]
    rest: float
    method: str
    max_additivity_error: float


class ArmsTold(Stated):
    """What each arm of the task would do, in sentences; nothing in it is an order.

    Attributes:
        summary: Which arm is better supported than every other, or that none is, and why.
        arms: What is expected under each, or why nothing is said.
        differences: Of each pair.
        cautions: Reasons to read it with care.
        assumptions: What must hold for it to be right.
    """

    summary: str
    arms: tuple[str, ...]
    differences: tuple[str, ...]
    cautions: tuple[str, ...]
    assumptions: tuple[str, ...]


class Score(Stated):
    """One patient's answer at one index time, without who the patient is.

    Attributes:
        model_id: Which model.
        index_time: Nothing known later was used.
        record: Digest of the record as it was known then.
        abstained_because: Why there is no number; "" where there is one.
        risks: Every cause at every horizon; none where it abstains.
        free_for: Lower bounds on event-free time.
        measured: Of a task that asks for a value.
        one_of: Of classes that exclude one another.
        modalities_used: What it rests on.
        modalities_missing: Modality to why.
        cautions: Reasons to read the numbers with care.
        why: What drives each cause.
        treatment: Of a model that compares arms.
    """

    model_id: str
    index_time: datetime
    record: str
    abstained_because: str
    risks: tuple[RiskOf, ...]
    free_for: tuple[FreeFor, ...]
    measured: ValueExpected | None
    one_of: tuple[OneOf, ...]
    modalities_used: tuple[str, ...]
    modalities_missing: dict[str, str]
    cautions: tuple[str, ...]
    why: tuple[Why, ...]
    treatment: ArmsTold | None = None

    def digest(self) -> str:
        """By which the score is kept and cited: sha256 of its JSON."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def score_case(model: FusionModel, case: Case, record: str) -> Score:
    """The score of one case, by itself: the shape of a batch moves the seventh digit.

    Args:
        model: The model.
        case: The record as known at the index.
        record: Its digest.
    """
    prediction = predict_cases(model, [case])[0]
    why: tuple[Why, ...] = ()
    if not prediction.abstained:
        known = case_tokens(model, case)
        why = tuple(_why(explain_tokens(model, known, cause)) for cause in model.task.causes)
    score = _score(prediction, why, record)
    if model.arms is None:
        return score
    return score.model_copy(update={"treatment": _arms(treat_cases(model, [case])[0])})


def _arms(answer: TreatmentAnswer) -> ArmsTold:
    return ArmsTold(
        summary=verdict(answer),
        arms=arm_lines(answer),
        differences=contrast_lines(answer),
        cautions=answer.cautions,
        assumptions=answer.assumptions,
    )


def _score(prediction: Prediction, why: Sequence[Why], record: str) -> Score:
    given = not prediction.abstained
    measured = prediction.measured if given else None
    return Score(
        model_id=prediction.model_id,
        index_time=prediction.index_time,
        record=record,
        abstained_because=prediction.abstained_because,
        risks=tuple(
            RiskOf(
                cause=risk.cause,
                days=risk.days,
                probability=risk.probability,
                low=risk.low,
                high=risk.high,
                level=prediction.level,
            )
            for risk in (prediction.risks() if given and measured is None else ())
        ),
        free_for=tuple(
            FreeFor(event=bound.event, level=bound.level, days=bound.days, limited=bound.limited)
            for bound in (prediction.free_for if given else ())
        ),
        measured=None
        if measured is None
        else ValueExpected(
            name=measured.name,
            unit=measured.unit,
            days=measured.days,
            value=measured.value,
            intervals=tuple(
                ValueWithin(level=each.level, low=each.low, high=each.high) for each in measured.intervals
            ),
        ),
        one_of=tuple(
            OneOf(level=found.level, classes=found.classes) for found in (prediction.one_of if given else ())
        ),
        modalities_used=prediction.modalities_used,
        modalities_missing=dict(prediction.modalities_missing),
        cautions=prediction.cautions,
        why=tuple(why),
    )


def _why(explanation: Explanation) -> Why:
    shown = explanation.top(DRIVERS_KEPT)
    return Why(
        cause=explanation.cause,
        scale=explanation.scale,
        base=explanation.base,
        total=explanation.total,
        drivers=tuple(_driver(driver) for driver in shown),
        rest=float(sum(driver.contribution for driver in explanation.drivers[len(shown) :])),
        method=explanation.method,
        max_additivity_error=explanation.max_additivity_error,
    )


def _driver(driver: Driver) -> DriverTold:
    leading = _cited(driver.leading)
    return DriverTold(
        **{**leading.model_dump(), "contribution": driver.contribution},
        parts=tuple(_cited(part) for part in driver.parts),
    )


def _cited(part: Attribution) -> Cited:
    return Cited(
        modality=part.modality,
        name=part.name,
        detail=part.detail,
        source=part.source,
        time=part.time,
        contribution=part.contribution,
    )
