"""A server in this process that exports in bulk, whose answers a test can damage."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.fhir.bulk_export.export import BulkExport, ExportSummary
from connectors.fhir.bulk_export.request import ExportRequest
from connectors.fhir.bulk_export.waiting import Patience, Progress
from connectors.fhir.http.login import GivenToken
from prognosis.record import Quarantine
from tests.connectors.fhir.resources import Resource, line, observation, patient
from tests.connectors.fhir.ward import QUICK, Request, Ward, opened, reply

PATIENTS = [patient(name) for name in ("anna", "ben", "zoe")]
FACTS = [observation(f"crp-{number}", "Patient/anna") for number in range(200)]
TIME = "2024-03-01T12:00:00Z"
AT_ONCE = Patience(total_s=5.0, first_wait_s=0.001, longest_wait_s=0.01, shortest_wait_s=0.0)
STAMP = '"as-exported"'


def ndjson(resources: Sequence[Resource]) -> bytes:
    return b"".join(line(each) + b"\n" for each in resources)


def deletions(*references: str) -> bytes:
    entries = [{"request": {"method": "DELETE", "url": each}} for each in references]
    return ndjson([{"resourceType": "Bundle", "type": "transaction", "entry": entries}])


@dataclass
class Depot(Ward):
    """The server: 202 twice, then a manifest of `files`; a file is given from where it is asked for.

    Attributes:
        files: By name: type, part, content.
        needs_token: What the manifest says.
        ranges: Whether a file can be asked for from a place in it.
        changed: Put over the manifest.
    """

    files: dict[str, tuple[str, str, bytes]] = field(
        default_factory=lambda: {
            "p.ndjson": ("Patient", "output", ndjson(PATIENTS)),
            "o.ndjson": ("Observation", "output", ndjson(FACTS)),
        }
    )
    needs_token: bool = True
    ranges: bool = True
    changed: dict[str, object] = field(default_factory=dict)
    polls: int = 0

    def good(self, request: Request) -> bytes:
        place = request.place.partition("?")[0]
        if place.endswith("$export"):
            return reply(b"", "202 Accepted", Content_Location=f"{self.address}/jobs/1")
        if place == "jobs/1" and request.method == "DELETE":
            return reply(b"", "202 Accepted")
        if place == "jobs/1":
            self.polls += 1
            progress = "40% of anna's"
            return (
                reply(b"", "202 Accepted", Retry_After="0", X_Progress=progress)
                if self.polls < 3
                else reply(self.manifest())
            )
        return self.given(request, self.files[place.removeprefix("files/")][2])

    def manifest(self) -> Resource:
        stated: Resource = {
            "transactionTime": TIME,
            "request": f"{self.address}/$export",
            "requiresAccessToken": self.needs_token,
        }
        for part in ("output", "deleted", "error"):
            stated[part] = [
                {"type": kind, "url": f"{self.address}/files/{name}", "count": content.count(b"\n")}
                for name, (kind, of, content) in self.files.items()
                if of == part
            ]
        return {**stated, **self.changed}

    def given(self, request: Request, content: bytes) -> bytes:
        asked = re.match(r"bytes=(\d+)-", request.headers.get("range", ""))
        if asked and self.ranges and request.headers.get("if-range") == STAMP:
            start = int(asked[1])
            place = f"bytes {start}-{len(content) - 1}/{len(content)}"
            return reply(content[start:], "206 Partial Content", Content_Range=place, ETag=STAMP)
        return reply(content, ETag=STAMP)

    def asked(self, name: str) -> list[Request]:
        """The requests for a file."""
        return [each for each in self.requests if each.place == f"files/{name}"]


def exported(
    depot: Depot,
    folder: Path,
    request: ExportRequest | None = None,
    patience: Patience = AT_ONCE,
    also: Sequence[str] = (),
    on_progress: Progress | None = None,
) -> tuple[ExportSummary, Quarantine]:
    """One run of an export into a folder."""
    quarantine = Quarantine()
    with opened(depot):
        return run(depot, folder, quarantine, request, patience, also, on_progress), quarantine


def run(
    depot: Depot,
    folder: Path,
    quarantine: Quarantine,
    request: ExportRequest | None = None,
    patience: Patience = AT_ONCE,
    also: Sequence[str] = (),
    on_progress: Progress | None = None,
) -> ExportSummary:
    """The same against a depot that is open already."""
    export = BulkExport(
        depot.address,
        folder,
        request,
        login=GivenToken(lambda: "secret"),
        also=also,
        policy=QUICK,
        patience=patience,
    )
    return export.run(quarantine, on_progress)


def at(place: str, answer: Callable[[Request, bytes], bytes]) -> Callable[[Request, bytes], bytes]:
    """Damage of one place."""
    return lambda request, good: answer(request, good) if request.place == place else good


def state(folder: Path) -> dict[str, object]:
    return json.loads((folder / "bulk-export.state").read_text(encoding="utf-8"))
