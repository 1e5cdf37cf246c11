"""A prediction: what is expected, how sure it is, what it rests on, and whether it should be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Risk:
    """Probability that one cause has happened by `days`, with its interval."""

    cause: str
    days: float
    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LowerBound:
    """How long the patient stays free of an event, with a stated confidence.

    The confidence is that of the procedure over patients like those of the training cohort; see
    `prognosis.survival.conformal`.

    Attributes:
        event: "any event", or the cause; a competing cause that comes first leaves the patient free of it.
        level: Confidence, 0 to 1.
        days: Free for at least so long; 0 when no bound above 0 is supported.
        limited: True where only the length of follow-up in training keeps the bound from being later.
    """

    event: str
    level: float
    days: float
    limited: bool


@dataclass(frozen=True, slots=True)
class ClassSet:
    """The classes that cannot be ruled out, with a stated confidence; see `prognosis.survival.class_sets`.

    Attributes:
        level: Confidence, 0 to 1, among patients of each class apart.
        classes: Their names; none where the patient is like those of no class, several where they cannot be
            told apart.
    """

    level: float
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValueInterval:
    """Ends between which a value lies, with a stated confidence, in its unit."""

    level: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ExpectedValue:
    """What a quantity is expected to be some time after the index.

    Attributes:
        name: Of the quantity.
        unit: Of `value` and of the intervals.
        days: From the index.
        value: The mean; of a quantity modelled by its logarithm the median.
        error: Standard deviation of the normal prediction on the modelled scale.
        logarithm: True where that scale is the natural logarithm.
        intervals: Calibrated, by rising level; none below the level that the training patients support.
    """

    name: str
    unit: str
    days: float
    value: float
    error: float
    logarithm: bool
    intervals: tuple[ValueInterval, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one patient at one index time.

    Attributes:
        patient_id: Within `site`.
        site: Where the record came from.
        index_time: Nothing known later was used.
        days: (T,) grid of the curves; a class has the single day of its window.
        cumulative_incidence: By cause, (T,) probability by each day; over causes (or classes) they sum to at
            most 1, over findings to anything.
        low: By cause, (T,) lower end of the interval.
        high: By cause, (T,) upper end.
        level: Of the intervals, e.g. 0.9.
        log_hazard_standard_error: By cause, of the average log-hazard: grows when a modality is missing.
        horizons_days: The task's horizons.
        modalities_used: What the prediction rests on.
        modalities_missing: Modality -> why ("not in the record", "film is blank").
        helps_most: The missing modality whose knowledge would narrow the interval most, if any.
        cautions: Reasons to read the numbers with care that fall short of abstaining.
        abstained_because: Why no answer should be given; "" when there is none.
        model_id: Which model.
        free_for: Lower bounds on the time free of any event and, where there are several causes, of each, at
            three levels; empty for a class and for a model made without them.
        one_of: Of a task whose classes exclude one another, the classes that cannot be ruled out at three
            levels; empty for other tasks and for a model made without them.
        measured: Of a task that asks for a measurement, the value; its curves and risks are then empty. None
            for other tasks.
    """

    patient_id: str
    site: str
    index_time: datetime
    days: Array
    cumulative_incidence: Mapping[str, Array]
    low: Mapping[str, Array]
    high: Mapping[str, Array]
    level: float
    log_hazard_standard_error: Mapping[str, float]
    horizons_days: tuple[float, ...]
    modalities_used: tuple[str, ...]
    modalities_missing: Mapping[str, str]
    helps_most: str | None = None
    cautions: tuple[str, ...] = field(default=())
    abstained_because: str = ""
    model_id: str = ""
    free_for: tuple[LowerBound, ...] = ()
    one_of: tuple[ClassSet, ...] = ()
    measured: ExpectedValue | None = None

    @property
    def abstained(self) -> bool:
        """True when no answer should be given."""
        return bool(self.abstained_because)

    def at(self, days: float, cause: str | None = None) -> Risk:
        """The risk of a cause (the task's first by default) by a day, interpolated on the grid.

        Raises:
            InputError: The day lies beyond what was observed in training, the cause is unknown, or the task
                asks for a measurement, which has no risk.
        """
        if self.measured is not None:
            raise InputError(
                f"a risk of {self.measured.name}", "does not exist: a value is predicted", "read `measured`"
            )
        name = next(iter(self.cumulative_incidence), "") if cause is None else cause
        if name not in self.cumulative_incidence:
            known = ", ".join(self.cumulative_incidence)
            raise InputError(f"cause {name!r}", "is not predicted by this model", f"ask for one of {known}")
        if not 0.0 <= days <= self.days[-1]:
            raise InputError(
                f"{days:g} days", "lies outside the predicted time", f"ask for 0 to {self.days[-1]:g}"
            )

        def value(curve: Array) -> float:
            return float(np.interp(days, self.days, curve))

        curves = self.cumulative_incidence[name], self.low[name], self.high[name]
        probability, low, high = (value(curve) for curve in curves)
        return Risk(name, days, probability, low, high)

    def risks(self) -> tuple[Risk, ...]:
        """Every cause at every horizon of the task that lies within the predicted time."""
        within = [day for day in self.horizons_days if day <= self.days[-1]]
        return tuple(self.at(day, cause) for cause in self.cumulative_incidence for day in within)
