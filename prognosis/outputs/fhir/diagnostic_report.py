"""The patient's page as a FHIR R4 DiagnosticReport, with what it rests on."""

from __future__ import annotations

import base64

from prognosis.outputs.fhir.answer import Answer
from prognosis.outputs.fhir.elements import TERMS, Resource, checked, coding, reference, started, words
from prognosis.outputs.fhir.identity import REPORT, RISK, attribution_of, dated

ASSESSMENT = "http://hl7.org/fhir/StructureDefinition/diagnosticReport-risk"
"""R4's extension that names the RiskAssessment of a DiagnosticReport."""


def answer_report(answer: Answer) -> Resource:
    """The DiagnosticReport: the page as HTML, the attributions as its results, the studies that were read.

    It has no conclusion: what a model says must not be read as a finding of whoever signs reports.
    """
    results = [
        reference(f"Observation/{answer.key.fhir_id(attribution_of(told.cause))}")
        for told in answer.explanations
    ]
    assessment = reference(f"RiskAssessment/{answer.key.fhir_id(RISK)}")
    written = started("DiagnosticReport", answer.key.fhir_id(REPORT), answer.key.value(REPORT)) | {
        "extension": [{"url": ASSESSMENT, "valueReference": assessment}],
        "status": "preliminary",
        "code": words("Prognosis by a model, not reviewed", coding(TERMS, "prognosis-report")),
        "subject": reference(answer.subject),
        "effectiveDateTime": dated(answer.prediction.index_time),
        "result": results,
        "presentedForm": [
            {
                "contentType": "text/html; charset=utf-8",
                "language": "en",
                "data": base64.b64encode(answer.page.encode()).decode("ascii"),
                "title": f"Prognosis of {answer.prediction.index_time.date().isoformat()}",
            }
        ],
    }
    studies = answer.of_type("ImagingStudy")
    if studies:
        written["imagingStudy"] = [reference(each) for each in studies]
    return checked(written)
