"""An entry of a service's audit as a FHIR R4 AuditEvent, in the form of IHE BALP's query and export."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from prognosis.outputs.fhir.audit_event import DICOM, ENTITY, INTERACTION, REST, ROLE
from prognosis.outputs.fhir.elements import Resource, checked, coding
from prognosis.outputs.fhir.identity import dated, digest

Done = Literal["query", "create", "export", "import"]
PSEUDONYM = "urn:prognosis:pseudonym"
"""Identifier system of a patient's pseudonym, which means nothing without the site's key."""

_REQUEST = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_ACTION = {"query": "E", "create": "C", "export": "R", "import": "C"}
_SUBTYPE = {"query": "search", "create": "create"}


@dataclass(frozen=True, slots=True)
class AuditedAct:
    """What one entry says.

    Attributes:
        number: Of the entry.
        entry_hash: By which the chain holds it.
        time: When the answer was ready (aware).
        request: Of the request (uuid).
        client: Who asked, "" where that is not known.
        done: What kind of act.
        what: Method and route, or the verb.
        status: Of the answer, as HTTP has it.
        patient: The pseudonym, "" where none was named.
        details: What else the entry cites, by name; empty values are left out.
    """

    number: int
    entry_hash: str
    time: datetime
    request: str
    client: str
    done: Done
    what: str
    status: int
    patient: str = ""
    details: tuple[tuple[str, str], ...] = ()


def entry_event(act: AuditedAct, service: str) -> Resource:
    """The AuditEvent of an entry; the same entry always gives the same one, under the same id.

    The entry knows a patient by pseudonym and keeps no network address, so the patient is named by identifier
    and no BALP profile, which ask for more, is claimed.

    Args:
        act: The entry.
        service: The service's name or address.
    """
    written: Resource = {
        "resourceType": "AuditEvent",
        "id": f"prognosis-{digest('audit-entry', act.entry_hash)}",
        "type": _kind(act.done),
        "action": _ACTION[act.done],
        "recorded": dated(act.time),
        "outcome": _outcome(act.status),
        "agent": [
            _agent("110153", "Source Role ID", act.client or "not known", requestor=True),
            _agent("110152", "Destination Role ID", service, requestor=False),
        ],
        "source": {"observer": {"display": service}},
        "entity": [_asked(act), _request(act), *([_person(act.patient)] if act.patient else [])],
    }
    if act.done in _SUBTYPE:
        written["subtype"] = [coding(INTERACTION, _SUBTYPE[act.done])]
    return checked(written)


def _kind(done: Done) -> Resource:
    if done == "export":
        return coding(DICOM, "110106", "Export")
    if done == "import":
        return coding(DICOM, "110107", "Import")
    return coding(REST, "rest", "Restful Operation")


def _outcome(status: int) -> str:
    """Success; minor failure where the request was at fault; serious failure where the service was."""
    if status < 400:
        return "0"
    return "4" if status < 500 else "8"


def _agent(code: str, display: str, name: str, *, requestor: bool) -> Resource:
    return {
        "type": {"coding": [coding(DICOM, code, display)]},
        "who": {"display": name},
        "requestor": requestor,
    }


def _asked(act: AuditedAct) -> Resource:
    """The route; what stood in its place holders is not in the audit."""
    details = (("entry", f"{act.number} {act.entry_hash}"), ("status", str(act.status)), *act.details)
    return {
        "type": coding(ENTITY, "2", "System Object"),
        "role": coding(ROLE, "24", "Query"),
        "query": base64.b64encode(act.what.encode()).decode("ascii"),
        "detail": [{"type": name, "valueString": value} for name, value in details if value],
    }


def _request(act: AuditedAct) -> Resource:
    return {"what": {"identifier": {"value": act.request}}, "type": coding(_REQUEST, "XrequestId")}


def _person(pseudonym: str) -> Resource:
    return {
        "what": {"identifier": {"system": PSEUDONYM, "value": pseudonym}},
        "type": coding(ENTITY, "1", "Person"),
        "role": coding(ROLE, "1", "Patient"),
    }
