"""From the rows of a table to cases: each cell becomes a coded event at one index time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from prognosis.cohort import Case
from prognosis.errors import InputError
from prognosis.record import Code, Event, PatientRecord

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "text"]

INDEX_TIME = datetime(2000, 1, 1, tzinfo=UTC)
SITE = "table"
LARGEST = float(np.finfo(np.float32).max)  # trees read single precision
TOO_LARGE = ("holds a number beyond 3e38", "give it in another unit, or its logarithm")


@dataclass(frozen=True, slots=True)
class TableLayout:
    """The columns of the table that an estimator was fitted on.

    Attributes:
        names: Names of the columns, as text.
        kinds: Whether a column holds numbers (truth values are 0 and 1) or texts.
        named: False where the table was an array, whose columns are called x0, x1 and so on.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    named: bool


def as_frame(table: Any) -> pd.DataFrame:  # noqa: ANN401 - whatever a user of scikit-learn has
    """A DataFrame, or a two-dimensional array with columns x0, x1 and so on.

    Raises:
        InputError: The table has another form, no rows, no columns, or two columns of one name.
    """
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        values = np.asarray(table)
        if values.ndim != 2:
            raise InputError("X", f"has {values.ndim} dimensions", "give a DataFrame or a (n, p) array")
        table = pd.DataFrame(values, columns=[f"x{place}" for place in range(values.shape[1])])
        if values.dtype == object:
            table = table.infer_objects()
    frame = table.set_axis([str(name) for name in table.columns], axis=1)
    if not frame.shape[0] or not frame.shape[1]:
        raise InputError("X", f"has the shape {frame.shape}", "give at least one row and one column")
    repeated = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    if repeated:
        raise InputError(f"X, column {repeated[0]}", "stands there twice", "give each column one name")
    return frame


def learn_layout(table: Any) -> TableLayout:  # noqa: ANN401
    """The names and kinds of the columns of a table.

    Raises:
        InputError: The table has another form, or a column is neither numbers, truth values nor texts.
    """
    import pandas as pd

    frame = as_frame(table)
    kinds = tuple(_kind(frame[name]) for name in frame.columns)
    return TableLayout(tuple(frame.columns), kinds, isinstance(table, pd.DataFrame))


def table_cases(table: Any, layout: TableLayout) -> tuple[Case, ...]:  # noqa: ANN401
    """Each row as a case without a label; a missing cell gives no event, so its absence is what is known.

    Args:
        table: With the columns of `layout`, in any order.
        layout: From the table that was fitted.

    Raises:
        InputError: A column is missing, unknown, of another kind than in the fit, infinite or too large.
    """
    frame = as_frame(table)
    _check_columns(list(frame.columns), layout)
    columns = [
        _numbers(frame[name], name) if kind == "number" else _texts(frame[name], name)
        for name, kind in zip(layout.names, layout.kinds, strict=True)
    ]
    codes = [Code("table", name) for name in layout.names]
    width = len(str(len(frame)))
    return tuple(
        Case(_record(f"row-{row:0{width}d}", codes, cells), INDEX_TIME)
        for row, cells in enumerate(zip(*columns, strict=True))
    )


def _record(patient_id: str, codes: Sequence[Code], cells: Sequence[float | str | None]) -> PatientRecord:
    events = tuple(
        Event(INDEX_TIME, code, text=cell, source=f"{patient_id}:{code.value}", display=code.value)
        if isinstance(cell, str)
        else Event(INDEX_TIME, code, cell, source=f"{patient_id}:{code.value}", display=code.value)
        for code, cell in zip(codes, cells, strict=True)
        if cell is not None
    )
    return PatientRecord(patient_id, events=events, site=SITE)


def _kind(column: pd.Series[Any]) -> Kind:
    from pandas.api import types

    reference = f"X, column {column.name}"
    if types.is_datetime64_any_dtype(column) or types.is_timedelta64_dtype(column):
        raise InputError(reference, "holds dates or durations", "give days since an event as a number")
    if types.is_complex_dtype(column):
        raise InputError(reference, "holds complex numbers", "give real numbers")
    if types.is_bool_dtype(column) or types.is_numeric_dtype(column):
        return "number"
    cells = column.dropna().tolist()
    if isinstance(column.dtype, types.CategoricalDtype) or all(isinstance(cell, str) for cell in cells):
        return "text"
    if all(isinstance(cell, bool | int | float | np.number | np.bool_) for cell in cells):
        return "number"
    if all(isinstance(cell, str | bool | int | float | np.number | np.bool_) for cell in cells):
        return "text"
    raise InputError(
        reference, "holds something other than numbers, truth values and texts", "turn it into one of these"
    )


def _numbers(column: pd.Series[Any], name: str) -> list[float | None]:
    reference = f"X, column {name}"
    if _kind(column) != "number" and column.notna().any():
        raise InputError(reference, "holds texts, and held numbers in the fit", "give numbers")
    try:
        values = column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    except OverflowError as error:
        raise InputError(reference, *TOO_LARGE) from error
    if np.isinf(values).any():
        raise InputError(reference, "holds an infinite value", "leave the cell empty, or give a number")
    if (np.abs(values) > LARGEST).any():
        raise InputError(reference, *TOO_LARGE)
    return [None if math.isnan(value) else value for value in values.tolist()]


def _texts(column: pd.Series[Any], name: str) -> list[str | None]:
    _kind(column)
    missing = column.isna().tolist()
    texts = [None if gone else _text(cell) for cell, gone in zip(column.tolist(), missing, strict=True)]
    return [text or None for text in texts]


def _text(cell: object) -> str:
    """1, 1.0 and "1" are one text: a missing cell elsewhere in a column turns its integers into floats."""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def _check_columns(present: Sequence[str], layout: TableLayout) -> None:
    for name in layout.names:
        if name not in present:
            raise InputError(f"X, column {name}", "is missing", "give every column of the fit by its name")
    for name in present:
        if name not in layout.names:
            raise InputError(f"X, column {name}", "was not in the fit", "leave it out, or fit with it")
