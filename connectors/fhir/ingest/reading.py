"""One part of an export read into tables on disk: by SQL what it can decide, by the mapping the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from connectors.fhir.ingest.columns import COLUMNS, sql_type
from connectors.fhir.ingest.expressions import quoted
from connectors.fhir.ingest.mapped import ENTRY_BITS, PART_BITS, Mapped
from connectors.fhir.ingest.parts import Part
from connectors.fhir.ingest.plans import PLANS
from connectors.fhir.ingest.sorting import (
    KINDS,
    Lines,
    Shapes,
    first_kind,
    lines_held,
    map_line,
    sorted_lines,
)

if TYPE_CHECKING:
    import duckdb


@dataclass(slots=True)
class Reader:
    """Reads parts one after the other.

    Attributes:
        engine: Runs SQL, with one thread: its rows are numbered in the order of lines.
        spool: A folder for copies of lines.
        validate: Look at the structure of every line, and not only at what SQL declares.
        shapes: What is known of shapes so far.
    """

    engine: duckdb.DuckDBPyConnection
    spool: Path
    validate: bool
    shapes: Shapes

    def read(self, part: Part, stem: Path, mapped: Mapped) -> None:
        """Write `<stem>.facts.<type>.parquet` or `.persons.`, and what `mapped` writes.

        Raises:
            NotInPartsError: A line is too long to be read so.
        """
        if not self.validate and self._read_as_given(part, stem, mapped):
            return
        spool = {kind: self.spool / f"{kind}.ndjson" for kind in KINDS}
        for lines in sorted_lines(part, self.shapes, mapped, spool):
            self._stage(lines)
            self._write(lines, part, stem, mapped)

    def _read_as_given(self, part: Part, stem: Path, mapped: Mapped) -> bool:
        """Read a part of one type without looking at its structure; False where its lines do not add up."""
        import duckdb

        kind = first_kind(part)
        held = lines_held(part.path)
        if kind is None:
            return False
        lines = Lines(part.path, kind, None, held)
        try:
            staged = self._stage(lines)
        except duckdb.Error:
            return False
        if staged != held:
            return False
        self._write(lines, part, stem, mapped)
        return True

    def _stage(self, lines: Lines) -> int:
        """Fill the table `staged`; how many rows it has."""
        columns = ", ".join(
            f"{quoted(name)}: {quoted(sql_type(inner))}" for name, inner in COLUMNS[lines.kind].items()
        )
        read = (
            f"read_json({quoted(str(lines.path))}, format = 'newline_delimited', ignore_errors = true, "
            f"columns = {{{columns}}})"
        )
        self.engine.execute(
            "CREATE OR REPLACE TEMP TABLE staged AS "
            f"WITH lines AS (SELECT row_number() OVER () - 1 AS line, * FROM {read}) "
            f"SELECT * REPLACE (plain AND resourceType = '{lines.kind}' AS plain) "
            f"FROM ({PLANS[lines.kind].staged})"
        )
        if PLANS[lines.kind].parted:
            self.engine.execute(f"UPDATE staged SET plain = FALSE WHERE line IN ({PLANS[lines.kind].parted})")
        return _count(self.engine, "SELECT count(*) FROM staged")

    def _write(self, lines: Lines, part: Part, stem: Path, mapped: Mapped) -> None:
        import pyarrow as pa

        table = "persons" if lines.kind == "Patient" else "facts"
        out = stem.with_name(f"{stem.name}.{table}.{lines.kind}.parquet")
        rows = " UNION ALL ".join(PLANS[lines.kind].rows)
        number = "place"
        if lines.numbers is not None:
            positions = pa.table({"position": np.arange(lines.count), "original": lines.numbers})
            self.engine.register("numbered", positions)
            rows = f"SELECT * EXCLUDE (position) FROM ({rows}) JOIN numbered ON place = position"
            number = "original"
        place = f"(({mapped.part}::BIGINT << {PART_BITS}) + ({number} << {ENTRY_BITS})) AS place"
        leave = "" if lines.numbers is None else "EXCLUDE (original)"
        self.engine.execute(
            f"COPY (SELECT * {leave} REPLACE ({place}) FROM ({rows})) TO {quoted(str(out))} (FORMAT parquet)"
        )
        odd = self.engine.execute("SELECT line FROM staged WHERE NOT plain OR plain IS NULL ORDER BY line")
        wanted = np.array([line for (line,) in odd.fetchall()], np.int64)
        mapped.received[lines.kind] += lines.count - wanted.size
        if wanted.size:
            self._map(lines, wanted, part, mapped)

    def _map(self, lines: Lines, wanted: np.ndarray, part: Part, mapped: Mapped) -> None:
        """Give lines, by their place among those of the file that hold something, to the mapping."""
        chosen = set(wanted.tolist())
        held = -1
        with lines.path.open("rb") as stream:
            for position, content in enumerate(stream):
                held += bool(content.strip())
                if held in chosen and content.strip():
                    number = position if lines.numbers is None else int(lines.numbers[held])
                    map_line(content, number, part, mapped)


def _count(engine: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(engine.execute(query).fetchall()[0][0])
