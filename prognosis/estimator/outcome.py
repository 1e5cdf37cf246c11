"""What happened to each row, in the forms in which survival packages take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import InputError

Floats = NDArray[np.float64]

NO_NUMBERS = "mMc"  # durations, dates and complex numbers, which NumPy would turn into floats
FORMS = "give a structured array, DataFrame or tuple of two: event (True, or 1 to K for causes), then time"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Follow-up of n rows.

    Attributes:
        cause: (n,) 0 when censored, else 1 to K.
        time: (n,) in the user's unit, finite and not negative.
    """

    cause: NDArray[np.int64]
    time: Floats

    def causes(self) -> tuple[str, ...]:
        """Names of the K causes: "event" where there is one, else "cause_1" to "cause_K".

        Raises:
            InputError: Nothing happened, or a number below the highest never occurs.
        """
        highest = int(self.cause.max(initial=0))
        if not highest:
            raise InputError("y, event", "is censored in every row", "give rows with events; " + FORMS)
        for number in range(1, highest + 1):
            if not (self.cause == number).any():
                raise InputError(
                    "y, event", f"{number} never occurs", "number the causes from 1, each with events"
                )
        return ("event",) if highest == 1 else tuple(f"cause_{k}" for k in range(1, highest + 1))


def read_outcome(y: Any, rows: int) -> Outcome:  # noqa: ANN401 - whatever a survival package takes
    """Read event and time.

    Args:
        y: A structured array whose first field is the event and whose second is the time (as
            scikit-survival has it), a DataFrame of two such columns, or a tuple (event, time).
        rows: How many rows X has.

    Raises:
        InputError: It has another form, a cell is missing, or a value is impossible.
    """
    event, time = _fields(y)
    if event.ndim != 1 or time.ndim != 1:
        raise InputError("y", "is not one event and one time a row", FORMS)
    if len(event) != rows or len(time) != rows:
        raise InputError("y", f"has {len(time)} rows and X has {rows}", "give one outcome a row")
    return Outcome(_causes(event), _times(time))


def _fields(y: Any) -> tuple[NDArray[Any], NDArray[Any]]:  # noqa: ANN401
    import pandas as pd

    if isinstance(y, np.ndarray) and y.dtype.names is not None and len(y.dtype.names) == 2:
        return y[y.dtype.names[0]], y[y.dtype.names[1]]
    if isinstance(y, pd.DataFrame) and y.shape[1] == 2:
        return y.iloc[:, 0].to_numpy(), y.iloc[:, 1].to_numpy()
    if isinstance(y, tuple) and len(y) == 2:
        return np.asarray(y[0]), np.asarray(y[1])
    raise InputError("y", "does not state an event and a time", FORMS)


def _causes(event: NDArray[Any]) -> NDArray[np.int64]:
    if event.dtype.kind in NO_NUMBERS:
        raise InputError("y, event", "is neither true or false nor a number", FORMS)
    try:
        numbers = event.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("y, event", "is neither true or false nor a number", FORMS) from error
    if not np.isfinite(numbers).all() or (numbers < 0).any() or (numbers != np.floor(numbers)).any():
        raise InputError("y, event", "is missing, negative or no whole number", FORMS)
    return numbers.astype(np.int64)


def _times(time: NDArray[Any]) -> Floats:
    if time.dtype == bool:
        raise InputError("y, time", "holds truth values: the event stands first", FORMS)
    if time.dtype.kind in NO_NUMBERS:
        raise InputError("y, time", "is no number", "give the time from the index in one unit, as a number")
    try:
        numbers = time.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("y, time", "is no number", FORMS) from error
    if not np.isfinite(numbers).all() or (numbers < 0).any():
        raise InputError("y, time", "is missing, infinite or negative", "give the time followed, 0 or more")
    return numbers
