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
from connectors.fhir.ingest.vectors import WIDTH

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS = 2**17
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

    def flush(self, state: NDArray[np.int64]) -> None:
        """Write what was found, and make room."""
        count = int(state[scanning.ROWS])
        if count:
            self._write(count)
        state[[scanning.ROWS, scanning.SOURCE_BYTES, scanning.PATIENT_BYTES]] = 0

    def close(self) -> None:
        """Finish the files."""
        for writer in self.writers.values():
            writer.close()
        self.writers.clear()

    def _write(self, count: int) -> None:
        import pyarrow as pa

        line, happened, time, fact = (self.found.facts[:count, column] for column in range(4))
        place = (self.part << PART_BITS) + (line << ENTRY_BITS)
        stated: dict[str, pa.Array] = {
            "place": pa.array(place),
            "source": _texts(self.found.source_ends, self.found.sources, count),
            "patient": _texts(self.found.patient_ends, self.found.patients, count),
            "happened": _times(happened),
            "time": _times(time),
            "number": pa.array(self.found.numbers[:count], mask=np.isnan(self.found.numbers[:count])),
        }
        is_person = self.known.persons[: len(self.known.consts)][fact]
        for table, chosen in (("facts", ~is_person), ("persons", is_person)):
            if chosen.all():
                self._put(table, stated, fact)
            elif chosen.any():
                rows = pa.array(np.flatnonzero(chosen))
                self._put(table, {name: each.take(rows) for name, each in stated.items()}, fact[chosen])

    def _put(self, table: str, stated: dict[str, pa.Array], fact: NDArray[np.int64]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = schemas()[table]
        columns = _person(stated) if table == "persons" else stated
        arrays = []
        for name in schema.names:
            if name in columns and (table == "facts" or name in _OF_A_PERSON):
                arrays.append(columns[name])
            else:
                arrays.append(self._constant(name, fact, schema.field(name).type))
        rows = pa.table(arrays, names=schema.names)
        if table not in self.writers:
            path = self.stem.with_name(f"{self.stem.name}.{table}.scanned.parquet")
            dictionaries = [name for name in schema.names if name not in _ALL_DIFFERENT]
            self.writers[table] = pq.ParquetWriter(
                path, rows.schema, compression="none", use_dictionary=dictionaries, write_statistics=False
            )
        self.writers[table].write_table(rows)

    def _constant(self, name: str, fact: NDArray[np.int64], kind: pa.DataType) -> pa.Array:
        """A column that is what the mapping said of each kind of fact."""
        import pyarrow as pa

        places, values = self.known.column(name)
        found = places[fact]
        if pa.types.is_integer(kind):
            return pa.array(np.array(values or [0], np.int64)[found]).cast(kind)
        if not pa.types.is_string(kind):
            return pa.array([[]] * len(fact), kind)
        indices = pa.array(found, mask=found < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))


_ALL_DIFFERENT = frozenset({"place", "source", "number", "time", "happened", "birth_date", "died", "patient_id"})
_OF_A_PERSON = frozenset({"place", "source", "patient_id", "birth_date", "died"})


def _person(stated: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Birth and death of a person go where the time and `happened` of a fact do."""
    import pyarrow as pa
    import pyarrow.compute as pc

    own = pc.utf8_slice_codeunits(stated["source"], len("Patient/"))
    born = stated["time"].cast(pa.date32(), safe=False)
    return {**stated, "patient_id": own, "birth_date": born, "died": stated["happened"]}


def _texts(ends: NDArray[np.int32], texts: NDArray[np.uint8], count: int) -> Any:
    import pyarrow as pa

    used = texts[: int(ends[count])].copy()
    return pa.StringArray.from_buffers(count, pa.py_buffer(ends[: count + 1].copy()), pa.py_buffer(used))


def _times(microseconds: NDArray[np.int64]) -> Any:
    import pyarrow as pa

    return pa.array(np.ascontiguousarray(microseconds).view("M8[us]"), pa.timestamp("us"))
