"""A small FHIR server on loopback that searches by link, identifier and time of change, and has a clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast

from tests.connectors.fhir.resources import Resource
from tests.connectors.fhir.ward import Request, Ward, capability, reply, searchset

START = datetime.fromisoformat("2026-03-02T12:00:00+00:00")
KINDS = ("Patient", "Observation", "Organization", "DocumentReference", "ImagingStudy", "Encounter",
         "Condition", "MedicationRequest", "Medication")  # fmt: skip
SEARCHED = ("_id", "_lastUpdated", "identifier", "link")


@dataclass
class Chartroom(Ward):
    """Holds resources by name; `searched` is what it says that Patients can be searched by."""

    kinds: tuple[str, ...] = KINDS
    searched: tuple[str, ...] = SEARCHED
    now: datetime = START
    held: dict[str, Resource] = field(default_factory=dict)
    ignores: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for resource in self.resources:
            self.put(resource)
        self.later()

    def put(self, resource: Resource) -> None:
        """Hold a resource, changed now."""
        name = f"{resource['resourceType']}/{resource['id']}"
        self.held[name] = {**resource, "meta": {"lastUpdated": self.now.isoformat()}}
        self.resources = list(self.held.values())

    def later(self, hours: float = 1.0) -> None:
        """Let time pass."""
        self.now += timedelta(hours=hours)

    def good(self, request: Request) -> bytes:
        date = {"Date": format_datetime(self.now, usegmt=True)}
        if request.place == "metadata":
            stated: dict[str, Any] = capability(*self.kinds)
            for each in stated["rest"][0]["resource"]:
                each["searchParam"] = [{"name": name} for name in self.searched]
            return reply(stated, **date)
        kind = request.place.partition("/")[0]
        asked = {name: value for name, value in request.form.items() if name not in self.ignores}
        found = [each for each in self.resources if each["resourceType"] == kind and _matches(each, asked)]
        return reply(searchset(found, total=len(found)), **date)


def _values(stated: str) -> list[str]:
    """The values between commas; one after a backslash is a part of its value."""
    return [re.sub(r"\\(.)", r"\1", each) for each in re.split(r"(?<!\\),", stated)]


def _matches(stated: Resource, asked: dict[str, str]) -> bool:
    resource = cast("dict[str, Any]", stated)
    wanted = {name: _values(value) for name, value in asked.items()}
    subject = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
    links = [link["other"]["reference"] for link in resource.get("link", [])]
    identifiers = [f"{each['system']}|{each['value']}" for each in resource.get("identifier", [])]
    since = asked.get("_lastUpdated", "ge0001-01-01T00:00:00+00:00").removeprefix("ge")
    return (
        ("_id" not in wanted or resource["id"] in wanted["_id"])
        and ("patient" not in wanted or subject.removeprefix("Patient/") in wanted["patient"])
        and ("link" not in wanted or bool(set(links) & set(wanted["link"])))
        and ("identifier" not in wanted or bool(set(identifiers) & set(wanted["identifier"])))
        and datetime.fromisoformat(resource["meta"]["lastUpdated"]) >= datetime.fromisoformat(since)
    )
