"""More than eighty forms of address at every place for one: no other host is asked, and no token leaves."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.address_sinks import SINKS, Sink
from tests.fakes.forbidden_addresses import (
    ELSEWHERE,
    FORMS,
    REDIRECTS,
    Forbidden,
    forbidden_host,
    watched,
)
from tests.simulated import Simulated


@pytest.fixture(scope="module")
def forbidden() -> Iterator[Forbidden]:
    """The host that nobody may ask."""
    with forbidden_host() as host:
        yield host


@pytest.fixture(scope="module")
def sink(
    request: pytest.FixtureRequest, small: Simulated, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sink]:
    """A place for addresses."""
    with SINKS[request.param](tmp_path_factory.mktemp("sink"), small) as found:
        yield found


def test_there_are_more_than_eighty_forms_and_six_places() -> None:
    assert len(set(FORMS)) == len(FORMS) > 80
    assert {"fhirServer", "Endpoint.address", "link.next", "jwks_uri", "output.url", "Content-Location"} <= (
        SINKS.keys()
    )


@pytest.mark.parametrize("sink", SINKS, indirect=True)
@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_nobody_but_the_server_is_asked(sink: Sink, forbidden: Forbidden, form: str) -> None:
    before = sink.asked()
    with watched() as attempts:
        sink.offer(form.format(own=sink.own, port=forbidden.port), f"http://127.0.0.1:{forbidden.port}/")
    ports = {sink.own, *sink.others}
    assert attempts.connected <= {("127.0.0.1", port) for port in ports}
    assert attempts.looked_up <= {"127.0.0.1"}
    assert forbidden.hits == []
    if form in REDIRECTS:
        assert sink.asked() > before  # it was asked, and what it answered was not followed
    elif sink.exact:
        assert sink.asked() == before


def test_whoever_is_asked_is_counted(forbidden: Forbidden) -> None:
    for place in ("127.0.0.1", "127.0.0.2", "[::1]", "localhost"):
        with watched() as attempts, pytest.raises(httpx.TransportError):
            httpx.get(
                f"http://{place}:{forbidden.port}/", headers={"Authorization": "Bearer x"}, trust_env=False
            )
        assert any(port == forbidden.port for _, port in attempts.connected)
        assert b"Bearer x" in forbidden.hits.pop()
    assert "localhost" in attempts.looked_up
    assert len(ELSEWHERE) > 80
