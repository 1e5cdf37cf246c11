"""Cells of a table as text and as numbers."""

from __future__ import annotations

import math


def cell_text(value: object) -> str:
    """A cell as the text that a mapping names it by: 1, 1.0 and "1" are all "1"; missing is ""."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return "" if text in {"nan", "<NA>", "NaT"} else text


def cell_number(value: object) -> float | None:
    """A finite number that the cell states, else None; truth values count as 0 and 1."""
    if not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def number_or_text(value: object) -> float | None:
    """As `cell_number`, but text may state the number: one bad cell makes a whole column text."""
    if not isinstance(value, str):
        return cell_number(value)
    try:
        return cell_number(float(value))
    except ValueError:
        return None
