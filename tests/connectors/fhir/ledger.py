"""A small FHIR server on loopback that can be written to, and that a test can make lie or fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from connectors.fhir import FhirWriter
from tests.connectors.fhir.resources import Resource
from tests.connectors.fhir.ward import QUICK, Request, Ward, opened, reply, searchset

TYPES = ("Device", "RiskAssessment", "Observation", "DiagnosticReport", "Provenance", "AuditEvent", "Patient")


def statement(*untaken: str, transaction: bool = True) -> Resource:
    """What the server says that it takes."""
    listed = [
        {
            "type": kind,
            "interaction": [{"code": "search-type"}, {"code": "update"}],
            "updateCreate": kind not in untaken,
            "searchParam": [{"name": "patient"}],
        }
        for kind in TYPES
    ]
    offered = [{"code": "transaction"}] if transaction else []
    rest = [{"mode": "server", "resource": listed, "interaction": offered}]
    return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest}


@dataclass
class Ledger(Ward):
    """Keeps what it is given, all of a transaction or none.

    `before` may answer a transaction before it takes effect; `damage` after. `keep` is what it makes of a
    resource before keeping it; None drops it.
    """

    held: dict[str, Resource] = field(default_factory=dict)
    stated: Resource = field(default_factory=statement)
    before: Callable[[Request], bytes | None] = lambda _: None
    keep: Callable[[Resource], Resource | None] = lambda resource: resource
    versions: bool = True

    def good(self, request: Request) -> bytes:
        if request.place == "metadata":
            return reply(self.stated)
        if request.method == "GET":
            found = self.held.get(request.place)
            return reply(found) if found is not None else reply(b"", "404 Not Found")
        if request.place.endswith("_search"):
            return reply(searchset(self.matches(request), None, len(self.matches(request))))
        early = self.before(request)
        return self.transaction(json.loads(request.body)) if early is None else early

    def matches(self, request: Request) -> list[Resource]:
        kind, asked = request.place.partition("/")[0], request.form
        return [
            each
            for name, each in self.held.items()
            if name.startswith(f"{kind}/")
            and ("_id" not in asked or each["id"] in asked["_id"].split(","))
            and ("patient" not in asked or subject(each) == f"Patient/{asked['patient']}")
            and ("identifier" not in asked or asked["identifier"] in identifiers(each))
        ]

    def transaction(self, bundle: Resource) -> bytes:
        for entry in bundle["entry"]:
            asked, standing = entry["request"], self.held.get(entry["request"]["url"])
            if "ifMatch" in asked and standing is not None and asked["ifMatch"] != f'W/"{version(standing)}"':
                return reply(b"", "412 Precondition Failed")
        for entry in bundle["entry"]:
            self.put(entry["resource"])
        return reply({"resourceType": "Bundle", "type": "transaction-response"})

    def put(self, resource: Resource) -> None:
        name = f"{resource['resourceType']}/{resource['id']}"
        kept = self.keep(resource)
        if kept is not None:
            following = str(int(version(self.held[name])) + 1) if name in self.held else "1"
            stamp = {"versionId": following} if self.versions else {}
            self.held[name] = {**kept, "meta": {**kept.get("meta", {}), **stamp}}

    @property
    def transactions(self) -> int:
        """How many were sent."""
        return sum(request.method == "POST" and not request.form for request in self.requests)

    def version_of(self, resource: Resource) -> str:
        return version(self.held[f"{resource['resourceType']}/{resource['id']}"])


def version(resource: Resource) -> str:
    return resource.get("meta", {}).get("versionId", "1")


def subject(resource: Resource) -> str:
    return resource.get("subject", {}).get("reference", "")


def identifiers(resource: Resource) -> list[str]:
    return [f"{each['system']}|{each['value']}" for each in resource.get("identifier", [])]


@contextmanager
def writer(ledger: Ledger) -> Iterator[FhirWriter]:
    """A writer to the server."""
    with opened(ledger):
        yield FhirWriter(ledger.address, "fhir-server:test", token=lambda: "secret", policy=QUICK)


def ledger(**more: Any) -> Ledger:
    """An empty server."""
    return Ledger([], **more)
