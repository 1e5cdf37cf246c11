"""A task: one clinical question, stated so that every number that answers it means one thing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from prognosis.cohort.concepts import Concepts, problem_of, with_code_lists
from prognosis.cohort.outcome import (
    DaysOrZero,
    Findings,
    Mask,
    Measurement,
    Outcome,
    Response,
    State,
    Strict,
    Text,
    TimeToEvent,
    Value,
)
from prognosis.cohort.statement import read_yaml, refusal
from prognosis.cohort.table import TableMapping
from prognosis.cohort.treatment import Arm, Treatment
from prognosis.errors import TaskError


class Index(Strict):
    """When the question is asked: at each, the first or the last occurrence of something, or at landmarks.

    `at: study` means an imaging study (restricted by `views`, DICOM view positions); `at: event` means
    an event with one of `codes` ("system|value"). `at: landmarks` asks again and again of those still at
    risk: `days` after entry, which is the first event with one of `codes`, or at every event with one of
    `visit_codes` from then on.
    """

    at: Literal["study", "event", "landmarks"]
    occurrence: Literal["each", "first", "last"] = "first"
    codes: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    days: tuple[DaysOrZero, ...] = ()
    visit_codes: tuple[str, ...] = ()

    @property
    def entry_codes(self) -> tuple[str, ...]:
        """The codes of the event from which landmarks are counted; none for other questions."""
        return self.codes if self.at == "landmarks" else ()

    @model_validator(mode="after")
    def _is_complete(self) -> Index:
        message = _problem_of_landmarks(self) if self.at == "landmarks" else ""
        if self.at != "landmarks" and (self.days or self.visit_codes):
            message = "index.days and index.visit_codes belong to at: landmarks"
        if self.at == "event" and not self.codes:
            message = "index.at is event but index.codes is empty"
        if message:
            raise ValueError(message)
        return self


def _problem_of_landmarks(index: Index) -> str:
    if not index.codes:
        return "index.at is landmarks but index.codes, the event that days are counted from, is empty"
    if bool(index.days) == bool(index.visit_codes):
        return "index.at is landmarks: give either days or visit_codes"
    if len(set(index.days)) < len(index.days):
        return "index.days names a landmark twice"
    if index.occurrence != "first" or index.views:
        return "index.at is landmarks, which reads neither occurrence nor views"
    return ""


class Exclusion(Strict):
    """A reason not to ask: cases with an event of `codes` known by the index, or outside an age range."""

    name: str
    codes: tuple[str, ...] = ()
    younger_than_years: float | None = None
    older_than_years: float | None = None


class Accepted(Strict):
    """A finding of the leakage lint that is known and meant: its kind, its code, and why it may stand."""

    kind: Text
    code: Text
    because: Text


class Screening(Strict):
    """What evidence may not read: outcome-like codes and sentences; and what the lint need not fail on.

    The outcome's own codes are always excluded. `sentence_patterns` are case-insensitive regular
    expressions; a sentence that matches one is dropped and counted. What `accept` names is still shown.
    """

    exclude_codes: tuple[str, ...] = ()
    sentence_patterns: tuple[str, ...] = ()
    accept: tuple[Accepted, ...] = ()

    @field_validator("sentence_patterns")
    @classmethod
    def _patterns_compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for place, pattern in enumerate(patterns):
            try:
                re.compile(pattern)
            except re.error as error:
                message = f"pattern {place + 1} is not a regular expression ({error})"
                raise ValueError(message) from error
        return patterns


class Task(Strict):
    """One clinical question: who is asked about, when, what may happen, and by when.

    `treatment` states arms to be compared. `model` holds settings that suit the question
    ({"imaging": {"size": 28}}); a configuration file or --set overrides them. `widest_interval` is the
    width of a risk's interval above which to abstain. `concepts` gather codes; `load` reads `code_lists`.
    """

    name: str = Field(pattern=r"^[\w][\w .-]*$")
    question: str
    index: Index
    outcome: Outcome
    exclusions: tuple[Exclusion, ...] = ()
    treatment: Treatment | None = None
    screening: Screening = Screening()
    table: TableMapping | None = None
    subgroup_codes: tuple[str, ...] = ()
    widest_interval: float | None = Field(default=None, ge=0.0, le=1.0)
    intended_use: str = ""
    model: dict[str, Any] = Field(default_factory=dict)
    concepts: Concepts = Field(default_factory=dict)

    @field_validator("concepts")
    @classmethod
    def _a_code_is_in_one_concept(cls, concepts: Concepts) -> Concepts:
        problem = problem_of(concepts)
        if problem:
            raise ValueError(problem)
        return concepts

    @model_validator(mode="after")
    def _masks_are_on_studies(self) -> Task:
        if isinstance(self.outcome, Mask) and self.index.at != "study":
            message = "outcome.kind is mask but index.at is not study"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _a_measurement_has_no_widest_risk(self) -> Task:
        if isinstance(self.outcome, Measurement) and self.widest_interval is not None:
            message = "widest_interval is of a risk, and outcome.kind is measurement"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _arms_can_be_compared(self) -> Task:
        if self.treatment is None:
            return self
        problem = self.treatment.problem_with(self.outcome)
        if self.treatment.codes & {*self._own_codes, *self.screening.exclude_codes}:
            problem = "a code of an arm is one of the outcome, or is excluded from evidence by name"
        if problem:
            raise ValueError(problem)
        return self

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The treatment arms, the reference first; none for a question that compares no treatments."""
        return () if self.treatment is None else self.treatment.arms

    @property
    def causes(self) -> tuple[str, ...]:
        """What is asked about: causes, classes but the reference, findings, structures, the quantity."""
        if isinstance(self.outcome, TimeToEvent):
            return tuple(self.outcome.causes)
        if isinstance(self.outcome, State):
            return (self.outcome.name,)
        if isinstance(self.outcome, Findings):
            return tuple(self.outcome.findings)
        if isinstance(self.outcome, Mask):
            return self.outcome.structures
        if isinstance(self.outcome, Measurement):
            return (self.outcome.name,)
        return tuple(dict.fromkeys(self.outcome.classes.values()))[1:]  # two values may mean one class

    @property
    def is_survival(self) -> bool:
        """True when the answer is a time to event, False when it is a class, findings or a measurement."""
        return isinstance(self.outcome, TimeToEvent)

    @property
    def questions(self) -> int:
        """How many questions a case is asked: one whose answers exclude one another, or one a finding."""
        return len(self.causes) if isinstance(self.outcome, Findings) else 1

    @property
    def asks_for_masks(self) -> bool:
        """True when the answer is where structures are on an image."""
        return isinstance(self.outcome, Mask)

    @property
    def measurement(self) -> Measurement | None:
        """What is measured, where the answer is the value of a quantity; else None."""
        return self.outcome if isinstance(self.outcome, Measurement) else None

    @property
    def horizons_days(self) -> tuple[float, ...]:
        """The horizons asked about; a class or a finding has the one of its window, a mask none."""
        if isinstance(self.outcome, TimeToEvent):
            return self.outcome.horizons_days
        if isinstance(self.outcome, Mask):
            return ()
        if isinstance(self.outcome, Measurement):
            return (self.outcome.horizon_days,)
        return (self.outcome.within_days,)

    @property
    def excluded_codes(self) -> frozenset[str]:
        """Codes that no evidence may read: the outcome's own, those of the arms, and those screened out.

        Earlier values of what is to be measured are evidence, and the first to be read.
        """
        arms = frozenset() if self.treatment is None else self.treatment.codes
        return arms.union(self._own_codes, self.screening.exclude_codes)

    @property
    def _own_codes(self) -> set[str]:
        """The codes that state the outcome, and so are never evidence."""
        outcome = self.outcome
        own: set[str] = set()
        if isinstance(outcome, TimeToEvent):
            own = {code for codes in outcome.causes.values() for code in codes}
        elif isinstance(outcome, State):
            own = {*outcome.start_codes, *outcome.end_codes, *outcome.unknown_codes}
        elif isinstance(outcome, Value):
            own = {outcome.code}
        elif isinstance(outcome, Findings):
            own = {values.code for values in outcome.findings.values()}
        elif isinstance(outcome, Response):
            own = {*outcome.death_codes, *(() if outcome.code is None else (outcome.code,))}
        return own

    @classmethod
    def load(cls, path: str | Path) -> Task:
        """Read a task from YAML.

        Raises:
            TaskError: The file is absent, is not YAML, or does not state a task.
        """
        stated = read_yaml(Path(path), TaskError, "a task file")
        return cls.from_statement(with_code_lists(stated, Path(path)), reference=str(path))

    @classmethod
    def from_model(cls, stated: object, reference: str) -> Task:
        """Check the task that a model folder holds, which may be older than this version.

        Arms that stood beside the other fields (`arms`) were counted and nothing more: they are left out.

        Raises:
            TaskError: As `from_statement`.
        """
        if isinstance(stated, dict):
            stated = {name: value for name, value in stated.items() if name != "arms"}
        return cls.from_statement(stated, reference)

    @classmethod
    def from_statement(cls, stated: object, reference: str) -> Task:
        """Check a parsed task.

        Raises:
            TaskError: A field is missing, unknown or of the wrong kind; every one is named.
        """
        try:
            return cls.model_validate(stated)
        except ValidationError as error:
            raise refusal(
                cls, error, reference, TaskError, "see configs/tasks for complete examples"
            ) from error
