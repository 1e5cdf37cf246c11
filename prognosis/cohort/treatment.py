"""What a task says of treatment: the arms, how patients came into them, and by when an arm had to begin.

The strategy of an arm is always "begin it within `grace_days` of the index", whatever happens to the patient
afterwards: no later switch, stop or addition is looked at (Hernan and Robins, Am J Epidemiol 2016;183:758).
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from prognosis.cohort.outcome import (
    ROUNDING,
    DaysOrZero,
    Findings,
    Mask,
    Measurement,
    Outcome,
    Response,
    ShownText,
    State,
    Strict,
    Text,
    TimeToEvent,
    Value,
)
from prognosis.record import Event
from prognosis.record.codes import is_among

TEXT, IMAGING = "text", "imaging"
"""What `depends_on` names notes and films by."""


class Arm(Strict):
    """One option: begun by the first event of `codes`, of `values` only where some are given.

    Values are texts or numbers, as in a table's column. The arm without codes is that of the patients who
    begin no other.
    """

    name: ShownText
    codes: tuple[Text, ...] = ()
    values: tuple[Text, ...] = ()

    def begun_by(self, event: Event) -> bool:
        """Whether an event begins the arm."""
        return is_among(str(event.code), self.codes) and (not self.values or event.stated in self.values)

    @model_validator(mode="after")
    def _values_are_of_codes(self) -> Arm:
        if self.values and not self.codes:
            message = "values without codes: of what?"
            raise ValueError(message)
        return self


class Treatment(Strict):
    """The arms to be compared, the first named being the reference, and how patients came into them.

    With `assignment: randomised` the arm was drawn: `shares` gives each arm's chance where it is known, and
    `strata` the codes whose values the draw was balanced within. With `observational` somebody chose: on
    what is known at the index, or on no more of it than `depends_on` names (codes, `prognosis|age`,
    `prognosis|sex`, `text` for notes and `imaging` for films). Nothing that is not recorded may matter.
    """

    arms: tuple[Arm, ...] = Field(min_length=2)
    assignment: Literal["randomised", "observational"]
    grace_days: DaysOrZero = 0.0
    shares: dict[ShownText, Annotated[float, Field(gt=0.0, lt=1.0)]] = Field(default_factory=dict)
    strata: tuple[ShownText, ...] = ()
    depends_on: tuple[ShownText, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The arms in the order stated."""
        return tuple(arm.name for arm in self.arms)

    @property
    def codes(self) -> frozenset[str]:
        """Every code that begins an arm: no evidence reads them, for they say what was done."""
        return frozenset(code for arm in self.arms for code in arm.codes)

    @property
    def of_no_other(self) -> Arm | None:
        """The arm of those who begin no other; None where the task has none."""
        return next((arm for arm in self.arms if not arm.codes), None)

    def problem_with(self, outcome: Outcome) -> str:
        """Why the arms cannot be compared by an outcome; "" where they can."""
        problem, grace = "", self.grace_days
        if isinstance(outcome, Mask | Findings):
            problem = f"treatment cannot be judged by an outcome of kind {outcome.kind}"
        elif isinstance(outcome, TimeToEvent):
            if outcome.maximum_days is not None and grace >= outcome.maximum_days:
                problem = "treatment.grace_days must be below outcome.maximum_days"
        elif isinstance(outcome, Response):
            if grace > outcome.from_days:
                problem = "treatment.grace_days is beyond outcome.from_days: a response before is of no arm"
        elif isinstance(outcome, Measurement):
            if grace > outcome.horizon_days - outcome.window_days:
                problem = "treatment.grace_days is beyond the start of the outcome's window"
        elif isinstance(outcome, Value | State) and grace > 0.0:
            problem = f"treatment.grace_days is above 0: an outcome of kind {outcome.kind} may come before"
        return problem

    @field_validator("arms")
    @classmethod
    def _arms_are_apart(cls, arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
        read: dict[str, str] = {}
        for arm in arms:
            alike = "".join(unicodedata.normalize("NFKC", arm.name).casefold().split())
            if read.get(alike) == arm.name:
                message = "two arms have one name"
                raise ValueError(message)
            if alike in read:
                message = (
                    f"the names {read[alike]!r} and {arm.name!r} of two arms differ in case or blanks only: "
                    "a reader takes them for one"
                )
                raise ValueError(message)
            read[alike] = arm.name
        if sum(not arm.codes for arm in arms) > 1:
            message = "two arms have no codes: only one can be that of those who begin no other"
            raise ValueError(message)
        for place, arm in enumerate(arms):
            for other in arms[:place]:
                code = _code_of_both(arm, other)
                told_apart = arm.values and other.values and not set(arm.values) & set(other.values)
                if code and not told_apart:
                    message = f"the code {code} begins two arms, {other.name} and {arm.name}"
                    raise ValueError(message)
        return arms

    @model_validator(mode="after")
    def _fits_its_assignment(self) -> Treatment:
        message = ""
        if self.assignment == "randomised" and self.depends_on:
            message = "depends_on is of an observational assignment; name strata for a randomised one"
        elif self.assignment == "observational" and (self.shares or self.strata):
            message = "shares and strata are of a randomised assignment"
        elif self.shares and set(self.shares) != set(self.names):
            message = f"shares must give one for each of {', '.join(self.names)}"
        elif self.shares and abs(sum(self.shares.values()) - 1.0) > ROUNDING:
            message = f"shares must sum to 1, not {sum(self.shares.values()):g}"
        elif self.codes & {*self.strata, *self.depends_on}:
            message = "a code of an arm cannot be what the arm was assigned by"
        if message:
            raise ValueError(message)
        return self


def _code_of_both(arm: Arm, other: Arm) -> str:
    """A code that is of two arms, by itself or by one that ends in *; "" where there is none."""
    shared = [code for code in arm.codes if is_among(code, other.codes)]
    shared += [code for code in other.codes if is_among(code, arm.codes)]
    return shared[0] if shared else ""
