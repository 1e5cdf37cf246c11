"""Hostile forms of addresses: none reaches a host that was not allowed, and no token leaves an origin."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dicom import DicomWeb
from connectors.dicom.web.address import address_of, stated_address
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.dicom.web.double import Archive, Reply, from_now_on

ALLOWED = "http://127.0.0.1:{allowed}/dicom-web"

FORMS = [
    # Another origin, plainly.
    *("http://127.0.0.1:{port}", "http://127.0.0.1:{port}/dicom-web", "http://localhost:{port}/"),
    *("http://[::1]:{port}/", "https://127.0.0.1:{allowed}/", "http://127.0.0.2:{port}/"),
    *(
        "http://example.org/",
        "https://169.254.169.254/latest",
        "http://0.0.0.0:{port}/",
        "http://[::]:{port}/",
    ),
    # Users' names that look like hosts.
    *("http://127.0.0.1:{allowed}@127.0.0.1:{port}/", "http://user@127.0.0.1:{port}/"),
    *("http://user:pass@127.0.0.1:{allowed}/", "http://@127.0.0.1:{port}/", "http://127.0.0.1:{allowed}@/"),
    *("http://127.0.0.1:{port}%40127.0.0.1:{allowed}/", "http://a@b@127.0.0.1:{port}/"),
    # Fragments, queries and back-slashes that end a host early.
    *("http://127.0.0.1:{port}#127.0.0.1:{allowed}/", "http://127.0.0.1:{port}#@127.0.0.1:{allowed}/"),
    *("http://127.0.0.1:{allowed}/#", "http://127.0.0.1:{allowed}/?PatientID=1", "http://127.0.0.1:{port}?a"),
    *(
        "http://127.0.0.1:{port}\\@127.0.0.1:{allowed}/",
        "http:\\\\127.0.0.1:{port}\\",
        "http:/\\127.0.0.1:{port}/",
    ),
    *(
        "\\\\127.0.0.1:{port}/",
        "http://127.0.0.1:{port}\\.127.0.0.1:{allowed}/",
        "http://127.0.0.1:{allowed}\\/x",
    ),
    # One address in other forms.
    *("http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://017700000001:{port}/"),
    *(
        "http://127.1:{port}/",
        "http://127.0.1:{port}/",
        "http://0x7f.0.0.1:{port}/",
        "http://0177.0.0.1:{port}/",
    ),
    *(
        "http://127.0.0.01:{port}/",
        "http://0:{port}/",
        "http://127.0.0.1.:{port}/",
        "http://127.0.0.0x1:{port}/",
    ),
    *("http://2130706433:{allowed}/", "http://127.1:{allowed}/", "http://0x7f.1:{allowed}/"),
    *("http://00000127.0.0.1:{allowed}/", "http://127.0.0.256:{allowed}/", "http://4294967297:{port}/"),
    # IPv6, mapped and long.
    *("http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/"),
    *("http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::1%25lo]:{port}/", "http://[::1%lo]:{port}/"),
    *("http://[::ffff:127.0.0.1]:{allowed}/", "http://[2002:7f00:1::]:{port}/", "http://[127.0.0.1]:{port}/"),
    *("http://[::1:{port}/", "http://::1:{port}/", "http://[]:{port}/", "http://[::1]x:{port}/"),
    # Letters and dots that are turned into others.
    *(
        "http://127\u30020\u30020\u30021:{port}/",
        "http://127\uff0e0\uff0e0\uff0e1:{port}/",
        "http://\uff11\uff12\uff17.0.0.1:{port}/",
    ),
    *(
        "http://\u24dbocalhost:{port}/",
        "http://localho\u017ft:{port}/",
        "http://localhost.:{port}/",
        "http://\uff4cocalhost/",
    ),
    *(
        "http://xn--ls8h.example/",
        "http://127.0.0.1%2e:{port}/",
        "http://%6c%6f%63%61%6c%68%6f%73%74:{port}/",
    ),
    # Ends of lines, spaces, tabs and zeros.
    *("http://127.0.0.1:{port}/\r\nHost: x", "http://127.0.0.1:{allowed}/\r\n", "\nhttp://127.0.0.1:{port}/"),
    *(
        "http://127.0.0.1:{port} /",
        " http://127.0.0.1:{port}/",
        "http://127.0.0.1\t:{port}/",
        "ht\ntp://127.0.0.1:{port}/",
    ),
    *(
        "http://127.0.0.1:{allowed}/\0",
        "http://127.0.0.1%00.example:{port}/",
        "http://127.0.0.1:{allowed}/%0d%0a",
    ),
    # Schemes.
    *("file:///etc/passwd", "ftp://127.0.0.1:{port}/", "gopher://127.0.0.1:{port}/", "//127.0.0.1:{port}/"),
    *(
        "http:127.0.0.1:{port}/",
        "http:/127.0.0.1:{port}/",
        "http:///127.0.0.1:{port}/",
        "javascript:alert(1)",
    ),
    *(
        "data:,x",
        "dict://127.0.0.1:{port}/",
        "HTTP://127.0.0.1:{port}/",
        "ws://127.0.0.1:{port}/",
        "https:{port}",
    ),
    *(
        "unix:/run/x",
        "jar:http://127.0.0.1:{port}/!/",
        "127.0.0.1:{port}",
        "",
        "http://",
        "/dicom-web",
        "http://:{port}/",
    ),
    # Ports.
    *(
        "http://127.0.0.1:0{port}/",
        "http://127.0.0.1:+{port}/",
        "http://127.0.0.1:-1/",
        "http://127.0.0.1:99999/",
    ),
    *(
        "http://127.0.0.1:/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:{port}:{allowed}/",
        "http://127.0.0.1:x/",
    ),
    # Paths that climb.
    *(
        "http://127.0.0.1:{allowed}/../x",
        "http://127.0.0.1:{allowed}/a/%2e%2e/b",
        "http://127.0.0.1:{allowed}/a%2fb",
    ),
    *(
        "http://127.0.0.1:{allowed}/./x",
        "http://127.0.0.1:{allowed}/a;b%5c",
        "http://127.0.0.1:{allowed}/a b",
    ),
]


@pytest.fixture
def forbidden() -> Iterator[tuple[int, list[str]]]:
    """A host that nobody may ask: its port, and the authorization of whoever did."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.headers.get("Authorization", "none"))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_address[1], hits
    server.shutdown()
    server.server_close()
    thread.join()


def test_there_are_more_than_eighty_hostile_forms():
    assert len(set(FORMS)) == len(FORMS) >= 80


def test_no_hostile_form_that_a_record_states_is_asked_and_no_token_leaves(
    pacs: Archive, forbidden: tuple[int, list[str]]
):
    port, hits = forbidden
    allowed = [address_of(ALLOWED.format(allowed=pacs.port))]
    for form in FORMS:
        place = form.format(port=port, allowed=pacs.port)
        with pytest.raises(SourceError) as caught:
            stated_address(place, allowed)
        assert "pass" not in str(caught.value), form
    assert hits == []


def test_what_the_user_writes_in_an_unusual_form_is_refused_or_goes_where_it_says(
    pacs: Archive, forbidden: tuple[int, list[str]]
):
    """The forms whose only fault is that a record states them are the user's to write."""
    port, hits = forbidden
    for form in FORMS:
        place = form.format(port=port, allowed=pacs.port)
        if address_is_plain(place):
            continue
        with pytest.raises(SourceError):
            DicomWeb(place, "dicomweb:x", lambda: "secret").study_patients(Quarantine())
    assert hits == []
    assert pacs.asked == []


def address_is_plain(place: str) -> bool:
    with contextlib.suppress(SourceError):
        return bool(address_of(place))
    return False


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_archive_that_sends_its_caller_elsewhere_is_not_followed(
    pacs: Archive, forbidden: tuple[int, list[str]], status: int
):
    port, hits = forbidden
    for where in (f"http://127.0.0.1:{port}/", f"//127.0.0.1:{port}/", f"http://localhost:{pacs.port}/"):
        from_now_on(pacs, lambda *_, where=where: Reply(status, b"", {"Location": where}))
        source = DicomWeb(pacs.address, "dicomweb:x", lambda: "secret")
        with pytest.raises(SourceError, match="sends its caller elsewhere"):
            source.study_patients(Quarantine())
        pacs.faults.clear()
    assert hits == []


@pytest.mark.parametrize(
    ("stated", "root"),
    [
        ("https://pacs.example/dicom-web/", "https://pacs.example/dicom-web"),
        ("https://pacs.example:443/other", "https://pacs.example:443/other"),
        ("HTTPS://PACS.example/dicom-web", "https://pacs.example/dicom-web"),
    ],
)
def test_an_address_at_an_allowed_origin_is_used_whatever_its_path(stated: str, root: str):
    assert stated_address(stated, [address_of("https://pacs.example")]).root == root


@given(st.text(max_size=40))
def test_whatever_is_stated_is_at_the_allowed_origin_or_refused(text: str):
    allowed = address_of("https://pacs.example")
    for place in (text, f"https://{text}", f"https://pacs.example{text}", f"https://{text}pacs.example/"):
        with contextlib.suppress(SourceError):
            assert stated_address(place, [allowed]).origin == allowed.origin
            assert stated_address(place, [allowed]).root.startswith("https://pacs.example")
