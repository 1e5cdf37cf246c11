"""From a model of a measurement and one case's evidence to the value expected."""

from __future__ import annotations

from prognosis.cohort.measurement import in_unit
from prognosis.cohort.outcome import Measurement
from prognosis.fusion import FusionModel
from prognosis.fusion.head import subset_number
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.measured import Measured
from prognosis.prediction.prediction import ExpectedValue, ValueInterval


def expected_value(
    model: FusionModel, outcome: Measurement, measured: Measured, inputs: FusionInputs
) -> ExpectedValue:
    """The value expected of one case.

    Args:
        model: The model.
        outcome: What it is asked about.
        measured: The model's own.
        inputs: Of one case.
    """
    mean, error = model.expected(inputs), measured.errors(inputs)
    intervals = []
    for level in measured.intervals.levels:
        low, high = measured.intervals.of(mean, error, level)
        intervals.append(ValueInterval(level, in_unit(outcome, low[0]), in_unit(outcome, high[0])))
    return ExpectedValue(
        name=outcome.name,
        unit=outcome.unit,
        days=outcome.horizon_days,
        value=in_unit(outcome, mean[0]),
        error=float(error[0]),
        logarithm=outcome.scale == "log",
        intervals=tuple(intervals),
    )


def narrows_most(model: FusionModel, measured: Measured, inputs: FusionInputs) -> str | None:
    """The missing modality with which the error of one case's value would be least, if less than now."""
    subset = int(subset_number(inputs.present)[0])
    best, lowest = None, float(measured.error[subset])
    for place, name in enumerate(model.modalities):
        error = float(measured.error[subset | 1 << place])
        if error < lowest:
            best, lowest = name, error
    return best
