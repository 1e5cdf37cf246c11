"""Explanations as a patient's page and the terminal tell them."""

from __future__ import annotations

from prognosis.explanation import Explanation
from prognosis.outputs.estimate import in_days
from prognosis.outputs.patient_explanation import Driver, DriverGroup, PatientExplanation, Receipt


def scale_of(explanation: Explanation) -> str:
    """The explanation's scale in words."""
    if explanation.scale == "probability":
        days = explanation.horizon_days
        return "probability" if days is None else f"probability by {in_days(days)}"
    return "log-hazard, averaged over time" if explanation.scale == "log_hazard" else "log-odds"


def told_explanation(explanation: Explanation) -> PatientExplanation:
    """An explanation as the page and the terminal tell it."""
    return PatientExplanation(
        cause=explanation.cause,
        base=explanation.base,
        total=explanation.total,
        drivers=tuple(
            Driver(a.name, a.detail, a.modality, a.time, a.source, a.contribution)
            for a in explanation.attributions
        ),
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
