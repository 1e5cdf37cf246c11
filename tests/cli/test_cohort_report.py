"""The parts of a report that are made of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from prognosis.cli.cohort_report import calibrations
from prognosis.evaluation.results import CalibrationCurve, MetricSet


@dataclass(frozen=True, slots=True)
class Measured:
    result: MetricSet
    calibration: tuple[CalibrationCurve, ...]


def test_a_group_in_which_nobody_had_the_event_is_not_said_to_be_without_risk() -> None:
    curve = CalibrationCurve("death", 365.0, (0.05, 0.9), (0.0, 1.0), (24, 24), (24.0, 12.0))
    (drawn,) = calibrations(Measured(MetricSet({}), (curve,)))
    assert drawn.low[0] == 0.0
    assert drawn.high[0] == pytest.approx(0.138, abs=5e-4)
    assert drawn.low[1] == pytest.approx(0.757, abs=1e-3)  # twelve effective cases of twenty-four
    assert drawn.high[1] == 1.0
