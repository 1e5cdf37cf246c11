"""Any table with one row a patient, a time and an event: the form in which survival cohorts are published.

The row becomes a record with three kinds of event: `prognosis|index` at an arbitrary fixed date, the columns
as `table|<column>` at the same time, and the end of follow-up `time` days later: `outcome|<cause>` or, when
censored, `prognosis|follow-up-complete`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from connectors.datasets.codes import FOLLOW_UP_COMPLETE, INDEX
from prognosis.errors import MappingError, SourceError
from prognosis.record import Code, Event, PatientRecord, Quarantine

if TYPE_CHECKING:
    import pandas as pd

INDEX_TIME = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_DAYS = 365_250.0


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Which columns are the time, the event and the patient, and how to read them.

    `event_causes` maps a value of the event column, as text, to a cause; `censored_values` lists those that
    mean "nothing happened"; a row with any other value is rejected. `days_per_unit` turns the time column
    into days. `categorical` columns are read as text even where they hold numbers. Rows are kept where
    every column of `keep_rows_where` has the value given.
    """

    time: str
    event: str
    event_causes: Mapping[str, str]
    censored_values: tuple[str, ...] = ("0", "False", "false")
    patient_id: str | None = None
    days_per_unit: float = 1.0
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    keep_rows_where: Mapping[str, str] = field(default_factory=dict)

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that the table must have."""
        identity = () if self.patient_id is None else (self.patient_id,)
        return (self.time, self.event, *identity, *self.categorical, *self.keep_rows_where)


class FrameReader(Protocol):
    """Reads a whole table."""

    def __call__(self) -> pd.DataFrame:
        """The table.

        Raises:
            SourceError: It cannot be read.
        """
        ...


class TableFile:
    """The rows of a CSV, TSV or Parquet file as records.

    Args:
        path: The file.
        uri: How the user named it.
        columns: What its columns mean.
    """

    def __init__(self, path: Path, uri: str, columns: TableColumns) -> None:
        self.path = Path(path)
        self.uri = uri
        self.columns = columns

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each row as a patient; rows that cannot be read are quarantined with their number.

        Raises:
            SourceError: The file cannot be read or lacks a column that the mapping names.
        """
        frame = read_frame(self.path)
        yield from frame_records(frame, self.columns, self.path.stem, self.path.name, quarantine)


def read_frame(path: Path) -> pd.DataFrame:
    """A CSV, TSV or Parquet file as a table.

    Raises:
        SourceError: The file is absent, empty, of another kind, or cannot be parsed.
    """
    import pandas as pd
    import pyarrow as pa

    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return pd.read_parquet(path)
        if suffix in {".csv", ".tsv", ".gz"}:
            return pd.read_csv(path, sep="\t" if suffix == ".tsv" else ",", low_memory=False)
    except FileNotFoundError as error:
        raise SourceError(str(path), "is not there", "give the path of a CSV or Parquet file") from error
    except (OSError, ValueError, UnicodeError, pd.errors.ParserError, pa.ArrowException) as error:
        raise SourceError(
            str(path), "cannot be parsed", "give comma-separated text in UTF-8, or Parquet"
        ) from error
    raise SourceError(str(path), f"is of the unknown kind {suffix!r}", "give .csv, .tsv or .parquet")


def frame_records(
    frame: pd.DataFrame, columns: TableColumns, site: str, name: str, quarantine: Quarantine
) -> Iterator[PatientRecord]:
    """The rows of a table as records, sorted by patient id.

    Args:
        frame: The table.
        columns: What its columns mean.
        site: Of the records.
        name: Of the table, for references.
        quarantine: Where rows that cannot be read go.

    Raises:
        SourceError: The table has no rows or lacks a column that the mapping names.
    """
    frame = frame.reset_index(drop=True)
    frame.columns = frame.columns.map(str)
    _check_columns(list(frame.columns), columns, name)
    for column, wanted in columns.keep_rows_where.items():
        frame = frame[[cell_text(value) == wanted for value in frame[column]]]
    if frame.empty:
        raise SourceError(name, "has no rows (or none that keep_rows_where keeps)", "check the filter")
    reader = _RowReader(columns, site, name, _features(frame, columns))
    records: list[PatientRecord] = []
    seen: set[str] = set()
    texts = [frame[column].tolist() for column in reader.features]
    identities = None if columns.patient_id is None else frame[columns.patient_id].tolist()
    for position, (row, time, event, *values) in enumerate(
        zip(frame.index + 1, frame[columns.time].tolist(), frame[columns.event].tolist(), *texts, strict=True)
    ):
        try:
            patient_id = reader.patient(row, None if identities is None else identities[position], seen)
            records.append(reader.record(patient_id, row, time, event, values))
        except MappingError as error:
            quarantine.reject(error)
    quarantine.accept("table row", len(records))
    yield from sorted(records, key=lambda record: record.patient_id)


def _check_columns(present: Sequence[str], columns: TableColumns, name: str) -> None:
    missing = sorted({column for column in columns.named if column not in present})
    if missing:
        raise SourceError(
            name,
            f"lacks the column(s) {', '.join(missing)}",
            f"name columns that it has: {', '.join(present[:60])}",
        )
    repeated = sorted({column for column in present if present.count(column) > 1})
    if repeated:
        raise SourceError(name, f"repeats the column(s) {', '.join(repeated)}", "give each column one name")


def _features(frame: pd.DataFrame, columns: TableColumns) -> tuple[str, ...]:
    not_features = {
        columns.time,
        columns.event,
        columns.patient_id,
        *columns.ignore,
        *columns.keep_rows_where,
    }
    return tuple(column for column in frame.columns if column not in not_features)


def cell_text(value: object) -> str:
    """A cell as the text that a mapping names it by: 1, 1.0 and "1" are all "1"; missing is ""."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return "" if text in {"nan", "<NA>", "NaT"} else text


class _RowReader:
    """Turns rows into records; holds what is the same for every row."""

    def __init__(self, columns: TableColumns, site: str, name: str, features: tuple[str, ...]) -> None:
        self.columns = columns
        self.site = site
        self.name = name
        self.features = features
        self.codes = [Code("table", feature) for feature in features]
        self.as_text = [feature in columns.categorical for feature in features]

    def patient(self, row: int, identity: object, seen: set[str]) -> str:
        if self.columns.patient_id is None:
            return f"row-{row:06d}"
        text = cell_text(identity)
        if not text or text in seen:
            problem = "repeats a patient id" if text else "has no patient id"
            raise MappingError(self._reference(row), problem, "give one row a patient")
        seen.add(text)
        return text

    def record(
        self, patient_id: str, row: int, time: object, event: object, values: Sequence[object]
    ) -> PatientRecord:
        source = f"{self.name}#{row}"
        end = self._end(row, time, event, source)
        events = [Event(INDEX_TIME, INDEX, source=source)]
        for code, as_text, value in zip(self.codes, self.as_text, values, strict=True):
            text = cell_text(value)
            if not text:
                continue
            number = None if as_text else _number(value)
            stated = text if number is None else None
            events.append(
                Event(INDEX_TIME, code, number, None, None, stated, f"{source}:{code.value}", code.value)
            )
        return PatientRecord(patient_id=patient_id, events=(*events, end), site=self.site)

    def _end(self, row: int, time: object, event: object, source: str) -> Event:
        days = _number_or_text(time)
        if days is None or not 0.0 <= days * self.columns.days_per_unit <= LONGEST_DAYS:
            raise MappingError(
                self._reference(row),
                f"its time ({self.columns.time}) is missing, negative or no number",
                "give the days of follow-up, zero or more",
            )
        ended = INDEX_TIME + timedelta(days=days * self.columns.days_per_unit)
        value = cell_text(event)
        if value in self.columns.event_causes:
            cause = self.columns.event_causes[value]
            return Event(ended, Code("outcome", cause), source=source, display=cause)
        if value in self.columns.censored_values:
            return Event(ended, FOLLOW_UP_COMPLETE, source=source, display="followed up without the outcome")
        raise MappingError(
            self._reference(row),
            f"its event ({self.columns.event}) has a value that the task does not name",
            "add the value to event_causes or to censored_values",
        )

    def _reference(self, row: int) -> str:
        return f"{self.name} row {row}"


def _number(value: object) -> float | None:
    """A finite number that the cell states, else None; truth values count as 0 and 1."""
    if not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _number_or_text(value: object) -> float | None:
    """As `_number`, but text may state the number: one bad cell makes a whole column text."""
    if not isinstance(value, str):
        return _number(value)
    try:
        return _number(float(value))
    except ValueError:
        return None
