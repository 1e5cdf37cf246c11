"""What the mapping makes of single resources, as rows on disk: everything that SQL does not read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.fhir.files import MAX_LINE_BYTES, file_resources, unpacked
from connectors.fhir.ingest.rows import EVENT, FACT, MEANT, NONE, NOTE, STUDY
from connectors.fhir.mapping import resource_to_facts
from connectors.fhir.mapping_clinical import needs_medication
from connectors.fhir.mapping_facts import Facts, Person
from connectors.fhir.mapping_fields import Json, source_of
from connectors.fhir.mapping_person import organization_name, patient_to_person
from connectors.fhir.parse import parse_resource
from prognosis.errors import InputError, MappingError, SourceError
from prognosis.record import ImagingStudy, Quarantine

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

UNREADABLE = "unreadable"
"""The kind under which a line is counted that names no resource type."""

ROWS_AT_ONCE = 20_000
ENTRY_BITS = 20
PART_BITS = 44
"""A place: the number of a part, of a line in it and, in the low bits, of a Bundle's entry on that line."""

MOST_PARTS = 1 << (63 - PART_BITS)
"""A place is kept as a whole number of 64 bits with a sign."""

_KIND = re.compile(r"([A-Za-z]{1,40})(?:/| at )")

Row = dict[str, Any]


def schemas() -> Mapping[str, pa.Schema]:
    """The tables of a part, by name."""
    import pyarrow as pa

    text, time = pa.string(), pa.timestamp("us")
    others = {
        "place": pa.int64(),
        "happened": time,
        "ordinal": pa.int32(),
        "kind": pa.int8(),
        "time": time,
        "number": pa.float64(),
        "meaning": pa.int64(),
    }
    person = [
        *(("place", pa.int64()), ("source", text), ("patient_id", text), ("birth_date", pa.date32())),
        *(("sex", text), ("died", time), ("organization", text), ("organization_name", text)),
        *(("replaced_by", pa.list_(text)), ("replaces", pa.list_(text)), ("notices", text)),
    ]
    stated = [("place", pa.int64()), ("source", text), ("content", text)]
    return {
        "facts": pa.schema([(name, others.get(name, text)) for name in FACT]),
        "persons": pa.schema(person),
        "medications": pa.schema(stated),
        "sites": pa.schema(stated),
        "deferred": pa.schema(stated),
        "meanings": pa.schema(
            [("meaning", pa.int64()), ("kind", pa.int8()), *((name, text) for name in MEANT)]
        ),
        "rejected": pa.schema([("kind", text), ("reference", text), ("problem", text), ("remedy", text)]),
    }


def kind_of(reference: str) -> str:
    """The resource type that a reference in an error begins with."""
    found = _KIND.match(reference)
    return found[1] if found else UNREADABLE


@dataclass(slots=True)
class Mapped:
    """Reads resources one at a time and writes what they state to `<stem>.<table>.mapped.parquet`.

    Attributes:
        stem: Where, without the ending.
        part: The number of the part.
        quarantine: Of this part; emptied as its rejections are written.
        received: Resources by type, each once, and lines that are none.
    """

    stem: Path
    part: int = 0
    quarantine: Quarantine = field(default_factory=Quarantine)
    received: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.part >= MOST_PARTS:
            problem = f"has more than {MOST_PARTS} files, or parts of them"
            raise SourceError("the export", problem, "join small files, or ingest it in several pieces")

    def line(self, number: int, where: str, content: bytes) -> None:
        """Read one line of NDJSON, the one of that number in its part."""
        before = len(self.quarantine)
        try:
            if len(content) > MAX_LINE_BYTES:
                raise MappingError(
                    where, f"is longer than {MAX_LINE_BYTES // 2**20} MiB", "split the resource"
                )
            for entry, (at, resource) in enumerate(
                unpacked(parse_resource(content, where), where, self.quarantine)
            ):
                self.resource(self._place(number, entry), at, resource)
        except InputError as error:
            self.quarantine.reject(error)
        self._count(before)

    def file(self, path: Path, name: str) -> None:
        """Read all of a file: a Bundle, or lines that cannot be cut into parts."""
        before = len(self.quarantine)
        for number, (where, resource) in enumerate(file_resources(path, name, self.quarantine)):
            self.resource(self._place(number), where, resource)
            self._count(before)
        self._count(before)

    def resource(self, place: int, where: str, resource: Json) -> None:
        """Read one resource; what cannot be read is set aside."""
        try:
            source = source_of(resource, where)
            if needs_medication(resource):
                self._put("deferred", {"place": place, "source": source, "content": json.dumps(resource)})
                self.received[kind_of(source)] += 1
            else:
                self._read(place, source, resource, {})
        except InputError as error:
            self.quarantine.reject(error)

    def waited(self, place: int, source: str, resource: Json, medications: Mapping[str, Json]) -> None:
        """Read a resource that waited for the Medication that it names, and was counted when it came."""
        before = len(self.quarantine)
        counted = self.received.copy()
        try:
            self._read(place, source, resource, medications)
        except InputError as error:
            self.quarantine.reject(error)
        self._count(before)
        self.received = counted

    def _place(self, line: int, entry: int = 0) -> int:
        return (self.part << PART_BITS) + (line << ENTRY_BITS) + entry

    def set_aside(self, error: InputError) -> None:
        """Count a line or a file that is no resource."""
        before = len(self.quarantine)
        self.quarantine.reject(error)
        self._count(before)

    def close(self) -> None:
        """Write what is left."""
        for table in list(self.rows):
            self._flush(table)
        for writer in self.writers.values():
            writer.close()
        self.writers.clear()

    def _count(self, before: int) -> None:
        """Count what was set aside since there were `before` rejections, and write it."""
        for rejection in self.quarantine.rejections[before:]:
            kind = kind_of(rejection.reference)
            self.received[kind] += 1
            self.rejected[kind] += 1
            self._put(
                "rejected",
                {
                    "kind": kind,
                    "reference": rejection.reference,
                    "problem": rejection.problem,
                    "remedy": rejection.remedy,
                },
            )
        del self.quarantine.rejections[before:]

    def _read(self, place: int, source: str, resource: Json, medications: Mapping[str, Json]) -> None:
        kind = source.partition("/")[0]
        if kind == "Patient":
            self._put("persons", person_row(place, patient_to_person(resource, source)))
        elif kind == "Organization":
            name = organization_name(resource, source)
            self._put("sites", {"place": place, "source": source, "content": name})
            self.quarantine.accept(kind)
        elif kind == "Medication":
            content = json.dumps(resource)
            self._put("medications", {"place": place, "source": source, "content": content})
            self.quarantine.accept(kind)
        else:
            facts = resource_to_facts(resource, source, medications)
            if facts is None:
                self.quarantine.accept(kind)
                self.quarantine.notice(f"{kind} is not a resource type that is read")
            else:
                for row in fact_rows(place, source, facts):
                    self._put("facts", row)
        self.received[kind] += 1

    def _put(self, table: str, row: Row) -> None:
        rows = self.rows.setdefault(table, [])
        rows.append(row)
        if len(rows) >= ROWS_AT_ONCE:
            self._flush(table)

    def _flush(self, table: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = schemas()[table]
        if table not in self.writers:
            path = self.stem.with_name(f"{self.stem.name}.{table}.mapped.parquet")
            self.writers[table] = pq.ParquetWriter(path, schema)
        self.writers[table].write_table(pa.Table.from_pylist(self.rows.pop(table), schema=schema))


def fact_rows(place: int, source: str, facts: Facts) -> list[Row]:
    """The rows of one resource's facts; one that states nothing gives a row too, so that it is counted."""
    rows: list[Row] = [
        {
            "kind": EVENT,
            "time": event.time,
            "system": event.code.system,
            "value": event.code.value,
            "number": event.number,
            "comparator": event.comparator,
            "unit": event.unit,
            "text": event.text,
            "display": event.display,
        }
        for event in facts.events
    ]
    rows += [{"kind": NOTE, "time": note.time, "value": note.kind, "text": note.text} for note in facts.notes]
    rows += [
        {"kind": STUDY, "time": study.time, "value": study.study_uid, "text": _series(study)}
        for study in facts.studies
    ]
    rows = rows or [{"kind": NONE}]
    for ordinal, row in enumerate(rows):
        row.update(place=place, source=source, patient=facts.patient, ordinal=ordinal)
        row["happened"] = _plain(facts.happened)
        row["time"] = _plain(row.get("time"))
    rows[0]["notices"] = "\n".join(facts.notices) or None
    return rows


def _series(study: ImagingStudy) -> str:
    return json.dumps([[each.series_uid, each.modality, each.view, each.body_part] for each in study.series])


def _plain(time: datetime | None) -> datetime | None:
    """A time without its zone, which is UTC in every table."""
    return None if time is None else time.astimezone(UTC).replace(tzinfo=None)


def person_row(place: int, person: Person) -> Row:
    """The row of one patient."""
    return {
        "place": place,
        "source": person.source,
        "patient_id": person.patient_id,
        "birth_date": person.birth_date,
        "sex": person.sex,
        "died": _plain(person.died),
        "organization": person.organization,
        "organization_name": person.organization_name,
        "replaced_by": list(person.replaced_by),
        "replaces": list(person.replaces),
        "notices": "\n".join(person.notices) or None,
    }
