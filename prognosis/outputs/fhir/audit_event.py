"""What was asked, written or given out, as FHIR R4 AuditEvents in the form of IHE BALP."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from prognosis.outputs.fhir.elements import Resource, checked, coding, reference
from prognosis.outputs.fhir.identity import dated, digest

Act = Literal["create", "update", "query", "export"]

_PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit"
_NAMES = {"create": "Create", "update": "Update", "query": "Query"}
_ACTIONS = {"create": "C", "update": "U", "query": "E", "export": "R"}
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
REST = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"


@dataclass(frozen=True, slots=True)
class Parties:
    """Who spoke to whom.

    Attributes:
        client: The machine that prognosis ran on, by name.
        server: The server, as an address without path: "https://fhir.example.org".
        device: The model, "Device/x"; "" where none was at work.
    """

    client: str
    server: str
    device: str = ""


def audit_event(act: Act, what: str, patient: str, parties: Parties, recorded: datetime) -> Resource:
    """The AuditEvent of one act that succeeded.

    Args:
        act: "create" and "update" of one resource; "query", a search; "export", of a patient's resources.
        what: The resource in its version, "RiskAssessment/x/_history/1"; of a query its parameters.
        patient: Whose, "Patient/x"; "" where the act concerns nobody.
        parties: Who spoke to whom.
        recorded: When (aware).

    Returns:
        A resource whose id follows from the act and the version, so that one write is told once; an act on no
        version is told each time.
    """
    once = "" if "/_history/" in what else dated(recorded)
    written: Resource = {
        "resourceType": "AuditEvent",
        "id": f"prognosis-{digest('audit', act, what, patient, once)}",
        "type": _kind(act),
        "action": _ACTIONS[act],
        "recorded": dated(recorded),
        "outcome": "0",
        "agent": _agents(parties),
        "source": {"observer": {"display": f"prognosis on {parties.client}"}},
        "entity": [_entity(act, what), *([_person(patient)] if patient else [])],
    }
    if act in _NAMES:
        name = f"{'Patient' if patient else ''}{_NAMES[act]}"
        written["meta"] = {"profile": [f"{_PROFILES}.{name}"]}
        written["subtype"] = [coding(INTERACTION, "search" if act == "query" else act)]
    return checked(written)


def _kind(act: Act) -> Resource:
    if act == "export":
        return coding(DICOM, "110106", "Export")
    return coding(REST, "rest", "Restful Operation")


def _agents(parties: Parties) -> list[Resource]:
    who = reference(parties.device) if parties.device else {"display": f"prognosis on {parties.client}"}
    return [
        {
            "type": {"coding": [coding(DICOM, "110153", "Source Role ID")]},
            "who": who,
            "requestor": True,
            "network": {"address": parties.client, "type": "1"},
        },
        {
            "type": {"coding": [coding(DICOM, "110152", "Destination Role ID")]},
            "who": {"display": parties.server},
            "requestor": False,
            "network": {"address": parties.server, "type": "5"},
        },
    ]


def _entity(act: Act, what: str) -> Resource:
    entity: Resource = {"type": coding(ENTITY, "2", "System Object")}
    if act == "query":
        query = base64.b64encode(what.encode()).decode("ascii")
        return {**entity, "role": coding(ROLE, "24", "Query"), "query": query}
    return {**entity, "what": reference(what), "role": coding(ROLE, "4", "Domain Resource")}


def _person(patient: str) -> Resource:
    return {
        "what": reference(patient),
        "type": coding(ENTITY, "1", "Person"),
        "role": coding(ROLE, "1", "Patient"),
    }
