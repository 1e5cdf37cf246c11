"""Explanations as a patient's page and the terminal tell them."""

from __future__ import annotations

from dataclasses import replace

from prognosis.cohort import Task
from prognosis.explanation import Attribution, Explanation, WhatChanged
from prognosis.explanation import Driver as AttributedDriver
from prognosis.explanation.case import additive_scale
from prognosis.fusion import FusionModel
from prognosis.outputs.estimate import in_days
from prognosis.outputs.patient_explanation import (
    ChangedDriver,
    Driver,
    DriverGroup,
    PatientChange,
    PatientExplanation,
    Receipt,
)

ADDITIVE = {
    "log_hazard": "log-hazard, averaged over time",
    "log_odds": "log-odds",
    "log_value": "natural logarithm of {unit}: +0.10 is 1.105 times as much",
    "value": "{unit}",
}
SHORT = {"log_hazard": "log-hazard", "log_odds": "log-odds", "probability": "probability"}


def scale_of(explanation: Explanation, task: Task) -> str:
    """The explanation's scale in words; of a measurement its unit."""
    if explanation.scale == "probability":
        days = explanation.horizon_days
        return "probability" if days is None else f"probability by {in_days(days)}"
    return in_words(explanation.scale, task)


def in_words(scale: str, task: Task) -> str:
    """The scale on which evidence adds up, in words."""
    unit = "" if task.measurement is None else task.measurement.unit
    return ADDITIVE[scale].format(unit=unit or "the unit of the values")


def short_scale_of(explanation: Explanation, task: Task) -> str:
    """The explanation's scale in a word or two, for an axis."""
    if explanation.scale == "log_value":
        return f"ln {explanation.cause.replace('_', ' ')}"
    return SHORT.get(explanation.scale) or scale_of(explanation, task)


def told_explanation(explanation: Explanation, task: Task) -> PatientExplanation:
    """An explanation as the page and the terminal tell it."""
    return PatientExplanation(
        cause=explanation.cause,
        base=explanation.base,
        total=explanation.total,
        drivers=tuple(_told_driver(driver) for driver in explanation.drivers),
        receipt=Receipt(
            explanation.method,
            scale_of(explanation, task),
            explanation.max_additivity_error,
            explanation.standard_error,
            explanation.coalitions,
            explanation.permutations,
            short_scale_of(explanation, task),
        ),
        groups=tuple(
            DriverGroup(f"{group.modality}: {group.name}", group.tokens, group.contribution)
            for group in explanation.groups
        ),
    )


def _told_driver(driver: AttributedDriver) -> Driver:
    parts = tuple(_told_part(part, part.contribution) for part in driver.parts)
    return replace(_told_part(driver.leading, driver.contribution), parts=parts)


def _told_part(part: Attribution, contribution: float) -> Driver:
    return Driver(part.name, part.detail, part.modality, part.time, part.source, contribution)


def told_change(model: FusionModel, changed: WhatChanged) -> PatientChange:
    """The move of one cause's answer as the page and the terminal tell it."""
    return PatientChange(
        cause=changed.cause,
        since=changed.since,
        scale=in_words(additive_scale(model.task), model.task),
        before=changed.before,
        after=changed.after,
        recalibration=changed.recalibration,
        drivers=tuple(
            ChangedDriver(c.kind, c.name, c.modality, c.before, c.after, c.time, c.source, c.contribution)
            for c in changed.changes
        ),
        unchanged=changed.unchanged,
        max_additivity_error=changed.max_additivity_error,
    )
