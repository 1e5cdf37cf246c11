"""A MEDS folder as a source of records: our own exports exactly, others as far as MEDS says it."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from connectors.meds.layout import BIRTH, NOTE_SYSTEM, STUDY_SYSTEM, code_of
from prognosis.errors import MappingError, SourceError
from prognosis.record import Event, ImagingStudy, Note, PatientRecord, Quarantine, Series
from prognosis.record.patient import Comparator, sorted_record

if TYPE_CHECKING:
    import pyarrow as pa

REQUIRED = ("subject_id", "time", "code")
OPTIONAL = ("numeric_value", "number", "comparator", "unit", "text_value", "source", "display")

Row = dict[str, Any]


class MedsSource:
    """The subjects of a MEDS folder: `data/**/*.parquet`, with `metadata/subjects.parquet` where we wrote it.

    Args:
        folder: The folder.
        uri: How the user named it.
    """

    def __init__(self, folder: Path, uri: str = "") -> None:
        self.folder = Path(folder)
        self.uri = uri or f"meds:{folder}"

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each subject once, sorted by patient id; rows that cannot be read are quarantined.

        A row without a time is a static fact that MEDS does not date; it is counted and not used, because
        it cannot be shown to have been known at any time.

        Raises:
            SourceError: There is no data, or it lacks a column of MEDS.
        """
        rows = self._rows(quarantine)
        people = self._people()
        records = [
            _record(subject, rows[subject], people.get(subject, {}), self.folder.resolve().name)
            for subject in rows.keys() | people.keys()
        ]
        yield from sorted(records, key=lambda record: (record.patient_id, record.site))

    def _rows(self, quarantine: Quarantine) -> dict[int, list[Row]]:
        files = sorted((self.folder / "data").rglob("*.parquet"))
        if not files:
            raise SourceError(self.uri, "has no data/*.parquet", "give a MEDS folder")
        rows: dict[int, list[Row]] = defaultdict(list)
        for path in files:
            reference = path.relative_to(self.folder).as_posix()
            table = _table(path, reference)
            missing = [name for name in REQUIRED if name not in table.column_names]
            if missing:
                raise SourceError(
                    reference,
                    f"lacks the column(s) {', '.join(missing)}",
                    f"give MEDS columns; it has {', '.join(table.column_names)}",
                )
            kept = [name for name in (*REQUIRED, *OPTIONAL) if name in table.column_names]
            for position, row in enumerate(table.select(kept).to_pylist(), start=1):
                try:
                    fact = _checked(row, f"{reference} row {position}", quarantine)
                except MappingError as error:
                    quarantine.reject(error)
                    continue
                if fact is not None:
                    rows[row["subject_id"]].append(fact)
                    quarantine.accept("MEDS row")
        return rows

    def _people(self) -> dict[int, Row]:
        path = self.folder / "metadata" / "subjects.parquet"
        if not path.is_file():
            return {}
        return {row["subject_id"]: row for row in _table(path, "metadata/subjects.parquet").to_pylist()}


def _table(path: Path, reference: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(reference, "cannot be read as Parquet", "write the file again") from error


def _checked(row: Row, reference: str, quarantine: Quarantine) -> Row | None:
    """The row with an aware time; None for a static fact, which has no time.

    Raises:
        MappingError: It has no subject or code, or a time, number or comparator that cannot be used.
    """
    if not isinstance(row["subject_id"], int) or not isinstance(row["code"], str) or not row["code"]:
        raise MappingError(reference, "has no subject_id or no code", "give both in every row")
    if row["time"] is None:
        quarantine.notice("MEDS row without a time: a static fact, not used")
        return None
    if not isinstance(row["time"], datetime):
        raise MappingError(reference, "has a time that is no timestamp", "give timestamps in microseconds")
    number = row.get("number")
    number = row.get("numeric_value") if number is None else number
    if number is not None and not math.isfinite(number):
        raise MappingError(reference, "has a number that is not finite", "leave numeric_value empty instead")
    if row.get("comparator") not in {None, *get_args(Comparator)}:
        raise MappingError(reference, "has an unknown comparator", "use <, <=, >= or >")
    time = row["time"]
    aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    series = _series(row, reference) if row["code"].startswith(f"{STUDY_SYSTEM}|") else ()
    return {**row, "time": aware, "number": number, "series": series}


def _series(row: Row, reference: str) -> tuple[Series, ...]:
    """The series of an imaging study, which our export keeps as JSON in text_value."""
    try:
        stated = json.loads(row.get("text_value") or "[]")
        return tuple(Series(*(str(part) for part in each)) for each in stated)
    except (ValueError, TypeError) as error:
        raise MappingError(
            reference, "states series that cannot be read", "export the study again"
        ) from error


def _record(subject: int, rows: Sequence[Row], person: Row, folder: str) -> PatientRecord:
    events: list[Event] = []
    notes: list[Note] = []
    studies: list[ImagingStudy] = []
    birth: date | None = person.get("birth_date")
    for row in rows:
        code = code_of(row["code"])
        text, source = row.get("text_value"), row.get("source") or ""
        if row["code"] == BIRTH:
            birth = birth or row["time"].date()
        elif code.system == NOTE_SYSTEM:
            notes.append(Note(row["time"], text or "", code.value, source))
        elif code.system == STUDY_SYSTEM:
            studies.append(ImagingStudy(row["time"], code.value, row["series"], source))
        else:
            comparator = cast("Comparator | None", row.get("comparator"))
            display = row.get("display") or ""
            events.append(
                Event(row["time"], code, row["number"], comparator, row.get("unit"), text, source, display)
            )
    return sorted_record(
        PatientRecord(
            patient_id=person.get("patient_id") or str(subject),
            birth_date=birth,
            sex=person.get("sex"),
            events=tuple(events),
            notes=tuple(notes),
            studies=tuple(studies),
            site=person.get("site", folder),
        )
    )
