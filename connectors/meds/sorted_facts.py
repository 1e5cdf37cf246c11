"""Facts sorted on disk by subject and time, and written as MEDS rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from connectors.meds.layout import BIRTH, DEATH, NOTE_SYSTEM, OWN_SYSTEM, STUDY_SYSTEM, event_schema

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

NOTE, STUDY = 2, 3
_BORN = -2
_ROWS_AT_ONCE = 51_200
_CODE = (
    f"CASE kind WHEN {NOTE} THEN '{NOTE_SYSTEM}|' || value WHEN {STUDY} THEN '{STUDY_SYSTEM}|' || value "
    f"ELSE CASE WHEN system = '' OR system = '{OWN_SYSTEM}' AND value IN ('{BIRTH}', '{DEATH}') THEN value "
    "ELSE system || '|' || value END END"
)
_TEXTS = {
    "code": _CODE,
    "comparator": "comparator",
    "unit": "unit",
    "text_value": "text",
    "display": "display",
}
_OWN = ", ".join(f"{made} AS {name}" for name, made in _TEXTS.items())


@dataclass(frozen=True, slots=True)
class _Shared:
    """A text column of meanings: of each meaning the place of its text, -1 for none; the texts in order."""

    places: NDArray[np.int64]
    texts: pa.Array

    def column(self, meanings: NDArray[np.int64]) -> pa.Array:
        """The texts of rows, each text that occurs held once."""
        import pyarrow as pa

        found = self.places[meanings]
        missing = found < 0
        used = np.bincount(found[~missing] if missing.any() else found, minlength=len(self.texts)) > 0
        renumbered = np.cumsum(used, dtype=np.int32) - 1
        indices = pa.array(renumbered[found] if used.any() else found.astype(np.int32), mask=missing)
        return pa.DictionaryArray.from_arrays(indices, self.texts.filter(pa.array(used)))


def write_facts(engine: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the view `record_fact`, with the births of the table `subject`, to one Parquet file.

    Args:
        engine: Has the views that `write_store` asks for, and `subject`.
        path: The file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    identities, shared = _meanings(engine)
    ((own,),) = engine.execute(
        "SELECT count(*) FROM record_fact WHERE meaning IS NULL OR value IS NOT NULL"
    ).fetchall()
    narrow = "subject_id, time, source, ordinal, number, meaning"
    texts = f", {_OWN}" if own else ""
    born = (
        f"SELECT subject_id, CAST(birth_date AS TIMESTAMP), 'birth', 0, NULL, {_BORN}"  # noqa: S608
        f"{', NULL' * len(_TEXTS) if own else ''} FROM subject WHERE birth_date IS NOT NULL"
    )
    rows = engine.sql(
        f"SELECT * EXCLUDE (ordinal) FROM "  # noqa: S608 - this module's own words
        f"(SELECT {narrow}{texts} FROM record_fact JOIN subject USING (person) "
        f"UNION ALL {born}) ORDER BY subject_id, time, source, ordinal"
    )
    shown = pa.string() if own else pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([f.with_type(shown) if f.name in _TEXTS else f for f in event_schema()])
    repeated = ["subject_id", *_TEXTS]
    with pq.ParquetWriter(path, schema, use_dictionary=repeated, store_schema=False) as writer:
        for batch in rows.to_arrow_reader(_ROWS_AT_ONCE):
            columns = _columns(batch, identities, shared, own=bool(own))
            writer.write_table(pa.table([columns[name] for name in schema.names], schema=schema))


def _meanings(engine: duckdb.DuckDBPyConnection) -> tuple[NDArray[np.int64], Mapping[str, _Shared]]:
    """The numbers of meanings in order, and their texts; births are one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = ", ".join(f"NULL AS {name}" for name in _TEXTS if name not in ("code", "display"))
    found = engine.sql(
        f"SELECT meaning, {_OWN} FROM record_meaning UNION ALL BY NAME "  # noqa: S608
        f"SELECT {_BORN} AS meaning, '{BIRTH}' AS code, '' AS display, {nothing} ORDER BY meaning"
    ).to_arrow_table()
    shared = {}
    for name in _TEXTS:
        column = found[name].combine_chunks().cast(pa.string())
        texts = pc.unique(column).drop_null()
        texts = texts.take(pc.sort_indices(texts))
        places = pc.fill_null(pc.index_in(column, texts), -1)
        shared[name] = _Shared(places.to_numpy(zero_copy_only=False).astype(np.int64), texts)
    return found["meaning"].to_numpy(), shared


def _columns(
    batch: pa.RecordBatch, identities: NDArray[np.int64], shared: Mapping[str, _Shared], *, own: bool
) -> dict[str, Any]:
    """The columns of `event_schema`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = {name: batch.column(name) for name in ("subject_id", "time", "source", "number")}
    number = found["number"].to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore", invalid="ignore"):
        single = number.astype(np.float32)
    found["numeric_value"] = pa.array(single, mask=~np.isfinite(single))
    given = batch.column("meaning")
    stated = pc.fill_null(given, identities[0]).to_numpy(zero_copy_only=False)
    meanings = np.searchsorted(identities, stated)
    for name, each in shared.items():
        column = each.column(meanings)
        if own:
            column = pc.if_else(given.is_valid(), column.cast(pa.string()), None)
            column = pc.coalesce(batch.column(name), column)
        found[name] = column
    if own:
        found["display"] = pc.fill_null(found["display"], "")
    return found
