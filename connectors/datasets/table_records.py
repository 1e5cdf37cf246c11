"""Rows of a table as records: an index, what was measured at each visit, and how follow-up ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connectors.datasets.cells import cell_number, cell_text, number_or_text
from connectors.datasets.codes import FOLLOW_UP_COMPLETE, INDEX
from connectors.datasets.columns import OutcomeColumns, TableColumns
from prognosis.errors import MappingError, SourceError
from prognosis.record import Code, Event, PatientRecord, Quarantine

START = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_DAYS = 365_250.0
MOST_TEXTS = 0.1  # of a column's cells: with more, it is one of texts
LARGEST = 3.4e38  # of single precision, in which trees read numbers

Cells = Mapping[str, Sequence[object]]


class TableRecords:
    """Turns rows into records; holds what is the same for every patient.

    Args:
        columns: What the table's columns mean.
        site: Of the records.
        name: Of the table, for references.
        cells: Every column that is read, as plain values.
        numbers: The number of each row in the table as published, from 1.

    Raises:
        SourceError: The index lies more than a thousand years after time 0.
    """

    def __init__(
        self, columns: TableColumns, site: str, name: str, cells: Cells, numbers: Sequence[int]
    ) -> None:
        index_days = columns.index_time * columns.days_per_unit
        if index_days > LONGEST_DAYS:
            raise SourceError(name, "index_time lies a thousand years ahead", "give it in the unit of time")
        self._index = START + timedelta(days=index_days)
        self.columns = columns
        self.site = site
        self.name = name
        self.cells = cells
        self.numbers = numbers
        changing = [column for column in cells if column not in columns.not_evidence]
        self._measured = [_Measured(column, columns) for column in changing]
        self._at_each_visit = [each for each in self._measured if each.column not in columns.constant]

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient once, in table order; one whose rows cannot be read is quarantined."""
        self._tell_texts_among_numbers(quarantine)
        for patient_id, rows in self._patients(quarantine):
            try:
                yield self._record(patient_id, rows)
            except MappingError as error:
                quarantine.reject(error, patient_id)

    def _tell_texts_among_numbers(self, quarantine: Quarantine) -> None:
        """A few texts in a column of numbers make it text for every patient: that is said, not mended."""
        for each in self._measured:
            told = self.cells[each.column]
            if each.as_text or not any(isinstance(value, str) for value in told):
                continue
            stated = [(row, value) for row, value in enumerate(told) if self._says(value)]
            texts = [row for row, value in stated if number_or_text(value) is None]
            if texts and len(texts) <= MOST_TEXTS * len(stated):
                quarantine.notice(
                    f"{self._reference(texts[0])}: {each.column} is a text where nearly all others are "
                    "numbers, and so the column is read as text for every patient; give a number, leave the "
                    "cell empty, or name the column under table.categorical",
                    len(texts),
                )

    def _says(self, value: object) -> bool:
        text = cell_text(value)
        return bool(text) and text not in self.columns.missing_values

    def _patients(self, quarantine: Quarantine) -> Iterator[tuple[str, list[int]]]:
        if self.columns.patient_id is None:
            yield from ((f"row-{number:06d}", [row]) for row, number in enumerate(self.numbers))
            return
        rows: dict[str, list[int]] = defaultdict(list)
        for row, identity in enumerate(self.cells[self.columns.patient_id]):
            patient_id = cell_text(identity)
            if not patient_id or (patient_id in rows and self.columns.visit_time is None):
                problem = "repeats a patient id" if patient_id else "has no patient id"
                quarantine.reject(MappingError(self._reference(row), problem, "give one row a patient"))
                continue
            rows[patient_id].append(row)
        yield from rows.items()

    def _record(self, patient_id: str, rows: Sequence[int]) -> PatientRecord:
        visits = sorted(((self._visit(row), row) for row in rows), key=lambda visit: visit[0])
        first, ordered = visits[0][1], [row for _, row in visits]
        events = [Event(self._index, INDEX, source=self._source(first))]
        for time, row in visits:
            events += self._measurements(time, row, self._measured if row == first else self._at_each_visit)
        events += self._ends(ordered if self.columns.event_at_visits else ordered[-1:])
        if not self.columns.event_at_visits:
            for row in ordered[:-1]:
                self._check_earlier(row, events)
        events.sort(key=lambda event: event.time)
        return PatientRecord(
            patient_id=patient_id, events=tuple(events), site=self.site, cluster=self._cluster(first)
        )

    def _cluster(self, row: int) -> str:
        if self.columns.cluster is None:
            return ""
        text = cell_text(self.cells[self.columns.cluster][row])
        if not text:
            raise MappingError(
                self._reference(row), "does not say whose it is", f"fill {self.columns.cluster}"
            )
        return text

    def _visit(self, row: int) -> datetime:
        if self.columns.visit_time is None:
            return START
        days = self._days(self.columns.visit_time, row)
        if days is None or abs(days) > LONGEST_DAYS:
            raise MappingError(
                self._reference(row),
                f"its visit ({self.columns.visit_time}) has no time",
                "give a number",
            )
        return START + timedelta(days=days)

    def _measurements(self, time: datetime, row: int, measured: Sequence[_Measured]) -> Iterator[Event]:
        source = self._source(row)
        for each in measured:
            value = self.cells[each.column][row]
            text = cell_text(value)
            if not text or text in self.columns.missing_values:
                continue
            if not each.as_text and isinstance(value, int | float) and abs(value) > LARGEST:
                raise MappingError(
                    self._reference(row),
                    f"its {each.column} is infinite or beyond 3e38",
                    "leave the cell empty, or give the number in another unit",
                )
            number = None if each.as_text else cell_number(value)
            stated = text if number is None else None
            known = time + timedelta(days=each.known_days)
            yield Event(known, each.code, number, None, None, stated, f"{source}:{each.column}", each.column)

    def _ends(self, rows: Sequence[int]) -> Iterator[Event]:
        """How follow-up ended, and each further outcome: of `rows`, by time, the first to show an event."""
        for place, outcome in enumerate(self.columns.outcomes):
            ends = [(*self._end(row, outcome), row) for row in rows]
            ended, cause, row = next((end for end in ends if end[1] is not None), ends[-1])
            source = self._source(row)
            if cause is not None:
                yield Event(ended, Code("outcome", cause), source=source, display=cause)
            elif place == 0 and self.columns.time is not None:
                display = "followed up without the outcome"
                yield Event(ended, FOLLOW_UP_COMPLETE, source=source, display=display)

    def _end(self, row: int, outcome: OutcomeColumns) -> tuple[datetime, str | None]:
        days = self._days(outcome.time, row)
        if days is None or not 0.0 <= days <= LONGEST_DAYS:
            raise MappingError(
                self._reference(row),
                f"its time ({outcome.time}) is missing, negative or no number",
                "give the time of follow-up, zero or more",
            )
        value = cell_text(self.cells[outcome.event][row])
        if value not in outcome.event_causes and value not in outcome.censored_values:
            raise MappingError(
                self._reference(row),
                f"its event ({outcome.event}) has a value that the task does not name",
                "add the value to event_causes or to censored_values",
            )
        return START + timedelta(days=days), outcome.event_causes.get(value)

    def _check_earlier(self, row: int, events: Sequence[Event]) -> None:
        """Refuse a visit that says something else happened than the last visit says."""
        happened = {(event.time, event.code.value) for event in events if event.code.system == "outcome"}
        for outcome in self.columns.outcomes:
            ended, cause = self._end(row, outcome)
            if cause is not None and (ended, cause) not in happened:
                raise MappingError(
                    self._reference(row),
                    "states an outcome that the patient's last visit does not",
                    "give the first event only, or the same outcome at every visit",
                )

    def _days(self, column: str, row: int) -> float | None:
        number = number_or_text(self.cells[column][row])
        return None if number is None else number * self.columns.days_per_unit

    def _source(self, row: int) -> str:
        return f"{self.name}#{self.numbers[row]}"

    def _reference(self, row: int) -> str:
        return f"{self.name} row {self.numbers[row]}"


class _Measured:
    """A column that becomes measurements."""

    __slots__ = ("as_text", "code", "column", "known_days")

    def __init__(self, column: str, columns: TableColumns) -> None:
        self.column = column
        self.code = Code("table", column)
        self.as_text = column in columns.categorical
        self.known_days = columns.known_at.get(column, 0.0) * columns.days_per_unit
