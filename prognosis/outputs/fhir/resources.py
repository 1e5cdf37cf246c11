"""All resources that state one answer."""

from __future__ import annotations

from prognosis.outputs.fhir.answer import Answer
from prognosis.outputs.fhir.arm_assessment import arm_assessments
from prognosis.outputs.fhir.attribution import attribution_observation
from prognosis.outputs.fhir.device import model_device
from prognosis.outputs.fhir.diagnostic_report import answer_report
from prognosis.outputs.fhir.elements import Resource
from prognosis.outputs.fhir.risk_assessment import risk_assessment


def answer_resources(answer: Answer) -> tuple[Resource, ...]:
    """The model's Device, the RiskAssessment, one more an arm, an Observation a cause, the DiagnosticReport.

    A model that abstains has no reasons to give and no page to sign: Device and RiskAssessments only.

    Args:
        answer: The answer; equal answers give equal resources, whenever they are made.

    Raises:
        ModelError: The contributions to a risk do not add up to it.
        MappingError: The answer cannot be said in FHIR.
    """
    stated = (model_device(answer), risk_assessment(answer), *arm_assessments(answer))
    if answer.prediction.abstained:
        return stated
    attributions = (attribution_observation(answer, told) for told in answer.explanations)
    return (*stated, *attributions, answer_report(answer))
