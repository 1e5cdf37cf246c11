"""Explanations as a patient's page and the terminal tell them."""

from __future__ import annotations

from dataclasses import replace

from prognosis.explanation import Attribution, Explanation, WhatChanged
from prognosis.explanation import Driver as AttributedDriver
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

LOG_HAZARD, LOG_ODDS = "log-hazard, averaged over time", "log-odds"


def scale_of(explanation: Explanation) -> str:
    """The explanation's scale in words."""
    if explanation.scale == "probability":
        days = explanation.horizon_days
        return "probability" if days is None else f"probability by {in_days(days)}"
    return LOG_HAZARD if explanation.scale == "log_hazard" else LOG_ODDS


def told_explanation(explanation: Explanation) -> PatientExplanation:
    """An explanation as the page and the terminal tell it."""
    return PatientExplanation(
        cause=explanation.cause,
        base=explanation.base,
        total=explanation.total,
        drivers=tuple(_told_driver(driver) for driver in explanation.drivers),
        receipt=Receipt(
            explanation.method,
            scale_of(explanation),
            explanation.max_additivity_error,
            explanation.standard_error,
            explanation.coalitions,
            explanation.permutations,
        ),
        groups=tuple(
            DriverGroup(f"{group.modality}: {group.name}", group.tokens, group.contribution)
            for group in explanation.groups
        ),
    )


def _told_driver(driver: AttributedDriver) -> Driver:
    parts = tuple(_told_part(part, part.contribution) for part in driver.parts)
    return replace(_told_part(driver.leading, driver.contribution), parts=parts if len(parts) > 1 else ())


def _told_part(part: Attribution, contribution: float) -> Driver:
    return Driver(part.name, part.detail, part.modality, part.time, part.source, contribution)


def told_change(model: FusionModel, changed: WhatChanged) -> PatientChange:
    """The move of one cause's answer as the page and the terminal tell it."""
    return PatientChange(
        cause=changed.cause,
        since=changed.since,
        scale=LOG_HAZARD if model.task.is_survival else LOG_ODDS,
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
