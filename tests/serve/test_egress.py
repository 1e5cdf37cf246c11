"""The one way out: what is not named is not asked, however it is written, and a name leads where it may."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator, Sequence

import pytest

from prognosis.errors import AccessError, SourceError
from prognosis.serve.egress import LARGEST_ANSWER, Egress
from tests.fakes.forbidden_addresses import FORMS

NAMED = "https://keys.example/jwks.json"
METADATA = "169.254.169.254"


class Names:
    """A resolver that remembers what it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.addresses


KEYS = "http://127.0.0.1:8001/jwks.json"
NEARLY = (
    "https://127.0.0.1:8001/jwks.json",
    "http://127.0.0.1:8001/jwks.json/",
    "http://127.0.0.1:8001//jwks.json",
    "http://127.0.0.1:8001/./jwks.json",
    "http://127.0.0.1:8001/..;/jwks.json",
    "http://127.0.0.1:8001/%6awks.json",
    "http://127.0.0.1:8001/jwks.json?x=1",
    "http://127.0.0.1:8001/jwks.json#x",
    "http://127.0.0.1:8001/jwks.json ",
    "http://127.0.0.1:8001/jwks.json\n",
    "http://127.0.0.1:8001/jwks.json\r\nHost: evil.example",
    "HTTP://127.0.0.1:8001/jwks.json",
    "http://127.0.0.1:8001",
)
"""The named address, nearly."""


@pytest.mark.parametrize("form", [*FORMS, *NEARLY], ids=range(len(FORMS) + len(NEARLY)))
def test_an_address_that_is_not_the_one_named_is_not_even_looked_up(form: str) -> None:
    names = Names("203.0.113.5")
    with pytest.raises(AccessError):
        Egress([KEYS], resolve=names).get(form.format(own=8001, port=8002))
    assert not names.asked


UNREADABLE = [each for each in (*FORMS, *NEARLY) if re.search(r"[?#\\\s]|//[^/]*@", each)]


@pytest.mark.parametrize("form", UNREADABLE, ids=range(len(UNREADABLE)))
def test_an_operator_who_names_an_unclear_address_is_refused_too(form: str) -> None:
    named = form.format(own=8001, port=8002)
    with pytest.raises(AccessError):
        Egress([named], resolve=Names("93.184.216.34")).checked(named)


PRIVATE = (
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",  # noqa: S104 - an address that must be refused
    "10.0.0.1",
    "172.31.255.255",
    "192.168.0.1",
    METADATA,
    "100.64.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_refused_wherever_it_stands_among_its_addresses(address: str) -> None:
    for addresses in ((address,), ("93.184.216.34", address), (address, "93.184.216.34")):
        with pytest.raises(AccessError, match="private address"):
            Egress([NAMED], resolve=Names(*addresses)).checked(NAMED)


def test_the_address_that_was_checked_is_the_one_that_is_asked() -> None:
    names = Names("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946")
    target = Egress([NAMED], resolve=names).checked(NAMED)
    assert (target.host, target.port, target.path) == ("keys.example", 443, "/jwks.json")
    assert target.address == "93.184.216.34"
    assert names.asked == ["keys.example"]
    own = Egress([NAMED], private_hosts=["keys.example"], resolve=Names("10.1.2.3"))
    assert own.checked(NAMED).address == "10.1.2.3"
    with pytest.raises(SourceError):
        Egress([NAMED], resolve=Names()).checked(NAMED)


class Redirecting(http.server.BaseHTTPRequestHandler):
    """Answers /keys, redirects /away to it, and sends too much at /long."""

    seen: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Host"]))
        self.send_response(302 if self.path == "/away" else 200)
        body = b"x" * (LARGEST_ANSWER + 1) if self.path == "/long" else b'{"keys": []}'
        if self.path == "/away":
            self.send_header("Location", "/keys")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """A server on loopback, and what it was asked."""
    seen: list[tuple[str, str | None]] = []
    handler = type("Own", (Redirecting,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://localhost:{listening.server_address[1]}", seen
        listening.shutdown()
        thread.join()


def test_a_redirect_is_not_followed_and_a_long_answer_is_not_read(
    server: tuple[str, list[tuple[str, str | None]]],
) -> None:
    base, seen = server
    egress = Egress([f"{base}/keys", f"{base}/away", f"{base}/long"], resolve=Names("127.0.0.1"))
    assert egress.get(f"{base}/keys") == b'{"keys": []}'
    assert seen == [("/keys", base.removeprefix("http://"))]
    with pytest.raises(SourceError, match="status 302"):
        egress.get(f"{base}/away")
    assert [path for path, _ in seen] == ["/keys", "/away"]
    with pytest.raises(SourceError, match="more than a MiB"):
        egress.get(f"{base}/long")
