"""A way to an honest server on which one kind of request goes wrong: a socket on loopback between the two.

It reads a whole request, has the honest server answer it, and then does to the answer what a fault says. So
every double, whatever it speaks, and a real server too, can fail in the same ways.
"""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

LASTING = 10**9
DRIP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Spoken:
    """An answer on its way.

    Attributes:
        head: Status and headers, to the empty line.
        body: What follows.
        over: Set when the test ends: nobody is kept longer.
    """

    head: bytes
    body: bytes
    over: threading.Event

    @property
    def whole(self) -> bytes:
        return self.head + self.body

    def of_length(self, length: int, body: bytes) -> bytes:
        """Another body, under a Content-Length that need not be its own."""
        lines = [each for each in self.head.split(b"\r\n")[:-2] if not each.lower().startswith(LENGTH)]
        return b"\r\n".join([*lines, b"Content-Length: %d" % length]) + b"\r\n\r\n" + body


LENGTH = b"content-length:"
Fault = Callable[[socket.socket, Spoken], bool]
"""Sends what it sends; whether the connection may serve another request."""

INSTEAD = frozenset({"429", "500", "503"})
"""Faults of a server that does not do what it is asked; in the others it did, and its answer goes wrong."""


def latency(_: socket.socket, answer: Spoken) -> bool:
    """Nothing comes."""
    answer.over.wait(60)
    return False


def reset(line: socket.socket, _: Spoken) -> bool:
    """The connection is cut off (RST) before the answer."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def half_close(line: socket.socket, answer: Spoken) -> bool:
    """Half of the answer, then the server's side ends while its connection stays open."""
    line.sendall(answer.whole[: (len(answer.head) + len(answer.whole)) // 2 - (not answer.body)])
    line.shutdown(socket.SHUT_WR)
    answer.over.wait(2)
    return False


def trickle(line: socket.socket, answer: Spoken) -> bool:
    """A byte at a time, never silent for long."""
    for place in range(len(answer.whole)):
        line.sendall(answer.whole[place : place + 1])
        if answer.over.wait(DRIP_SECONDS):
            break
    return False


def truncate(line: socket.socket, answer: Spoken) -> bool:
    """Half of the body under a length that says that this is all; without a body, half of the head."""
    half = answer.body[: len(answer.body) // 2]
    line.sendall(answer.of_length(len(half), half) if answer.body else answer.head[: len(answer.head) // 2])
    return False


def status(told: str, *headers: str) -> Fault:
    """Another status, without the answer."""
    head = "\r\n".join([f"HTTP/1.1 {told}", "Content-Length: 0", *headers])

    def fault(line: socket.socket, _: Spoken) -> bool:
        line.sendall(f"{head}\r\n\r\n".encode())
        return True

    return fault


def wrong_length(line: socket.socket, answer: Spoken) -> bool:
    """A length that leaves out the last 40 bytes of the body; without a body, 40 too many."""
    size = len(answer.body)
    line.sendall(answer.of_length(size - 40 if size > 40 else size + 40, answer.body))
    return False


def duplicate(line: socket.socket, answer: Spoken) -> bool:
    """The whole answer twice, on a connection that goes on: the second is there before the next request."""
    line.sendall(answer.whole + answer.whole)
    return True


def one_twice(line: socket.socket, answer: Spoken) -> bool:
    """The first thing in the answer a second time at its end: an entry, a match, a line, an instance."""
    body = repeated(answer.body)
    line.sendall(answer.of_length(len(body), body))
    return True


def repeated(body: bytes) -> bytes:
    """A body with its first item twice, by the kind of body it is."""
    if body.startswith(b"--"):
        marker = body.partition(b"\r\n")[0]
        first, *others = body.split(marker)[1:]
        return marker.join([b"", first, *others[:-1], first, others[-1]])
    if body.count(b"\n") > 1:
        return body + body.partition(b"\n")[0] + b"\n"
    stated: Any = json.loads(body) if body[:1] in (b"{", b"[") else None
    if isinstance(stated, list):
        return json.dumps([*stated, *stated[:1]]).encode()
    for name in ("entry", "output"):
        if isinstance(stated, dict) and stated.get(name):
            return json.dumps({**stated, name: [*stated[name], stated[name][0]]}).encode()
    return body


FAULTS: dict[str, Fault] = {
    "latency": latency,
    "reset": reset,
    "half-close": half_close,
    "trickle": trickle,
    "truncate": truncate,
    "429": status("429 Too Many Requests", "Retry-After: 0"),
    "500": status("500 Internal Server Error"),
    "503": status("503 Service Unavailable", "Retry-After: 0"),
    "wrong length": wrong_length,
    "duplicate": duplicate,
    "one twice": one_twice,
}


@dataclass
class Way:
    """The way to one server.

    Attributes:
        server: Port of the honest server, on loopback.
        fault: What happens, by its name.
        to: Whether it happens to a request, by method and path.
        times: How often it still does.
        port: Of this way, on loopback.
        happened: How often it did.
        spoken_to: Method and path of every request.
    """

    server: int
    fault: str
    to: Callable[[str, str], bool]
    times: int = LASTING
    port: int = 0
    happened: int = 0
    spoken_to: list[tuple[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self, line: socket.socket) -> None:
        """Requests of one connection, until it is done with."""
        stream = line.makefile("rb")
        while (request := _request(stream)) is not None:
            first = request.partition(b"\r\n")[0].decode("latin-1").split(" ")
            method, path = first[0], urlsplit(first[1]).path
            self.spoken_to.append((method, path))
            wrong = self.to(method, path) and self.happened < self.times
            done = not (wrong and self.fault in INSTEAD)
            answer = Spoken(*(self._honest(request) if done else (b"", b"")), self.over)
            if wrong:
                self.happened += 1
                if not FAULTS[self.fault](line, answer):
                    return
            else:
                line.sendall(answer.whole)

    def _honest(self, request: bytes) -> tuple[bytes, bytes]:
        """The honest answer, without a word on whether the connection is kept."""
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [each for each in head.split(b"\r\n") if not each.lower().startswith(b"connection:")]
        with socket.create_connection(("127.0.0.1", self.server), 30) as onward:
            onward.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            came = b"".join(iter(lambda: onward.recv(2**16), b""))
        head, _, body = came.partition(b"\r\n\r\n")
        lines = [each for each in head.split(b"\r\n") if not each.lower().startswith(b"connection:")]
        return b"\r\n".join(lines) + b"\r\n\r\n", body


def _request(stream: Any) -> bytes | None:
    """A whole request; None where the client has gone."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(LENGTH)]
    return cast("bytes", head + stream.read(int(lengths[0][len(LENGTH) :]) if lengths else 0))


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def beset(way: Way) -> Iterator[Way]:
    """The way, open on a free port of loopback until the end."""

    class Gate(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # the client has seen enough
                way.serve(self.request)

    with _Listener(("127.0.0.1", 0), Gate) as listener:
        way.port = listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield way
        finally:
            way.over.set()
            listener.shutdown()
            thread.join()
