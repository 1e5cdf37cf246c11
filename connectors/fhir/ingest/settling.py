"""What was read, joined to patients: the rules of gather, links and join, over tables of any size.

Tables and views in the engine, in this order: `drug`, `stated`, `repeat`, `person`, `unused`, `record_fact`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.fhir.ingest.drugs import drug_row, in_agreement, is_named
from connectors.fhir.ingest.mapped import Mapped, schemas
from connectors.fhir.ingest.people import Settled, follow_links, make_table
from connectors.fhir.ingest.rows import EVENT, MEANT, NONE, quoted
from connectors.fhir.join import AFTER_DEATH, BEFORE_BIRTH
from connectors.fhir.mapping_clinical import CONTRADICTED
from connectors.fhir.mapping_fields import Json
from connectors.fhir.mapping_person import DEATH, DEATH_DISPLAY
from connectors.fhir.mapping_references import target_of

if TYPE_CHECKING:
    import duckdb

_TWICE = ("occurs more than once with different content", "keep one version of each resource")
_SAID = "kind, time, number"
_MEANING = f"{_SAID}, {', '.join(MEANT)}"
_FACT = (
    *("place", "source", "patient", "happened", "ordinal", "notices"),
    *_SAID.split(", "),
    "meaning",
    *MEANT,
)
_DEATH_MEANING = -1


class Settling:
    """Joins the tables of all parts.

    Args:
        engine: Runs SQL; its views `record_person` and `record_fact` are what was settled.
        parts: The folder of the parts.
        waited: Reads resources that waited for Medications; writes beside the parts.
    """

    def __init__(self, engine: duckdb.DuckDBPyConnection, parts: Path, waited: Mapped) -> None:
        self.engine = engine
        self.parts = parts
        self.waited = waited
        self.settled = Settled()

    def settle(self) -> Settled:
        """Make `record_person` and `record_fact`, and the table `refused` of what was set aside here."""
        run = self.engine.execute
        run(
            "CREATE OR REPLACE TEMP TABLE refused "
            "(kind VARCHAR, reference VARCHAR, problem VARCHAR, remedy VARCHAR, lines BIGINT)"
        )
        self._medications()
        for table in ("facts", "persons", "sites", "meanings"):
            self._open(table)
        self._drugs()
        self._repeats("stated", f"patient, happened, notices, {_MEANING}")
        self._people()
        self._place()
        self._count()
        return self.settled

    def _open(self, table: str) -> None:
        """A view of one table of all parts; empty where no part has it."""
        import pyarrow as pa

        self.engine.register(f"no_{table}", pa.Table.from_pylist([], schema=schemas()[table]))
        source = f"SELECT * FROM no_{table}"
        for by in ("mapped", "scanned"):  # their columns differ
            paths = sorted(str(path) for path in self.parts.glob(f"*.{table}.{by}.parquet"))
            if paths:
                source += f" UNION ALL BY NAME SELECT * FROM read_parquet([{', '.join(map(quoted, paths))}])"
        self.engine.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS {source}")

    def _medications(self) -> None:
        """Read what waited, now that every Medication is known."""
        for table in ("medications", "deferred"):
            self._open(table)
        self.engine.execute(
            "CREATE OR REPLACE TEMP TABLE medication AS "
            "SELECT source, arg_min(content, place) AS content FROM medications GROUP BY source"
        )
        repeated = self.engine.execute(
            "SELECT source, list(content) FROM medications GROUP BY source HAVING count(*) > 1"
        )
        for source, contents in repeated.fetchall():
            if not in_agreement(contents):
                stated = [json.dumps(CONTRADICTED), source]
                self.engine.execute("UPDATE medication SET content = ? WHERE source = ?", stated)
        after = -1
        while True:
            page = self.engine.execute(
                "SELECT place, source, content FROM deferred WHERE place > ? ORDER BY place LIMIT 1000",
                [after],
            ).fetchall()
            for place, source, content in page:
                resource: dict[str, Any] = json.loads(content)
                self.waited.waited(place, source, resource, self._medication(resource))
                after = place
            if not page:
                break
        self.waited.close()

    def _medication(self, resource: Json) -> dict[str, Json]:
        target = target_of(resource["medicationReference"], "") if is_named(resource) else None
        query = "SELECT content FROM medication WHERE source = ?"
        found = self.engine.execute(query, [target]).fetchall()
        return {str(target): json.loads(content) for (content,) in found}

    def _drugs(self) -> None:
        """Give facts whose drug a Medication names its code; set those aside that have none."""
        asked = self.engine.execute(
            "SELECT named, content FROM (SELECT DISTINCT medication AS named FROM facts "
            "WHERE medication IS NOT NULL) LEFT JOIN medication ON named = medication.source"
        )
        rows = [drug_row(named, content) for named, content in asked.fetchall()]
        view = f"SELECT {', '.join(_FACT)} FROM facts"
        if rows:
            make_table(self.engine, "drug", rows)
            self.engine.execute(
                "INSERT INTO refused SELECT split_part(facts.source, '/', 1), facts.source, problem, "
                "remedy, 1 "
                "FROM facts JOIN drug ON medication = drug.source WHERE problem IS NOT NULL"
            )
            names = ", ".join(
                f"coalesce(facts.{name}, drug.{name}) AS {name}"
                if name in ("system", "value", "display")
                else f"facts.{name}"
                for name in _FACT
            )
            view = (
                f"SELECT {names} FROM facts LEFT JOIN drug ON medication = drug.source WHERE problem IS NULL"
            )
        self.engine.execute(f"CREATE OR REPLACE TEMP VIEW stated AS {view}")

    def _repeats(self, table: str, meaning: str) -> None:
        """Make `<table>_repeat`: resources that come more than once, and which line of each is used."""
        many = (
            f"SELECT hash(source) FROM {table} {'WHERE ordinal = 0' if table == 'stated' else ''} "
            "GROUP BY ALL HAVING count(*) > 1"
        )
        rows = f"SELECT * FROM {table} WHERE hash(source) IN ({many})"
        if table == "stated":
            names = ", ".join(f"coalesce(each.{name}, meanings.{name}) AS {name}" for name in MEANT)
            rows = (
                f"SELECT each.* EXCLUDE (meaning, {', '.join(MEANT)}), {names} FROM ({rows}) AS each "
                "LEFT JOIN meanings USING (meaning)"
            )
            said = f"list(({_MEANING}) ORDER BY ordinal) FILTER (kind <> {NONE})"
            whole = "any_value(patient), any_value(happened), any_value(notices) FILTER (ordinal = 0)"
            rows = f"SELECT source, place, ({whole}, {said}) AS meant FROM ({rows}) GROUP BY source, place"
        else:
            rows = f"SELECT source, place, ({meaning}) AS meant FROM ({rows})"
        self.engine.execute(
            f"CREATE OR REPLACE TEMP TABLE {table}_repeat AS WITH each AS ({rows}), "
            "opened AS (SELECT *, first(meant) OVER (PARTITION BY source ORDER BY place) "
            "AS opening FROM each) "
            "SELECT source, count(*) AS lines, min(place) AS kept, "
            "count(*) FILTER (meant IS DISTINCT FROM opening) > 0 AS contradicted, "
            "count(*) FILTER (meant IS NOT DISTINCT FROM opening) - 1 AS again "
            "FROM opened GROUP BY source HAVING count(*) > 1"
        )
        again = self._number(f"SELECT coalesce(sum(again), 0) FROM {table}_repeat")
        if again:
            self.settled.notices["resource occurs more than once with the same content: used once"] += again
        self.engine.execute(
            f"INSERT INTO refused SELECT split_part(source, '/', 1), source, {quoted(_TWICE[0])}, "
            f"{quoted(_TWICE[1])}, lines FROM {table}_repeat WHERE contradicted"
        )

    def _people(self) -> None:
        """Make `person`, the patients that records are made of, `standing` and `refused_person`."""
        columns = (
            "patient_id, birth_date, sex, died, organization, organization_name, "
            "replaced_by, replaces, notices"
        )
        self._repeats("persons", columns)
        self.engine.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE person AS
            WITH site AS (SELECT source, arg_min(content, place) AS name FROM sites GROUP BY source)
            SELECT p.source, {columns}, coalesce(r.lines, 1) AS lines, CASE WHEN organization IS NULL
            THEN organization_name ELSE coalesce(site.name, nullif(organization_name, ''),
            regexp_extract(organization, '[^/]*$')) END AS site
            FROM persons p LEFT JOIN persons_repeat r ON p.source = r.source
            LEFT JOIN site ON organization = site.source
            WHERE r.source IS NULL OR NOT r.contradicted AND p.place = r.kept
            """
        )
        follow_links(self.engine, self.settled)

    def _place(self) -> None:
        """Join facts to patients; what belongs to nobody or precedes a birth is set aside."""
        whole = (
            "SELECT s.*, coalesce(target, patient) AS person, coalesce(r.lines, 1) AS lines FROM stated s "
            "LEFT JOIN standing ON patient = standing.source "
            "LEFT JOIN stated_repeat r ON s.source = r.source "
            "WHERE r.source IS NULL OR NOT r.contradicted AND s.place = r.kept"
        )
        if not self._number("SELECT count(*) FROM stated_repeat") + self._number(
            "SELECT count(*) FROM standing WHERE source <> ''"
        ):
            whole = "SELECT *, patient AS person, 1 AS lines FROM stated"
        self.engine.execute(f"CREATE OR REPLACE TEMP VIEW whole AS {whole}")
        self.engine.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE unused AS
            SELECT whole.source, lines, CASE WHEN refused_person.source IS NULL
            THEN 'is about a Patient that is not in the source or could not be read'
            ELSE 'is about a Patient that was itself set aside' END AS problem
            FROM whole LEFT JOIN refused_person ON patient = refused_person.source
            WHERE ordinal = 0 AND person NOT IN (SELECT source FROM person)
            UNION ALL
            SELECT DISTINCT whole.source, whole.lines, 'is dated before the patient''s birth'
            FROM whole JOIN person ON whole.person = person.source
            WHERE time < birth_date - INTERVAL {BEFORE_BIRTH.days} DAY
            """
        )
        self.engine.execute(
            "INSERT INTO refused SELECT split_part(source, '/', 1), source, problem, "
            "'correct the date or the reference', lines FROM unused"
        )
        used = "SELECT * FROM whole"
        if self._number("SELECT count(*) FROM unused"):
            used += " WHERE source NOT IN (SELECT source FROM unused)"
        self.engine.execute(f"CREATE OR REPLACE TEMP VIEW used AS {used}")
        self._deaths()

    def _deaths(self) -> None:
        """Deaths as facts, but those that later facts contradict."""
        self.engine.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE living AS
            SELECT person.source, person.lines, count(*) AS later FROM used
            JOIN person ON used.person = person.source
            WHERE ordinal = 0 AND happened > died + INTERVAL {int(AFTER_DEATH.total_seconds())} SECOND
            GROUP BY ALL
            """
        )
        self.engine.execute(
            "INSERT INTO refused SELECT 'Patient', source, 'its death precedes ' || later || "
            "' later facts by more than a day, so the death is not used', "
            "'correct deceasedDateTime, or the dates of those facts', lines FROM living"
        )
        self.engine.execute(
            "CREATE OR REPLACE TEMP VIEW record_person AS "
            "SELECT source AS person, site, patient_id, birth_date, sex FROM person"
        )
        self.engine.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW record_meaning AS
            SELECT meaning, kind, {", ".join(MEANT)} FROM meanings
            UNION ALL SELECT {_DEATH_MEANING}, {EVENT}, '{DEATH.system}', '{DEATH.value}', NULL, NULL, NULL,
            '{DEATH_DISPLAY}'
            """
        )
        self.engine.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW record_fact AS
            SELECT person, source, ordinal, {_SAID}, meaning, {", ".join(MEANT)} FROM used
            WHERE kind <> {NONE}
            UNION ALL SELECT source, source, 0, {EVENT}, died, NULL, {_DEATH_MEANING}, NULL, NULL, NULL, NULL,
            NULL, NULL FROM person
            WHERE died IS NOT NULL AND source NOT IN (SELECT source FROM living)
            """
        )

    def _count(self) -> None:
        """Count what was accepted, set aside and noticed."""
        accepted = self.engine.execute(
            "SELECT split_part(source, '/', 1), lines FROM (SELECT any_value(source) AS source, "
            "sum(lines) AS lines FROM used WHERE ordinal = 0 "
            "GROUP BY meaning, CASE WHEN meaning IS NULL THEN split_part(source, '/', 1) END) UNION ALL "
            "SELECT 'Patient', sum(lines) FROM person WHERE source NOT IN (SELECT source FROM living) "
            "HAVING count(*) > 0"
        )
        for kind, count in accepted.fetchall():  # a meaning belongs to one type, a type to many meanings
            self.settled.accepted[kind] += int(count)
        rejected = self.engine.execute("SELECT kind, sum(lines) FROM refused GROUP BY kind")
        self.settled.rejected.update({kind: int(count) for kind, count in rejected.fetchall()})
        noticed = self.engine.execute(
            "SELECT notice, count(*) FROM (SELECT unnest(string_split(notices, chr(10))) AS notice FROM "
            "(SELECT notices FROM used WHERE ordinal = 0 AND notices IS NOT NULL UNION ALL SELECT notices "
            "FROM person WHERE notices IS NOT NULL AND source NOT IN (SELECT source FROM living))) "
            "GROUP BY notice ORDER BY notice"
        )
        self.settled.notices.update({notice: int(count) for notice, count in noticed.fetchall()})

    def _number(self, query: str) -> int:
        return int(self.engine.execute(query).fetchall()[0][0])
