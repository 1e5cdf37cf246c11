"""A MEDS folder written from tables, for cohorts that do not fit into memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.meds.layout import VERSION
from connectors.meds.sorted_facts import write_facts

if TYPE_CHECKING:
    import duckdb


def write_store(engine: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """Write what was settled as `write_meds` writes records, sorted on disk.

    `record_person` has a row a patient: person (any key), site, patient_id, birth_date, sex. `record_fact`
    has person, source, ordinal (within the source), kind (1 event, 2 note, 3 imaging study), time, number,
    meaning, system, value, comparator, unit, text, display; of a note `value` is its kind, of a study its
    UID. Of a fact with a `meaning`, those of the last six that are NULL are what `record_meaning` (meaning,
    kind and the six) has: facts are sorted without the texts that many share.

    Args:
        engine: Has the three views.
        folder: Has the folders `data` and `metadata`.

    Returns:
        How many "subjects" and "rows" were written.
    """
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE subject AS SELECT person, "
        "CAST(CAST('0x' || substr(sha256(site || chr(31) || patient_id), 1, 16) AS UBIGINT) >> 1 AS BIGINT) "
        "AS subject_id, site, patient_id, birth_date, sex FROM record_person"
    )
    facts = folder / "data" / "0.parquet"
    write_facts(engine, facts)
    people = "SELECT subject_id, site, patient_id, birth_date, sex FROM subject ORDER BY site, patient_id"
    _copy(engine, people, folder / "metadata" / "subjects.parquet")
    codes = f"SELECT code, min(display) AS description FROM {_table(facts)} GROUP BY code ORDER BY code"
    _copy(engine, codes, folder / "metadata" / "codes.parquet")
    (folder / "metadata" / "dataset.json").write_text(
        json.dumps({"dataset_name": "prognosis ingest", "meds_version": VERSION}), encoding="utf-8"
    )
    return {"subjects": _count(engine, "subject"), "rows": _count(engine, _table(facts))}


def _copy(engine: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    engine.execute(f"COPY ({query}) TO {_text(str(path))} (FORMAT parquet, ROW_GROUP_SIZE 50000)")


def _count(engine: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(engine.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _table(path: Path) -> str:
    return f"read_parquet({_text(str(path))})"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
