"""What the columns of a table mean: when follow-up ended and how, whose a row is, when a column was known."""

from __future__ import annotations

from pydantic import Field, model_validator

from prognosis.cohort.outcome import Days, DaysOrZero, Strict


class OutcomeMapping(Strict):
    """A time column and the column that says what happened then.

    `event_causes` maps a value of the event column to a cause; a value not named is censored only if it is
    listed in `censored_values`, and rejected otherwise.
    """

    time: str
    event: str
    event_causes: dict[str, str]
    censored_values: tuple[str, ...] = ("0", "False", "false")


class TableMapping(Strict):
    """How a table becomes records, one row a patient or, with `visit_time`, one row a visit.

    `time`, `event`, `event_causes` and `censored_values` say how follow-up ended, as in `OutcomeMapping`; a
    table that does not say it has none of them, and then `known_at` for what was seen later.

    `days_per_unit` turns every time column into days. `further_outcomes` have time columns of their own
    (relapse beside death). `cluster` is the patient where a row is only a part of one (an eye). A cell with
    one of `missing_values` is absent.
    `index_time`, in the unit of `time`, is a landmark: the question is asked then, of those still at risk.
    With `event_at_visits` each visit says what was seen at it, and the first that shows an event dates it.
    `known_at` gives, for a column that was not yet known at time 0, when it was, in the unit of `time`.
    """

    time: str | None = None
    event: str | None = None
    event_causes: dict[str, str] = Field(default_factory=dict)
    censored_values: tuple[str, ...] = ("0", "False", "false")
    patient_id: str | None = None
    cluster: str | None = None
    days_per_unit: Days = 1.0
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    missing_values: tuple[str, ...] = ()
    keep_rows_where: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    further_outcomes: tuple[OutcomeMapping, ...] = ()
    visit_time: str | None = None
    event_at_visits: bool = False
    constant: tuple[str, ...] = ()
    index_time: DaysOrZero = 0.0
    known_at: dict[str, Days] = Field(default_factory=dict)

    @property
    def end(self) -> OutcomeMapping | None:
        """How follow-up ended; None where the table does not say."""
        if self.time is None or self.event is None:
            return None
        return OutcomeMapping(
            time=self.time,
            event=self.event,
            event_causes=self.event_causes,
            censored_values=self.censored_values,
        )

    @model_validator(mode="after")
    def _says_how_follow_up_ended(self) -> TableMapping:
        message = ""
        if (self.time is None) != (self.event is None):
            message = "time and event go together: give both, or neither"
        elif self.time is None and not self.known_at:
            message = "time and event are needed, unless known_at says when a column was known"
        elif self.time is None and self.event_causes:
            message = "event_causes belongs to time and event"
        elif self.time is not None and "event_causes" not in self.model_fields_set:
            message = "event_causes is needed beside time and event"
        if message:
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _visits_have_a_patient(self) -> TableMapping:
        message = ""
        if self.visit_time is not None and self.patient_id is None:
            message = "visit_time needs patient_id: whose visits they are"
        elif self.event_at_visits and self.visit_time != self.time:
            message = "event_at_visits needs time and visit_time to name the same column"
        elif self.visit_time is not None and self.known_at:
            message = "known_at is of a table with one row a patient, and visit_time of one with visits"
        if message:
            raise ValueError(message)
        return self
