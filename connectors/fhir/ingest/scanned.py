"""What the scan found, as rows on disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from connectors.fhir.ingest import scanning
from connectors.fhir.ingest.known import Known
from connectors.fhir.ingest.mapped import ENTRY_BITS, PART_BITS, schemas
from connectors.fhir.ingest.rows import MEANT
from connectors.fhir.ingest.vectors import WIDTH

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS = 2**17
_MEANING_BITS = 24
_TEXT_ROOM = _ROWS * scanning.SOURCE_LENGTH + 2 * WIDTH


@dataclass(frozen=True, slots=True)
class Found:
    """What the scan fills.

    Attributes:
        facts: By row: the line's number, happened, time, and which fact of all that are known it is.
        numbers: By row; NaN for none.
        source_ends: Where the source of each row ends in `sources`; the first is 0.
        sources: Bytes.
        patient_ends: As of sources.
        patients: Bytes.
        work: For the scan to work in.
    """

    facts: NDArray[np.int64] = field(default_factory=lambda: np.empty((_ROWS, 4), np.int64))
    numbers: NDArray[np.float64] = field(default_factory=lambda: np.empty(_ROWS))
    source_ends: NDArray[np.int32] = field(default_factory=lambda: np.zeros(_ROWS + 1, np.int32))
    sources: NDArray[np.uint8] = field(default_factory=lambda: np.empty(_TEXT_ROOM, np.uint8))
    patient_ends: NDArray[np.int32] = field(default_factory=lambda: np.zeros(_ROWS + 1, np.int32))
    patients: NDArray[np.uint8] = field(default_factory=lambda: np.empty(_TEXT_ROOM, np.uint8))
    work: NDArray[np.int64] = field(default_factory=lambda: np.zeros(scanning.WORK_WORDS, np.int64))

    def addresses(self) -> list[int]:
        """As the scan wants them, from `OUT` to `ROOM`."""
        filled = (self.facts, self.numbers, self.source_ends, self.sources, self.patient_ends, self.patients)
        return [*(each.ctypes.data for each in (*filled, self.work)), _ROWS]


@dataclass(slots=True)
class Scanned:
    """Writes `<stem>.<table>.scanned.parquet`, the tables that `Mapped` writes too.

    Attributes:
        stem: Where, without the ending.
        part: The number of the part.
        known: What facts are.
        found: Filled by the scan.
    """

    stem: Path
    part: int
    known: Known
    found: Found = field(default_factory=Found)
    writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)
    used: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def flush(self, state: NDArray[np.int64]) -> None:
        """Write what was found, and make room."""
        count = int(state[scanning.ROWS])
        if count:
            self._write(count)
        state[[scanning.ROWS, scanning.SOURCE_BYTES, scanning.PATIENT_BYTES]] = 0

    def close(self) -> None:
        """Finish the files."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for writer in self.writers.values():
            writer.close()
        self.writers.clear()
        used = np.flatnonzero(self.used)
        rows = [
            {**self.known.consts[fact], "meaning": self._first + fact}
            for fact in used.tolist()
            if not self.known.persons[fact]
        ]
        if rows:
            path = self.stem.with_name(f"{self.stem.name}.meanings.scanned.parquet")
            pq.write_table(pa.Table.from_pylist(rows, schema=schemas()["meanings"]), path)

    @property
    def _first(self) -> int:
        """The number of the first meaning: those of one part are not those of another."""
        return self.part << _MEANING_BITS

    def _write(self, count: int) -> None:
        line, happened, time, fact = (self.found.facts[:count, column] for column in range(4))
        fact = np.ascontiguousarray(fact)
        used = np.bincount(fact, minlength=len(self.known.consts)) > 0
        used[: self.used.size] |= self.used
        self.used = used
        stated = {
            "place": (self.part << PART_BITS) + (line << ENTRY_BITS),
            "source": _texts(self.found.source_ends, self.found.sources, count),
            "patient": _texts(self.found.patient_ends, self.found.patients, count),
            "happened": happened,
            "time": time,
            "number": self.found.numbers[:count],
        }
        is_person = self.known.persons[fact]
        if not is_person.any():
            self._put_facts(stated, fact)
            return
        for chosen, put in ((~is_person, self._put_facts), (is_person, self._put_persons)):
            if chosen.any():
                rows = np.flatnonzero(chosen)
                put({name: each.take(rows) for name, each in stated.items()}, fact[rows])

    def _put_facts(self, stated: dict[str, Any], fact: NDArray[np.int64]) -> None:
        import pyarrow as pa

        number = stated["number"]
        missing = np.isnan(number)
        columns = {
            "place": stated["place"],
            "source": stated["source"],
            "patient": stated["patient"],
            "happened": _times(stated["happened"]),
            "time": _times(stated["time"]),
            "number": pa.array(number, mask=missing) if missing.any() else pa.array(number),
            "ordinal": self.known.column("ordinal")[fact].astype(np.int32),
            "kind": self.known.column("kind")[fact].astype(np.int8),
            "meaning": fact + self._first,
        }
        for name in ("medication", "notices"):
            constant = self._constant(name, fact)
            if constant is not None:
                columns[name] = constant
        self._put("facts", columns)

    def _put_persons(self, stated: dict[str, Any], fact: NDArray[np.int64]) -> None:
        """Birth and death of a person stand where the time and `happened` of a fact do."""
        import pyarrow as pa
        import pyarrow.compute as pc

        nobody = pa.array([[]] * len(fact), pa.list_(pa.string()))
        columns = {
            "place": stated["place"],
            "source": stated["source"],
            "patient_id": pc.utf8_slice_codeunits(stated["source"], len("Patient/")),
            "birth_date": _times(stated["time"]).cast(pa.date32(), safe=False),
            "died": _times(stated["happened"]),
            "replaced_by": nobody,
            "replaces": nobody,
        }
        for name in ("sex", "organization", "organization_name", "notices"):
            columns[name] = self._constant(name, fact)
        self._put("persons", {name: each for name, each in columns.items() if each is not None})

    def _constant(self, name: str, fact: NDArray[np.int64]) -> pa.Array | None:
        """A column that is what the mapping said of each kind of fact; None where it said nothing."""
        import pyarrow as pa

        found = self.known.column(name)[fact]
        missing = found < 0
        if missing.all():
            return None
        values = pa.array(self.known.values(name), pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(found.astype(np.int32), mask=missing), values).cast(
            pa.string()
        )

    def _put(self, table: str, columns: dict[str, Any]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = schemas()[table]
        absent = pa.nulls(len(columns["place"]))
        names = [name for name in schema.names if not (table == "facts" and name in MEANT)]
        rows = pa.table(
            [columns[name] if name in columns else absent.cast(schema.field(name).type) for name in names],
            names=names,
        )
        if table not in self.writers:
            path = self.stem.with_name(f"{self.stem.name}.{table}.scanned.parquet")
            self.writers[table] = pq.ParquetWriter(
                path, rows.schema, compression="none", use_dictionary=_REPEATED, write_statistics=False
            )
        self.writers[table].write_table(rows)


_REPEATED = ["patient", "medication", "notices", "ordinal", "kind", "meaning", "sex", "organization"]


def _texts(ends: NDArray[np.int32], texts: NDArray[np.uint8], count: int) -> pa.StringArray:
    import pyarrow as pa

    return pa.StringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(texts))


def _times(microseconds: NDArray[np.int64]) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.ascontiguousarray(microseconds).view("M8[us]"), pa.timestamp("us"))
