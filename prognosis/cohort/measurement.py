"""The value of a quantity some time after the index, in one unit, and on the scale that is modelled."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import MeasurementLabel, Unlabelled
from prognosis.cohort.outcome import Measurement
from prognosis.errors import TaskError
from prognosis.record import Event, PatientRecord
from prognosis.record.codes import is_among

Floats = NDArray[np.float64]

LARGEST = 1e15
"""Beyond what any measurement reaches, in whatever unit."""
_DAY = timedelta(days=1)


def measurement_label(
    outcome: Measurement, record: PatientRecord, index: datetime
) -> MeasurementLabel | Unlabelled:
    """The value nearest to the horizon within the window; of two equally near, the earlier.

    Of two at one time it is that of the resource whose name comes first.

    A value that an assay's limit cut off ("<5") is not a value, nor is one beyond `LARGEST`, and one at or
    below zero has no logarithm: such a case is left out, and so is one without a value in the window. Nothing
    stands in for it.

    Args:
        outcome: What is asked.
        record: The full record, later facts included.
        index: When the question is asked.

    Raises:
        TaskError: The value is in a unit that the task does not name.
    """
    wanted, window = index + outcome.horizon_days * _DAY, outcome.window_days * _DAY
    found = [
        (event, event.number)
        for event in record.events
        if is_among(str(event.code), outcome.codes)
        and event.number is not None
        and index < event.time
        and abs(event.time - wanted) <= window
    ]
    if not found:
        return Unlabelled(f"no value within {outcome.window_days:g} days of day {outcome.horizon_days:g}")
    nearest, number = min(found, key=lambda each: (abs(each[0].time - wanted), each[0].time, each[0].source))
    if nearest.comparator is not None:
        return Unlabelled("the value was cut off by the assay's limit")
    value = value_in_unit(outcome, nearest, number)
    if not abs(value) <= LARGEST:
        return Unlabelled("the value is beyond what any measurement reaches")
    if outcome.scale == "log" and value <= 0.0:
        return Unlabelled("the value is not above zero, and has no logarithm")
    return MeasurementLabel(value, (nearest.time - index) / _DAY)


def value_in_unit(outcome: Measurement, event: Event, number: float) -> float:
    """An event's number in the task's unit.

    Args:
        outcome: Names the units.
        event: Whose unit it is in.
        number: The event's.

    Raises:
        TaskError: It is in a unit that the task does not name.
    """
    unit = event.unit or ""
    if unit == outcome.unit:
        return number
    if unit not in outcome.other_units:
        raise TaskError(
            f"outcome {outcome.name}",
            f"{event.code} was measured in {unit or 'no stated unit'}, not in {outcome.unit}",
            f'state the factor to {outcome.unit} in other_units: {{"{unit}": ..}}, or correct the source',
        )
    return number * outcome.other_units[unit]


def last_value(outcome: Measurement, known: PatientRecord) -> float | None:
    """The last value in a record as known at the index; None where there is none that can be modelled.

    One that an assay's limit cut off or that is beyond `LARGEST` is passed over, as it is for a label.
    """
    for event in reversed(known.events):
        if is_among(str(event.code), outcome.codes) and event.number is not None and event.comparator is None:
            value = value_in_unit(outcome, event, event.number)
            if abs(value) <= LARGEST and (outcome.scale == "linear" or value > 0.0):
                return value
    return None


def modelled(outcome: Measurement, values: Floats) -> Floats:
    """Values in the task's unit on the scale on which they are modelled: themselves, or their logarithms."""
    return np.log(values) if outcome.scale == "log" else values


def in_unit(outcome: Measurement, modelled_value: float) -> float:
    """A number on the modelled scale in the task's unit: of a mean of logarithms it is the median."""
    return math.exp(modelled_value) if outcome.scale == "log" else modelled_value
