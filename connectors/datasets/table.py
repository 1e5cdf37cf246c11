"""Any table with a time and an event: the form in which survival cohorts are published.

A patient's row, or rows where the table has visits, become a record with three kinds of event:
`prognosis|index`; the columns as `table|<column>`, each dated by its visit; and the end of follow-up:
`outcome|<cause>` or, when censored, `prognosis|follow-up-complete`. Dates are arbitrary: the table's time 0
is one fixed day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.datasets.cells import cell_text
from connectors.datasets.columns import TableColumns
from connectors.datasets.table_records import TableRecords
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine

if TYPE_CHECKING:
    import pandas as pd


class TableFile:
    """The patients of a CSV, TSV or Parquet file as records.

    Args:
        path: The file.
        uri: How the user named it.
        columns: What its columns mean.
    """

    def __init__(self, path: Path, uri: str, columns: TableColumns) -> None:
        self.path = Path(path)
        self.uri = uri
        self.columns = columns

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient; one whose rows cannot be read is quarantined with the row's number.

        Raises:
            SourceError: The file cannot be read or lacks a column that the mapping names.
        """
        frame = read_frame(self.path)
        yield from frame_records(frame, self.columns, self.path.stem, self.path.name, quarantine)


def read_frame(path: Path) -> pd.DataFrame:
    """A CSV, TSV or Parquet file as a table.

    Raises:
        SourceError: The file is absent, empty, of another kind, or cannot be parsed.
    """
    import pandas as pd
    import pyarrow as pa

    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return pd.read_parquet(path)
        if suffix in {".csv", ".tsv", ".gz"}:
            return pd.read_csv(path, sep="\t" if suffix == ".tsv" else ",", low_memory=False)
    except FileNotFoundError as error:
        raise SourceError(str(path), "is not there", "give the path of a CSV or Parquet file") from error
    except (OSError, ValueError, UnicodeError, pd.errors.ParserError, pa.ArrowException) as error:
        raise SourceError(
            str(path), "cannot be parsed", "give comma-separated text in UTF-8, or Parquet"
        ) from error
    raise SourceError(str(path), f"is of the unknown kind {suffix!r}", "give .csv, .tsv or .parquet")


def frame_records(
    frame: pd.DataFrame, columns: TableColumns, site: str, name: str, quarantine: Quarantine
) -> Iterator[PatientRecord]:
    """The rows of a table as records, sorted by patient id.

    Args:
        frame: The table.
        columns: What its columns mean.
        site: Of the records.
        name: Of the table, for references.
        quarantine: Where rows that cannot be read go.

    Raises:
        SourceError: The table has no rows or lacks a column that the mapping names.
    """
    frame = frame.reset_index(drop=True)
    frame.columns = frame.columns.map(str)
    _check_columns(list(frame.columns), columns, name)
    for column, wanted in columns.keep_rows_where.items():
        kept = (wanted,) if isinstance(wanted, str) else wanted
        frame = frame[[cell_text(value) in kept for value in frame[column]]]
    if frame.empty:
        raise SourceError(name, "has no rows (or none that keep_rows_where keeps)", "check the filter")
    cells = {column: frame[column].tolist() for column in frame.columns}
    reader = TableRecords(columns, site, name, cells, (frame.index + 1).tolist())
    records = sorted(reader.records(quarantine), key=lambda record: record.patient_id)
    quarantine.accept("table patient", len(records))
    yield from records


def _check_columns(present: Sequence[str], columns: TableColumns, name: str) -> None:
    missing = sorted({column for column in columns.named if column not in present})
    if missing:
        raise SourceError(
            name,
            f"lacks the column(s) {', '.join(missing)}",
            f"name columns that it has: {', '.join(present[:60])}",
        )
    repeated = sorted({column for column in present if present.count(column) > 1})
    if repeated:
        raise SourceError(name, f"repeats the column(s) {', '.join(repeated)}", "give each column one name")
