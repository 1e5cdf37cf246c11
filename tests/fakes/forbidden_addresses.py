"""Addresses that must not be asked, the host that counts who asked it, and every connection of this process.

The one table for every place where somebody other than the user may write an address. `{own}` is the port of
the server that may be asked, at 127.0.0.1; `{port}` is that of the forbidden one, at the same address, at
127.0.0.2 and at ::1.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ELSEWHERE = (
    # Another origin, plainly.
    "http://127.0.0.1:{port}",
    "http://127.0.0.1:{port}/fhir/Patient?page=2",
    "http://127.0.0.1:{port}/dicom-web",
    "http://127.0.0.2:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "https://127.0.0.1:{own}/fhir",
    "http://127.0.0.2:{own}/fhir",
    "https://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "https://evil.example/",
    "https://keys.example.evil.example/",
    # Names that lead to this machine.
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://localhost.localdomain:{port}/",
    "http://ip6-localhost:{port}/",
    "http://any.localhost:{port}/",
    "http://127.0.0.1.nip.io:{port}/",
    "http://metadata.google.internal/",
    # Users' names that look like hosts.
    "http://127.0.0.1:{own}@127.0.0.1:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://user:pass@127.0.0.1:{port}/",
    "http://@127.0.0.1:{port}/",
    "http://a@b@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}%40127.0.0.1:{own}/",
    "http://127.0.0.1%2f@127.0.0.1:{port}/",
    # Fragments, queries and back-slashes that end a host early.
    "http://127.0.0.1:{port}#127.0.0.1:{own}/",
    "http://127.0.0.1:{port}#@127.0.0.1:{own}/",
    "http://127.0.0.1:{port}?@127.0.0.1:{own}/",
    "http://127.0.0.1:{port}/@127.0.0.1:{own}/",
    "http://127.0.0.1:{port}\\@127.0.0.1:{own}/",
    "http://127.0.0.1:{own}\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\.127.0.0.1:{own}/",
    "http:\\\\127.0.0.1:{port}\\",
    "http:/\\127.0.0.1:{port}/",
    "\\\\127.0.0.1:{port}/",
    "/\\127.0.0.1:{port}/",
    # One address in other forms.
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://017700000001:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://00000127.0.0.1:{port}/",
    "http://127.0.0.01:{port}/",
    "http://127.0.0.0x1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.0.0.256:{port}/",
    "http://4294967297:{port}/",
    "http://0:{port}/",
    # IPv6: mapped, embedded, long, and broken.
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[0000::0001]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[::1%lo]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://[::1:{port}/",
    "http://::1:{port}/",
    "http://[::1]x:{port}/",
    # Letters, digits and dots that are turned into others.
    "http://127\u30020\u30020\u30021:{port}/",
    "http://127\uff0e0\uff0e0\uff0e1:{port}/",
    "http://\uff11\uff12\uff17.0.0.1:{port}/",
    "http://\u0661\u0662\u0667.0.0.1:{port}/",
    "http://\u24dbocalhost:{port}/",
    "http://localho\u017ft:{port}/",
    "http://xn--localhost-:{port}/",
    "http://%6c%6f%63%61%6c%68%6f%73%74:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127%2e0%2e0%2e1:{port}/",
    # Ends of lines, spaces, tabs and zeros.
    "http://127.0.0.1:{port}/\r\nHost: 127.0.0.1:{own}",
    "\nhttp://127.0.0.1:{port}/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port} /",
    "http://127.0.0.1\t:{port}/",
    "ht\ntp://127.0.0.1:{port}/",
    "http://127.0.0.1\x00.example:{port}/",
    "http://127.0.0.1%00.example:{port}/",
    "http://127.0.0.1%0d%0a:{port}/",
    # Schemes, and none.
    "//127.0.0.1:{port}/",
    "///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "ws://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_x",
    "dict://127.0.0.1:{port}/",
    "jar:http://127.0.0.1:{port}/!/",
    "127.0.0.1:{port}",
    "file:///etc/passwd",
    "data:application/json,{{}}",
    "javascript:alert(1)",
    "unix:/run/x",
    # Ports.
    "http://127.0.0.1:0{port}/",
    "http://127.0.0.1:+{port}/",
    "http://127.0.0.1:{port}:{own}/",
    "http://127.0.0.1:{own}:{port}/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:/",
)
"""What leads, to some reader, to another origin than the server's."""

UNCLEAR = (
    "http://user:pass@127.0.0.1:{own}/",
    "http://127.0.0.1:{own}@/",
    "http://127.0.0.1:{own}/#",
    "http://127.0.0.1:{own}/?PatientID=1",
    "http://127.0.0.1:{own}\\/x",
    "http://127.1:{own}/",
    "http://2130706433:{own}/",
    "http://[::ffff:127.0.0.1]:{own}/",
    "http://127.0.0.1:{own}/\r\n",
    "http://127.0.0.1:{own}/%0d%0a",
    "http://127.0.0.1:{own}/\x00",
    "http://127.0.0.1:{own}/../x",
    "http://127.0.0.1:{own}/a/%2e%2e/b",
    "http://127.0.0.1:{own}/a%2fb",
    "http://127.0.0.1:{own}/a b",
    "http://",
    "",
)
"""What is at the server's own origin, or nowhere, in a form that two readers may read differently."""

REDIRECTS = tuple(f"http://127.0.0.1:{{own}}/away/{status}" for status in (301, 302, 303, 307, 308))
"""Addresses of the server itself, which answers that what is asked for lies at the forbidden host."""

FORMS = ELSEWHERE + UNCLEAR + REDIRECTS


@dataclass
class Forbidden:
    """A host that nobody may ask.

    Attributes:
        port: At each of its addresses.
        hits: What was sent on each connection, as far as it came at once.
    """

    port: int
    hits: list[bytes] = field(default_factory=list)


@contextmanager
def forbidden_host() -> Iterator[Forbidden]:
    """The host, listening until the end."""
    first = socket.create_server(("127.0.0.1", 0))
    host = Forbidden(first.getsockname()[1])
    listening = [first, socket.create_server(("127.0.0.2", host.port))]
    if socket.has_ipv6:
        listening.append(socket.create_server(("::1", host.port), family=socket.AF_INET6))
    threads = [threading.Thread(target=_count, args=(each, host.hits), daemon=True) for each in listening]
    for thread in threads:
        thread.start()
    try:
        yield host
    finally:
        for each in listening:
            each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in threads:
            thread.join()


def _count(listening: socket.socket, hits: list[bytes]) -> None:
    while True:
        try:
            line, _ = listening.accept()
        except OSError:
            return
        with line:
            line.settimeout(0.5)
            try:
                hits.append(line.recv(4096))
            except OSError:
                hits.append(b"")


@dataclass
class Attempts:
    """What this process tried to reach while it was watched.

    Attributes:
        connected: Address and port of every connection that was begun.
        looked_up: Every name that was to be resolved.
    """

    connected: set[tuple[str, int]] = field(default_factory=set)
    looked_up: set[str] = field(default_factory=set)


_watching: list[Attempts] = []


def _heard(event: str, arguments: tuple[object, ...]) -> None:
    if not _watching:
        return
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _watching[-1].connected.add(arguments[1][:2])
    if event == "socket.getaddrinfo":
        _watching[-1].looked_up.add(str(arguments[0]))


@contextmanager
def watched() -> Iterator[Attempts]:
    """Every connection that this process begins and every name that it looks up, whatever library does so."""
    if not _hooked:
        sys.addaudithook(_heard)  # which stays, and hears nothing while nobody watches
        _hooked.append(True)
    _watching.append(Attempts())
    try:
        yield _watching[-1]
    finally:
        _watching.pop()


_hooked: list[bool] = []
