"""Patient.link followed over a table of patients of any size, by the rules of `settled_persons`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.fhir.gather import Gathered
from connectors.fhir.links import settled_persons
from connectors.fhir.mapping_facts import Person
from prognosis.record import Quarantine

if TYPE_CHECKING:
    import duckdb


@dataclass(slots=True)
class Settled:
    """What came of all resources.

    Attributes:
        accepted: Resources that were used, by type.
        rejected: Resources set aside once all were known, by type.
        notices: What a reader of the cohort should know, with how often.
    """

    accepted: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)


def make_table(engine: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, Any]]) -> None:
    """A table of the engine, in place of an earlier one of that name."""
    import pyarrow as pa

    engine.register(f"{name}_rows", pa.Table.from_pylist(rows))
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}_rows")
    engine.unregister(f"{name}_rows")


def follow_links(engine: duckdb.DuckDBPyConnection, settled: Settled) -> None:
    """Follow links in the table `person`, and part those whom no one can tell apart.

    Only patients with links or shared ids are held in memory. Leaves the kept in `person`, and makes
    `standing` (who stands for whom) and `refused_person`.
    """
    linked = "len(replaced_by) + len(replaces) > 0"
    chosen = engine.execute(
        f"""
        SELECT * FROM person WHERE {linked}
        OR source IN (SELECT unnest(list_concat(replaced_by, replaces)) FROM person WHERE {linked})
        OR (patient_id, site) IN
           (SELECT (patient_id, site) FROM person GROUP BY patient_id, site HAVING count(*) > 1)
        ORDER BY source
        """
    )
    names = [column[0] for column in chosen.description]
    rows = [dict(zip(names, row, strict=True)) for row in chosen.fetchall()]
    contradicted = engine.execute("SELECT source FROM persons_repeat WHERE contradicted").fetchall()
    quarantine = Quarantine()
    gathered = Gathered(quarantine, contradicted={source for (source,) in contradicted})
    for row in rows:
        gathered.persons[row["source"]] = _person(row)
        gathered.lines[row["source"]] = row["lines"]
        if row["organization"] is not None and row["site"]:
            gathered.sites[row["organization"]] = row["site"]
    persons = settled_persons(gathered)
    settled.accepted.update(quarantine.accepted)
    settled.notices.update(quarantine.notices)
    for rejection in quarantine:
        values = ["Patient", rejection.reference, rejection.problem, rejection.remedy]
        engine.execute("INSERT INTO refused VALUES (?, ?, ?, ?, 1)", values)
    gone = sorted(gathered.persons.keys() - persons.kept.keys())
    make_table(engine, "gone", [{"source": source} for source in gone] or [{"source": ""}])
    engine.execute("DELETE FROM person WHERE source IN (SELECT source FROM gone)")
    stands = [{"source": old, "target": new} for old, new in persons.stands_for.items()]
    make_table(engine, "standing", stands or [{"source": "", "target": ""}])
    refused = [{"source": source} for source in sorted(persons.refused)]
    make_table(engine, "refused_person", refused or [{"source": ""}])


def _person(row: Mapping[str, Any]) -> Person:
    return Person(
        source=row["source"],
        patient_id=row["patient_id"],
        birth_date=row["birth_date"],
        sex=row["sex"],
        died=row["died"],
        organization=row["organization"],
        organization_name=row["organization_name"],
        replaced_by=tuple(row["replaced_by"]),
        replaces=tuple(row["replaces"]),
    )
