"""A DICOMweb archive on loopback that misbehaves as it is told, and how tests ask it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pydicom

from connectors.dicom import DicomWeb
from prognosis.record import ImagingStudy, Quarantine
from tests.connectors.dicom.films import reference

SERIES = "2.25.9"
"""The study of several instances that tests ask for."""

BOUNDARY = "a-boundary"
MULTIPART = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


@dataclass
class Reply:
    """What is sent; `declared` is the Content-Length where it is not the body's."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = None


@dataclass
class Archive:
    """What it holds, what it was asked, and how it misbehaves.

    Attributes:
        files: Of each study.
        port: Of loopback.
        asked: Each question's method, path, query and headers.
        faults: Each makes of one question's path and honest reply the reply that is sent, in turn.
        inbox: Where what is sent to it is stored; None where it is dropped, and answered for all the same.
    """

    files: dict[str, list[Path]]
    port: int = 0
    asked: list[tuple[str, str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)
    faults: list[Callable[[str, Reply], Reply]] = field(default_factory=list)
    inbox: Path | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def honest(self, path: str, query: dict[str, list[str]]) -> Reply:
        """What an archive in order answers."""
        limit, offset = (int(query.get(name, ["0"])[0]) for name in ("limit", "offset"))
        one = re.fullmatch(r"/dicom-web/studies/([0-9.]+)/series/[0-9.]+/instances/([0-9.]+)", path)
        if one is not None:
            held = [each.read_bytes() for each in self.files.get(one[1], []) if instance_of(each) == one[2]]
            return Reply(200, multipart(held), {"Content-Type": MULTIPART}) if held else Reply(404)
        series = re.fullmatch(r"/dicom-web/studies/([0-9.]+)/series/([0-9.]+)", path)
        if series is not None:
            of_it = [each for each in self.files.get(series[1], []) if series_of(each) == series[2]]
            held = [each.read_bytes() for each in of_it]
            return Reply(200, multipart(held), {"Content-Type": MULTIPART}) if held else Reply(404)
        found = re.fullmatch(r"/dicom-web/studies(?:/([0-9.]+)(?:/(series|instances))?)?", path)
        if found is None:
            return Reply(404)
        uid, below = found.groups()
        if uid and not below:
            if uid not in self.files:
                return Reply(404)
            body = multipart([path.read_bytes() for path in self.files[uid]])
            return Reply(200, body, {"Content-Type": MULTIPART})
        wanted = query.get("StudyInstanceUID", [uid] if uid else list(self.files))
        rows = []
        for each in sorted(set(wanted) & self.files.keys()):
            read = [pydicom.dcmread(path, stop_before_pixels=True) for path in self.files[each]]
            first_of_each = list({str(one.SeriesInstanceUID): one for one in reversed(read)}.values())[::-1]
            for dataset in {"instances": read, "series": first_of_each, None: read[:1]}[below]:
                row = json.loads(dataset.to_json())
                row["00201208"] = {"vr": "IS", "Value": [len(read)]}
                rows.append(row)
        page = json.dumps(rows[offset : offset + limit]).encode()
        return Reply(200, page, {"Content-Type": "application/dicom+json"})


def instance_of(path: Path) -> str:
    """The UID of the instance that a file holds."""
    return str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)


def series_of(path: Path) -> str:
    """The UID of the series that a file's instance is of."""
    return str(pydicom.dcmread(path, stop_before_pixels=True).SeriesInstanceUID)


def multipart(contents: list[bytes], boundary: str = BOUNDARY) -> bytes:
    """A body of instances."""
    made = b""
    for content in contents:
        made += f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + content + b"\r\n"
    return made + f"--{boundary}--\r\n".encode()


@contextmanager
def archive(files: dict[str, list[Path]]) -> Iterator[Archive]:
    """A running archive on a free port, stopped at the end."""
    held = Archive(files)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            held.asked.append(("GET", parts.path, query, dict(self.headers)))
            self.reply(parts.path, held.honest(parts.path, query))

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            held.asked.append(("POST", self.path, {}, dict(self.headers)))
            boundary = self.headers["Content-Type"].rpartition("boundary=")[2]
            sections = sent.split(f"--{boundary}".encode())[1:-1]
            contents = [section.partition(b"\r\n\r\n")[2][:-2] for section in sections]
            if held.inbox is not None:
                uid, before = self.path.rpartition("/")[2], len(list(held.inbox.iterdir()))
                paths = [held.inbox / f"{before + place}.dcm" for place in range(len(contents))]
                for path, content in zip(paths, contents, strict=True):
                    path.write_bytes(content)
                sent = {instance_of(path) for path in paths}
                kept = [path for path in held.files.get(uid, []) if instance_of(path) not in sent]
                held.files[uid] = [*kept, *paths]
            self.reply(self.path, Reply(200, b"{}"))

        def reply(self, path: str, reply: Reply) -> None:
            if held.faults:
                reply = held.faults.pop(0)(path, reply)
            self.send_response_only(reply.status)
            length = len(reply.body) if reply.declared is None else reply.declared
            for name, value in {"Content-Length": str(length), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            if length != len(reply.body):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    held.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Fault = Callable[[str, Reply], Reply]


def opened(pacs: Archive, quarantine: Quarantine | None = None) -> DicomWeb:
    source = DicomWeb(pacs.address, f"dicomweb:{pacs.address}")
    source.study_patients(Quarantine() if quarantine is None else quarantine)
    return source


def asked_for(uid: str) -> ImagingStudy:
    return reference(int(uid.rpartition(".")[2]))


def from_now_on(pacs: Archive, fault: Fault) -> None:
    pacs.faults.extend([fault] * 20)


def to_the_study(change: Fault, uid: str = SERIES) -> Fault:
    """A fault of answers that hold images only."""
    return lambda path, reply: change(path, reply) if path.endswith(uid) else reply
