"""Rows of a published CSV file as text, with the checks that every cohort reader needs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from prognosis.errors import MappingError, SourceError

Row = dict[str, str]

MISSING = frozenset({"", "nan", "na", "n/a", "none", "unknown"})


def read_rows(path: Path, required: Sequence[str]) -> list[Row]:
    """The rows of a CSV file, UTF-8 (with or without a byte-order mark) or else Latin-1.

    Args:
        path: The file.
        required: Columns that the reader cannot do without.

    Raises:
        SourceError: The file is absent, empty, not CSV, or lacks a required column.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(str(path), "cannot be read", "give the folder that holds it") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        rows = [{k: v.strip() for k, v in row.items() if isinstance(k, str)} for row in reader]
    except csv.Error as error:
        raise SourceError(str(path), f"is not CSV ({error})", "give the file as published") from error
    columns = reader.fieldnames or []
    missing = [name for name in required if name not in columns]
    if missing:
        raise SourceError(
            str(path),
            f"lacks the column(s) {', '.join(missing)}",
            f"give the file as published; it has {', '.join(columns) or 'no columns'}",
        )
    if not rows:
        raise SourceError(str(path), "has no rows", "give the file as published")
    return rows


def number_in(row: Row, column: str, reference: str) -> float | None:
    """A cell as a number, which may be infinite; None when it is empty.

    Raises:
        MappingError: The cell holds something else.
    """
    text = row.get(column, "")
    if text.lower() in MISSING:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise MappingError(reference, f"{column} is not a number", "give a number or leave it empty")
    return number


def days_in(row: Row, column: str, reference: str) -> int | None:
    """A cell as whole days, None when it is empty.

    Raises:
        MappingError: The cell is not a whole number of days within a century.
    """
    number = number_in(row, column, reference)
    if number is None:
        return None
    if not number.is_integer() or abs(number) > 36_525:
        raise MappingError(reference, f"{column} is not a whole number of days", "give days as integers")
    return int(number)


def marked_in(row: Row) -> bool:
    """Whether the row says that the lungs of its film were marked."""
    return row.get("lung_mask", "").lower() == "true"
