"""What a task asks about: a time to an event, a state, a class, findings, a value, a response, structures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from prognosis.record.codes import overlap

Days = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
DaysOrZero = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


def printable(name: str) -> str:
    """A name as it stands, where a terminal and a page can show it as it is.

    A control character could move the cursor or colour what follows, and an override of the writing
    direction could make one arm read like another: both are refused, never taken out.

    Raises:
        ValueError: A character does not print; it is named by its number.
    """
    for character in name:
        if not character.isprintable():
            message = f"the name holds U+{ord(character):04X}, which does not print: write it without"
            raise ValueError(message)
    return name


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, AfterValidator(printable)]
"""What is shown to people, as it stands in an answer."""
ShownText = Annotated[Text, AfterValidator(printable)]
"""The same, without blanks at its ends."""

ROUNDING = 1e-3
"""Of shares that somebody wrote down."""


class Strict(BaseModel):
    """A part of a task, which may not be altered and holds no field that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeToEvent(Strict):
    """Days from the index to the first of several competing causes; censored at the last contact."""

    kind: Literal["time_to_event"]
    causes: dict[Name, tuple[str, ...]] = Field(min_length=1)
    horizons_days: tuple[Days, ...] = Field(min_length=1)
    maximum_days: Days | None = None

    @field_validator("horizons_days")
    @classmethod
    def _each_horizon_once(cls, horizons: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(horizons)) < len(horizons):
            message = "a horizon is named twice"
            raise ValueError(message)
        return horizons

    @model_validator(mode="after")
    def _a_code_means_one_cause(self) -> TimeToEvent:
        twice = overlap([code for codes in self.causes.values() for code in dict.fromkeys(codes)])
        if twice is not None:
            message = f"the code {twice[0]} means two causes"
            raise ValueError(message)
        return self


class State(Strict):
    """Is the patient in a state at the index, or will be within `within_days`?

    The state lasts from an event of `start_codes` to the next event of `end_codes`. A negative answer
    needs a contact at or after the end of the window, and no event of `unknown_codes` at the index; else
    the case is excluded and counted.
    """

    kind: Literal["state"]
    name: Name
    start_codes: tuple[str, ...] = Field(min_length=1)
    end_codes: tuple[str, ...] = ()
    unknown_codes: tuple[str, ...] = ()
    within_days: DaysOrZero = 0.0


class Value(Strict):
    """A class read from the first event of `code` after the index.

    `classes` maps its text or number to a name. The first class named is the reference ("normal").
    `prevalence` gives each class's share of the patients that the model will be asked about, where it is not
    that of the training cases; without it theirs is taken.
    """

    kind: Literal["value"]
    code: str
    classes: dict[str, Name] = Field(min_length=2)
    within_days: DaysOrZero = 1.0
    prevalence: dict[str, Annotated[float, Field(gt=0.0, lt=1.0)]] = {}

    @model_validator(mode="after")
    def _prevalence_is_of_every_class(self) -> Value:
        if not self.prevalence:
            return self
        names = set(self.classes.values())
        if set(self.prevalence) != names:
            message = f"prevalence must give a share for each of {', '.join(sorted(names))}"
            raise ValueError(message)
        if abs(sum(self.prevalence.values()) - 1.0) > ROUNDING:
            message = f"prevalence must sum to 1, not {sum(self.prevalence.values()):g}"
            raise ValueError(message)
        return self


class FindingValues(Strict):
    """Where one finding is stated: the code of an event, and which of its texts or numbers say what.

    A value that stands in neither list says nothing about the finding, and nor does silence.
    """

    code: Text
    present: tuple[Text, ...] = Field(min_length=1)
    absent: tuple[Text, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _a_value_means_one_state(self) -> FindingValues:
        both = sorted(set(self.present) & set(self.absent))
        if both:
            message = f"the value {both[0]} means present and absent"
            raise ValueError(message)
        return self


class Findings(Strict):
    """Several findings asked at once of one case, each present, absent or not known by itself.

    Each is read from the first event of its code after the index. Unlike classes they do not exclude one
    another: all may be present, or none. Two findings may be read from one code ("COVID-19, ARDS").
    """

    kind: Literal["findings"]
    findings: dict[Name, FindingValues] = Field(min_length=1)
    within_days: DaysOrZero = 1.0


class Measurement(Strict):
    """The value of a quantity some time after the index.

    It is the value measured nearest to `horizon_days` after the index, at most `window_days` from then. With
    `scale: log` its natural logarithm is modelled: right for values above zero whose errors are ratios.

    `other_units` says by which factor a number in another unit is multiplied to be in `unit`; "" stands for a
    number without a unit. A number in a unit that is not named is refused, not guessed at.
    """

    kind: Literal["measurement"]
    name: ShownText
    codes: tuple[Text, ...] = Field(min_length=1)
    unit: str
    other_units: dict[str, Annotated[float, Field(gt=0.0, allow_inf_nan=False)]] = {}
    horizon_days: Days
    window_days: DaysOrZero
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _is_after_the_index(self) -> Measurement:
        if self.window_days >= self.horizon_days:
            message = "window_days must be below horizon_days: a value at the index is known, not predicted"
            raise ValueError(message)
        return self


DIED, NOT_ASSESSED = "died", "not assessed"
"""What a response is called that was never seen: the patient died first, or nobody looked."""
COMPLETE, PARTIAL, STABLE, PROGRESSIVE = (
    "complete response",
    "partial response",
    "stable disease",
    "progressive disease",
)
RECIST = (COMPLETE, PARTIAL, STABLE, PROGRESSIVE)
"""The responses of RECIST 1.1, the best first."""


class Lesions(Strict):
    """Diameters of target lesions, measured again and again, judged by RECIST 1.1.

    An event of `codes` is the diameter of one lesion, or the sum of them all; what a day's events add up to
    is compared. Of `node_codes` it is a lymph node's short axis, which is normal below 10 mm. An event of
    `new_lesion_codes` is a lesion that was not there. The baseline is the last day on which they were
    measured by the index, at most `baseline_days` before it.
    """

    codes: tuple[Text, ...] = ()
    node_codes: tuple[Text, ...] = ()
    new_lesion_codes: tuple[Text, ...] = ()
    other_units: dict[str, Annotated[float, Field(gt=0.0, allow_inf_nan=False)]] = {}
    baseline_days: Days = 28.0

    @model_validator(mode="after")
    def _something_is_measured(self) -> Lesions:
        if not (self.codes or self.node_codes):
            message = "give codes or node_codes: what is measured"
            raise ValueError(message)
        if overlap([*self.codes, *self.node_codes]) is not None:
            message = "a code is named twice in codes and node_codes"
            raise ValueError(message)
        return self


class Response(Strict):
    """How the disease answered by `within_days` after the index.

    It is graded, by the first event of `code` from `from_days` on, as a clinician or a study wrote it; or
    measured, as the best response of `lesions`. `classes` maps each grade to a class; the first class
    named is the reference. The grade is "died" where one of `death_codes` came before any assessment, and
    "not assessed" where nobody looked. A grade that `classes` does not name leaves the case out.

    Of measured lesions `from_days` is how long stable disease must have lasted to be one.
    """

    kind: Literal["response"]
    classes: dict[str, Name] = Field(min_length=2)
    within_days: Days
    from_days: DaysOrZero = 0.0
    code: Text | None = None
    lesions: Lesions | None = None
    death_codes: tuple[Text, ...] = ()

    @property
    def named_codes(self) -> frozenset[str]:
        """Every code that it reads."""
        own = self.lesions
        measured = () if own is None else (*own.codes, *own.node_codes, *own.new_lesion_codes)
        return frozenset({*measured, *self.death_codes, *(() if self.code is None else (self.code,))})

    @model_validator(mode="after")
    def _is_graded_or_measured(self) -> Response:
        message = ""
        if (self.code is None) == (self.lesions is None):
            message = "give either code, of a grade, or lesions, that are measured"
        elif self.from_days > self.within_days:
            message = "from_days must not be beyond within_days"
        elif len(set(self.classes.values())) == 1:
            message = "classes names one class only"
        elif DIED in self.classes and not self.death_codes:
            message = "classes names died, and death_codes is empty"
        elif self.lesions is not None and not set(RECIST) <= set(self.classes):
            message = f"classes must say what each of {', '.join(RECIST)} is"
        elif self.lesions is not None and set(self.classes) - {*RECIST, DIED, NOT_ASSESSED}:
            message = f"classes names a grade that is none of {', '.join((*RECIST, DIED, NOT_ASSESSED))}"
        if message:
            raise ValueError(message)
        return self


class Mask(Strict):
    """Where the structures are on the images of the studies at the index, as somebody marked them.

    `structures` are names of what segmentations mark; a study whose marks lack one is not learnt from.
    """

    kind: Literal["mask"]
    structures: tuple[ShownText, ...] = Field(min_length=1, max_length=254)

    @field_validator("structures")
    @classmethod
    def _each_structure_once(cls, structures: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(structures)) < len(structures):
            message = "a structure is named twice"
            raise ValueError(message)
        return structures


Outcome = Annotated[
    TimeToEvent | State | Value | Findings | Measurement | Response | Mask, Field(discriminator="kind")
]
