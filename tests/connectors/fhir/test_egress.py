"""Whatever address a server names, wherever it may name one: nobody but the server is spoken to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.fhir.smart import Registration, begun
from connectors.fhir.smart.launched import launch_configuration
from prognosis.errors import SourceError
from tests.connectors.fhir.bulk_export.depot import Depot, at, exported
from tests.connectors.fhir.http.test_origin import FOREIGN
from tests.connectors.fhir.smart.authority import CLIENT, Authority
from tests.connectors.fhir.smart.test_backend import PUBLIC, pulled
from tests.connectors.fhir.ward import Ward, opened, pull, reply, searchset

AS_HEADER = [link for link in FOREIGN if link.isascii() and not {"\0", "\r", "\n"} & set(link)]


def of_a_page(link: str, _: Path) -> Ward:
    ward = Ward([], at("Patient/_search", lambda *_: reply(searchset([], link))))
    return _refused(ward, lambda: pull(ward))


def of_a_status(link: str, folder: Path) -> Ward:
    depot = Depot([], at("$export", lambda *_: reply(b"", "202 Accepted", Content_Location=link)))
    return _refused(depot, lambda: exported(depot, folder))


def of_a_file(link: str, folder: Path) -> Ward:
    depot = Depot([], changed={"output": [{"type": "Patient", "url": link}]}, polls=2, needs_token=False)
    return _refused(depot, lambda: exported(depot, folder))


def of_a_token_endpoint(link: str, _: Path) -> Ward:
    authority = Authority([], keys=PUBLIC, changed={"token_endpoint": link})
    return _refused(authority, lambda: pulled(authority))


def of_a_launch(link: str, _: Path) -> Ward:
    authority = Authority([], changed={"authorization_endpoint": link})

    def launch() -> None:
        with opened(authority):
            registration = Registration(CLIENT, "https://app.example/", ("launch",), {authority.address: ()})
            stated = asyncio.run(launch_configuration(registration, authority.address))
            begun(registration, authority.address, stated, launch="x")

    return _refused(authority, launch)


def _refused(ward: Ward, act: Callable[[], object]) -> Ward:
    with pytest.raises(SourceError, match=r"127\.0\.0\.1") as caught:
        act()
    assert "evil" not in str(caught.value)
    return ward


SINKS = [of_a_page, of_a_file, of_a_token_endpoint, of_a_launch]


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("link", FOREIGN)
def test_an_address_elsewhere_is_not_asked(
    sink: Callable[[str, Path], Ward], link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken_to = recorded(monkeypatch)
    ward = sink(link, tmp_path / "out")
    assert spoken_to == {ward.address.removeprefix("http://").removesuffix("/fhir")}


@pytest.mark.parametrize("link", AS_HEADER)
def test_a_state_elsewhere_is_not_asked(link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken_to = recorded(monkeypatch)
    ward = of_a_status(link, tmp_path / "out")
    assert spoken_to == {ward.address.removeprefix("http://").removesuffix("/fhir")}


def recorded(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every host and port that a connection is opened to, from here on."""
    from anyio import connect_tcp

    spoken_to: set[str] = set()

    async def connect(remote_host: str, remote_port: int, **more: object) -> object:
        spoken_to.add(f"{remote_host}:{remote_port}")
        return await connect_tcp(remote_host, remote_port, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("anyio.connect_tcp", connect)
    return spoken_to
