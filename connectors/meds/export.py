"""Records written as a MEDS folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.meds.layout import (
    BIRTH,
    NOTE_SYSTEM,
    STUDY_SYSTEM,
    VERSION,
    code_text,
    event_schema,
    subject_id,
    subject_schema,
)
from prognosis.errors import SourceError
from prognosis.record import Code, ImagingStudy, PatientRecord
from prognosis.record.patient import sorted_record

PATIENTS_A_SHARD = 1000

Row = dict[str, Any]


def write_meds(records: Iterable[PatientRecord], folder: Path) -> dict[str, int]:
    """Write records as MEDS Parquet; imaging studies are kept as references, without pixels.

    Args:
        records: What to write, each patient once.
        folder: New or empty.

    Returns:
        How many "subjects" and "rows" were written.

    Raises:
        SourceError: The folder is not empty or cannot be written, or a patient comes twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = Path(folder)
    _claim(folder)
    subjects: dict[int, Row] = {}
    codes: dict[str, str] = {}
    rows = 0
    for number, shard in enumerate(_shards(records)):
        events = [row for record in shard for row in _record_rows(record, subjects)]
        events.sort(key=lambda row: row["subject_id"])  # stable: time order within a subject stays
        for row in events:
            codes.setdefault(row["code"], row["display"])
        pq.write_table(
            pa.Table.from_pylist(events, schema=event_schema()), folder / "data" / f"{number}.parquet"
        )
        rows += len(events)
    metadata = folder / "metadata"
    table = pa.Table.from_pylist(list(subjects.values()), schema=subject_schema())
    pq.write_table(table, metadata / "subjects.parquet")
    described = {"code": list(codes), "description": list(codes.values())}
    text = pa.string()
    pq.write_table(
        pa.table(described, schema=pa.schema([("code", text), ("description", text)])),
        metadata / "codes.parquet",
    )
    (metadata / "dataset.json").write_text(
        json.dumps({"dataset_name": "prognosis export", "meds_version": VERSION}), encoding="utf-8"
    )
    return {"subjects": len(subjects), "rows": rows}


def _claim(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
        for name in ("data", "metadata"):
            (folder / name).mkdir(exist_ok=True)
    except OSError as error:
        raise SourceError(str(folder), "cannot be written", "give a new or empty folder") from error
    if occupied:
        raise SourceError(str(folder), "is not empty", "give a new or empty folder")


def _shards(records: Iterable[PatientRecord]) -> Iterator[Sequence[PatientRecord]]:
    shard: list[PatientRecord] = []
    for record in records:
        shard.append(record)
        if len(shard) == PATIENTS_A_SHARD:
            yield shard
            shard = []
    if shard:
        yield shard


def _record_rows(record: PatientRecord, subjects: dict[int, Row]) -> list[Row]:
    number = subject_id(record.site, record.patient_id)
    if number in subjects:
        raise SourceError("MEDS export", "gets one patient twice", "give each patient of a site once")
    subjects[number] = {
        "subject_id": number,
        "site": record.site,
        "patient_id": record.patient_id,
        "birth_date": record.birth_date,
        "sex": record.sex,
    }
    record = sorted_record(record)
    rows = [
        _row(
            event.time,
            code_text(event.code),
            number=event.number,
            comparator=event.comparator,
            unit=event.unit,
            text=event.text,
            source=event.source,
            display=event.display,
        )
        for event in record.events
    ]
    rows += [
        _row(note.time, str(Code(NOTE_SYSTEM, note.kind)), text=note.text, source=note.source)
        for note in record.notes
    ]
    rows += [
        _row(
            study.time,
            str(Code(STUDY_SYSTEM, study.study_uid)),
            text=_series_text(study),
            source=study.source,
        )
        for study in record.studies
    ]
    if record.birth_date is not None:
        born = datetime.combine(record.birth_date, datetime.min.time(), UTC)
        rows.append(_row(born, BIRTH, display="birth"))
    for row in rows:
        row["subject_id"] = number
    return sorted(rows, key=lambda row: row["time"])


def _row(
    time: datetime,
    code: str,
    *,
    number: float | None = None,
    comparator: str | None = None,
    unit: str | None = None,
    text: str | None = None,
    source: str = "",
    display: str = "",
) -> Row:
    return {
        "time": time.astimezone(UTC).replace(tzinfo=None),
        "code": code,
        "numeric_value": number,
        "number": number,
        "comparator": comparator,
        "unit": unit,
        "text_value": text,
        "source": source,
        "display": display,
    }


def _series_text(study: ImagingStudy) -> str:
    """A study's series as JSON: MEDS has no columns for them."""
    return json.dumps([[s.series_uid, s.modality, s.view, s.body_part] for s in study.series])
