"""What the columns of a published survival table mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NOTHING_HAPPENED = ("0", "False", "false")


@dataclass(frozen=True, slots=True)
class OutcomeColumns:
    """A time column and the column that says what happened then.

    `event_causes` maps a value of the event column, as text, to a cause; `censored_values` lists those that
    mean "nothing happened"; a row with any other value is rejected.
    """

    time: str
    event: str
    event_causes: Mapping[str, str]
    censored_values: tuple[str, ...] = NOTHING_HAPPENED


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Which columns are the time, the event and the patient, and how to read them.

    Attributes:
        time: When follow-up ended, by the event or without it; None where the table does not say.
        event: What happened then, likewise.
        event_causes: See `OutcomeColumns`.
        censored_values: See `OutcomeColumns`.
        patient_id: The record's id; the row's number where None.
        cluster: The patient, where a record is only a part of one (an eye).
        days_per_unit: Turns every time column into days.
        ignore: Columns that are not evidence.
        categorical: Columns read as text even where they hold numbers.
        missing_values: Texts of cells that mean "not known".
        keep_rows_where: Column to the value, or values, of the rows that are read.
        further_outcomes: Events with time columns of their own: relapse beside death.
        visit_time: When a row was measured. With it the rows of one `patient_id` are one record, and the
            row of the last visit says how follow-up ended.
        event_at_visits: Each visit says what was seen at it: the first visit with an event dates it, and
            follow-up without one ends with the last visit.
        constant: Columns that say the same at every visit: read once, at the first.
        index_time: When the question is asked, in the unit of `time`: a landmark above 0.
        known_at: Column to the time at which it was known, where that was not time 0.
    """

    time: str | None = None
    event: str | None = None
    event_causes: Mapping[str, str] = field(default_factory=dict)
    censored_values: tuple[str, ...] = NOTHING_HAPPENED
    patient_id: str | None = None
    cluster: str | None = None
    days_per_unit: float = 1.0
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    missing_values: tuple[str, ...] = ()
    keep_rows_where: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    further_outcomes: tuple[OutcomeColumns, ...] = ()
    visit_time: str | None = None
    event_at_visits: bool = False
    constant: tuple[str, ...] = ()
    index_time: float = 0.0
    known_at: Mapping[str, float] = field(default_factory=dict)

    @property
    def outcomes(self) -> tuple[OutcomeColumns, ...]:
        """The end of follow-up, where it is stated, then the further outcomes."""
        if self.time is None or self.event is None:
            return self.further_outcomes
        end = OutcomeColumns(self.time, self.event, self.event_causes, self.censored_values)
        return (end, *self.further_outcomes)

    @property
    def not_evidence(self) -> frozenset[str]:
        """Columns that never become a measurement."""
        ends = (name for outcome in self.outcomes for name in (outcome.time, outcome.event))
        roles = (self.patient_id, self.cluster, self.visit_time)
        named = (name for name in roles if name is not None)
        return frozenset({*ends, *named, *self.ignore, *self.keep_rows_where})

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that the table must have: a misspelt `ignore` would let a column be read."""
        return (*self.not_evidence, *self.categorical, *self.constant, *self.known_at)
