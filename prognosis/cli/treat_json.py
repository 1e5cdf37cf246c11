"""What each arm would do for one patient as plain JSON: every number with interval, level and unit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from prognosis.cli.risk import cited_json
from prognosis.comparison.answer import ArmAnswer, Contrast, ContrastExplanation, TreatmentAnswer
from prognosis.outputs.treatment_text import NO_ORDER, verdict


def treat_json(answer: TreatmentAnswer, top: int) -> dict[str, Any]:
    """The answer; one that is refused gives its reason and no number of the patient.

    Args:
        answer: Of one patient.
        top: How many drivers of each difference are told one by one; the others are summed in "rest".
    """
    return {
        "patient": answer.patient_id,
        "site": answer.site,
        "index_time": answer.index_time.isoformat(),
        "model_id": answer.model_id,
        "question": answer.question,
        "notice": NO_ORDER,
        "outcome": answer.outcome,
        "worth_is": answer.worth_is,
        "higher_is_better": True,
        "ratio_is": answer.ratio_is,
        "unit": answer.unit,
        "horizon_days": answer.horizon_days,
        "starts_after_days": answer.starts_after_days,
        "refused": None if answer.refused is None else asdict(answer.refused),
        "summary": verdict(answer),
        "better_supported": answer.better or None,
        "undecided": None if answer.undecided is None else asdict(answer.undecided),
        "arms": [_arm(arm) for arm in answer.arms],
        "contrasts": [_contrast(each, top) for each in answer.contrasts],
        "basis": None if answer.basis is None else asdict(answer.basis),
        "unanswered": [{"days": days, "because": why} for days, why in sorted(answer.unanswered.items())],
        "modalities_used": list(answer.modalities_used),
        "modalities_missing": dict(answer.modalities_missing),
        "cautions": list(answer.cautions),
        "assumptions": list(answer.assumptions),
    }


def _arm(arm: ArmAnswer) -> dict[str, Any]:
    curve = arm.curve
    return {
        **{name: getattr(arm, name) for name in ("name", "cases", "events", "chance")},
        "withheld": None if arm.withheld is None else asdict(arm.withheld),
        "worth": None if arm.worth is None else asdict(arm.worth),
        "risks": [{"days": each.days, **asdict(each.risk)} for each in arm.risks],
        "curve": None
        if curve is None
        else {
            "level": curve.level,
            **{name: getattr(curve, name).tolist() for name in ("days", "incidence", "low", "high")},
        },
    }


def _contrast(contrast: Contrast, top: int) -> dict[str, Any]:
    told = contrast.explanation
    return {
        "arm": contrast.arm,
        "reference": contrast.reference,
        "difference": None if contrast.difference is None else asdict(contrast.difference),
        "ratio": None if contrast.ratio is None else asdict(contrast.ratio),
        "average": asdict(contrast.average),
        "average_ratio": None if contrast.average_ratio is None else asdict(contrast.average_ratio),
        "e_value": None
        if contrast.e_value is None
        else {"estimate": contrast.e_value[0], "nearer_end_of_interval": contrast.e_value[1]},
        "better_supported": contrast.better or None,
        "undecided": None if contrast.undecided is None else asdict(contrast.undecided),
        "explanation": None if told is None else _explanation(contrast, told, top),
    }


def _explanation(contrast: Contrast, told: ContrastExplanation, top: int) -> dict[str, Any]:
    shown = told.drivers[:top]
    return {
        "unit": told.unit,
        "base": told.base,
        "total": told.total,
        "drivers": [
            {
                **cited_json(driver.leading),
                "contribution": driver.contribution,
                "speaks_for": contrast.arm if driver.contribution > 0.0 else contrast.reference,
                "parts": [{**cited_json(part), "contribution": part.contribution} for part in driver.parts],
            }
            for driver in shown
        ],
        "rest": sum(driver.contribution for driver in told.drivers[top:]),
        "receipt": {"max_additivity_error": told.max_additivity_error},
    }
