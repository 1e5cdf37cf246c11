"""A server that cannot be reached is told with what would mend it, by what really went wrong."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest

from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.origin import Origin
from connectors.fhir.http.retry import RetryPolicy
from connectors.fhir.http.unreached import remedy_of
from prognosis.cli.live.process import free_port
from prognosis.errors import SourceError


class Silent(BaseHTTPRequestHandler):
    """A server of plain http."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Nothing."""


@pytest.fixture
def plain() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def told(address: str) -> str:
    async def read() -> None:
        policy = RetryPolicy(attempts=1)
        async with FhirClient(Origin(address), policy=policy) as client:
            await client.read("metadata", "metadata")

    with pytest.raises(SourceError) as raised:
        anyio.run(read)
    return str(raised.value)


def test_a_port_where_nothing_listens_is_told_as_such() -> None:
    assert "nothing listens there: check the port" in told(f"http://127.0.0.1:{free_port()}/fhir")


def test_https_to_a_server_of_plain_http_is_told_as_such(plain: int) -> None:
    assert "check scheme and port of the address" in told(f"https://127.0.0.1:{plain}/fhir")


def test_a_certificate_that_is_not_trusted_is_told_before_anything_else_of_tls() -> None:
    error = OSError("connecting failed")
    error.__cause__ = ssl.SSLCertVerificationError(1, "self-signed certificate")
    assert "SSL_CERT_FILE" in remedy_of(error)


def test_a_failure_of_several_addresses_is_told_by_theirs() -> None:
    group = ExceptionGroup("no address", [ConnectionRefusedError(111, "refused"), OSError(101, "no route")])
    error = OSError("all connection attempts failed")
    error.__cause__ = group
    group.__context__ = error  # a circle ends
    assert "nothing listens there" in remedy_of(error)
    assert remedy_of(OSError("unknown")) == "check the server and the way to it"
