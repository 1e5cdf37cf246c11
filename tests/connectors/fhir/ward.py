"""A small FHIR server on loopback, in this process, whose answers a test can damage byte by byte."""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

from connectors.fhir import FhirServer
from connectors.fhir.http.limits import Limits
from connectors.fhir.http.retry import RetryPolicy
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.fhir.resources import Resource, observation, patient

QUICK = RetryPolicy(attempts=3, first_wait_s=0.001, longest_wait_s=0.01)
PATIENTS = [patient(name) for name in ("anna", "ben", "zoe")]
FACTS = [observation(f"crp-{number}-{name['id']}", f"Patient/{name['id']}")
         for name in PATIENTS for number in range(3)]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    form: dict[str, str]
    body: bytes = b""

    @property
    def place(self) -> str:
        """The path below the service, "Observation/_search"."""
        return urlsplit(self.target).path.removeprefix("/fhir/")


def reply(content: bytes | Resource, status: str = "200 OK", length: int | None = None, **more: str) -> bytes:
    """A whole HTTP answer; `length` is what Content-Length says."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    lines += ["Content-Type: application/fhir+json", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def searchset(
    matches: list[Resource], following: str | None = None, total: int | None = None, entries: object = ()
) -> Resource:
    """A page of a search."""
    found = [{"resource": match, "search": {"mode": "match"}} for match in matches]
    page: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [*found, *cast("list", entries)],
    }
    if following is not None:
        page["link"] = [{"relation": "next", "url": following}]
    return page if total is None else page | {"total": total}


def capability(*kinds: str, version: str = "4.0.1") -> Resource:
    """What a server says that it can search."""
    searched = [{"type": kind, "interaction": [{"code": "search-type"}]} for kind in kinds]
    rest = [{"mode": "server", "resource": searched}]
    return {"resourceType": "CapabilityStatement", "fhirVersion": version, "rest": rest}


@dataclass
class Ward:
    """The server: `damage` may answer a request in its own way, or leave it to the good answer with None.

    Damage gets the request and the good answer to it, and gives the bytes to send; b"" resets the connection.
    """

    resources: list[Resource]
    damage: Callable[[Request, bytes], bytes] = lambda _, good: good
    requests: list[Request] = field(default_factory=list)
    address: str = ""
    kinds: tuple[str, ...] = ("Patient", "Observation", "MedicationRequest", "Medication")

    def answer(self, request: Request) -> bytes:
        self.requests.append(request)
        return self.damage(request, self.good(request))

    def good(self, request: Request) -> bytes:
        """Every match, two on a page."""
        if request.place == "metadata":
            return reply(capability(*self.kinds))
        kind = request.place.partition("/")[0]
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}
        asked = {**request.form, **query}
        subjects = {f"Patient/{each}" for each in asked.get("patient", "").split(",")}
        ids = asked.get("_id", "").split(",")
        matches = [
            each
            for each in self.resources
            if each["resourceType"] == kind
            and (
                "patient" not in asked
                or cast("dict", each.get("subject") or each["patient"])["reference"] in subjects
            )
            and ("_id" not in asked or each["id"] in ids)
        ]
        start = int(asked.get("from", "0"))
        about = f"&patient={asked['patient']}" if "patient" in asked else ""
        following = f"{kind}?from={start + 2}{about}" if start + 2 < len(matches) else None
        return reply(searchset(matches[start : start + 2], following, len(matches)))


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def opened(ward: Ward) -> Iterator[Ward]:
    """The ward at a free port of loopback."""

    class Desk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            request = _read(cast("BinaryIO", self.rfile))
            answer = ward.answer(request)
            try:
                self.wfile.write(answer)
                if not answer:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:  # the client has seen enough
                return

    with _Listener(("127.0.0.1", 0), Desk) as listener:
        ward.address = f"http://127.0.0.1:{listener.server_address[1]}/fhir"
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield ward
        finally:
            listener.shutdown()
            thread.join()


def _read(stream: BinaryIO) -> Request:
    method, target, _ = stream.readline().decode().split(" ")
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    form = parse_qs(body.decode()) if not headers.get("content-type", "").endswith("json") else {}
    return Request(method, target, headers, {name: values[0] for name, values in form.items()}, body)


def pull(
    ward: Ward, policy: RetryPolicy = QUICK, limits: Limits | None = None, patients_at_once: int = 2
) -> tuple[list[PatientRecord], Quarantine]:
    """All records of the ward."""
    quarantine = Quarantine()
    with opened(ward):
        server = FhirServer(
            ward.address,
            "fhir-server:test",
            token=lambda: "secret",
            policy=policy,
            limits=limits,
            patients_at_once=patients_at_once,
        )
        return list(server.records(quarantine)), quarantine
