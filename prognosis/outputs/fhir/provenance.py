"""Who wrote what, when and from what, as FHIR R4 Provenance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from prognosis.outputs.fhir.elements import AI_ASSERTED, Resource, checked, coding, reference, words
from prognosis.outputs.fhir.identity import dated, digest

Activity = Literal["CREATE", "UPDATE", "NULLIFY"]
"""Of v3-DataOperation; a retraction nullifies."""

_OPERATIONS = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_PARTICIPANTS = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def provenance(
    activity: Activity | None, version: str, device: str, sources: Sequence[str], recorded: datetime
) -> Resource:
    """The Provenance of one version of one resource.

    Args:
        activity: What was done; None where that is not known any more.
        version: What it gave, "RiskAssessment/x/_history/2".
        device: The model, "Device/x".
        sources: What the answer was computed from.
        recorded: When it was written (aware).

    Returns:
        A resource whose id follows from the version, so that it is written once.
    """
    written: Resource = {
        "resourceType": "Provenance",
        "id": f"prognosis-{digest('provenance', version)}",
        "target": [reference(version)],
        "recorded": dated(recorded),
        "agent": [{"type": words("assembler", coding(_PARTICIPANTS, "assembler")), "who": reference(device)}],
    }
    if activity is not None:
        written["activity"] = words(activity.lower(), coding(_OPERATIONS, activity))
    if activity != "NULLIFY":
        written["meta"] = {"security": [dict(AI_ASSERTED)]}
    if sources:
        written["entity"] = [{"role": "source", "what": reference(each)} for each in sources]
    return checked(written)
