"""Every place where somebody other than the user may write an address, each with its real code and a server.

A sink is open for many forms. Offered one, it puts it where a record, a server or a client would, and has the
code do what it does; typed errors are answers, everything else is a fault.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from joserfc.jwk import ECKey

from connectors.fhir import FhirServer
from connectors.fhir.smart import Registration, begun, launched
from connectors.fhir.smart.launch import challenge
from connectors.fhir.smart.launched import launch_configuration
from prognosis.cli.sources import read_records
from prognosis.errors import PrognosisError
from prognosis.record import Quarantine
from prognosis.serve.settings import ServiceSettings
from tests.cli.sources.test_endpoints import endpoint, study
from tests.connectors.dicom.films import write
from tests.connectors.dicom.web.double import Reply, archive
from tests.connectors.fhir.bulk_export.depot import Depot, run
from tests.connectors.fhir.resources import patient
from tests.connectors.fhir.smart.authority import CLIENT, NOW, Authority
from tests.connectors.fhir.smart.test_backend import PUBLIC, login
from tests.connectors.fhir.ward import QUICK, Request, Ward, opened, reply, searchset
from tests.serve.hospital import BASE, EC_384, LOGIN, base64url, claims, running
from tests.simulated import Simulated

TOKEN = "of-one-origin-only"  # noqa: S105 - of no server
USERS = ECKey.generate_key("P-384")
AWAY = re.compile(r"/away/(\d{3})$")


@dataclass(frozen=True, slots=True)
class Sink:
    """A place for an address, with its server.

    Attributes:
        own: Port of the server that may be asked.
        offer: Has the code meet an address; the second argument is where a redirect of the server leads.
        others: Ports that a test's own client speaks to.
        exact: Whether an address that is not exactly the known one is never asked at all.
        asked: How often the server was asked since the sink was opened.
    """

    own: int
    offer: Callable[[str, str], None]
    asked: Callable[[], int]
    others: frozenset[int] = frozenset()
    exact: bool = False


def port_of(address: str) -> int:
    return int(address.split(":")[2].split("/", maxsplit=1)[0])


def moved(to: str, form: str) -> bytes | None:
    """What the server answers at an address that redirects; None at others."""
    found = AWAY.search(form)
    return reply(b"", f"{found[1]} Moved", Location=to) if found else None


def away(
    to: Callable[[], str], answer: Callable[[Request, bytes], bytes]
) -> Callable[[Request, bytes], bytes]:
    """Damage that redirects where the address says so."""
    return lambda request, good: moved(to(), request.target) or answer(request, good)


def foreseen(act: Callable[[], object]) -> None:
    with suppress(PrognosisError):
        act()


@contextmanager
def next_links(_: Path, __: Simulated) -> Iterator[Sink]:
    """link.next of a page of Patients."""
    ward, offered = Ward([]), ["", ""]

    def page(request: Request, good: bytes) -> bytes:
        if request.place == "Patient/_search":
            return reply(searchset([patient("anna")], offered[0]))
        return good

    ward.damage = away(lambda: offered[1], page)

    def offer(form: str, to: str) -> None:
        offered[:] = form, to
        server = FhirServer(ward.address, "fhir-server:x", token=lambda: TOKEN, policy=QUICK)
        foreseen(lambda: list(server.records(Quarantine())))

    with opened(ward):
        yield Sink(port_of(ward.address), offer, lambda: len(ward.requests))


def of_an_export(folder: Path, place: str) -> Iterator[Sink]:
    depot, offered, numbers = Depot([]), ["", ""], itertools.count()

    def answer(request: Request, good: bytes) -> bytes:
        if place == "Content-Location" and request.place == "$export":
            return reply(b"", "202 Accepted", Content_Location=offered[0])
        return good

    depot.damage = away(lambda: offered[1], answer)

    def offer(form: str, to: str) -> None:
        offered[:] = form, to
        depot.polls = 2
        if place == "output.url":
            depot.changed = {"output": [{"type": "Patient", "url": form}]}
        foreseen(lambda: run(depot, folder / str(next(numbers)), Quarantine()))

    with opened(depot):
        yield Sink(port_of(depot.address), offer, lambda: len(depot.requests))


@contextmanager
def output_urls(folder: Path, _: Simulated) -> Iterator[Sink]:
    """output.url of a manifest whose files want the token."""
    yield from of_an_export(folder, "output.url")


@contextmanager
def content_locations(folder: Path, _: Simulated) -> Iterator[Sink]:
    """Content-Location of an export that was taken."""
    yield from of_an_export(folder, "Content-Location")


@contextmanager
def token_endpoints(_: Path, __: Simulated) -> Iterator[Sink]:
    """token_endpoint of a server's SMART configuration."""
    authority, offered = Authority([], keys=PUBLIC), [""]
    authority.damage = away(lambda: offered[0], lambda _, good: good)

    def offer(form: str, to: str) -> None:
        offered[0], authority.changed = to, {"token_endpoint": form}
        server = FhirServer(authority.address, "fhir-server:x", login=login(authority), policy=QUICK)
        foreseen(lambda: list(server.records(Quarantine())))

    with opened(authority):
        yield Sink(port_of(authority.address), offer, lambda: len(authority.requests))


@contextmanager
def authorization_endpoints(_: Path, __: Simulated) -> Iterator[Sink]:
    """authorization_endpoint, to which a browser would be sent."""
    authority = Authority([])

    def launch() -> None:
        known = Registration(CLIENT, "https://app.example/", ("launch",), {authority.address: ()})
        stated = asyncio.run(launch_configuration(known, authority.address))
        begun(known, authority.address, stated, launch="x")

    def offer(form: str, _: str) -> None:
        authority.changed = {"authorization_endpoint": form}
        foreseen(launch)

    with opened(authority):
        yield Sink(port_of(authority.address), offer, lambda: len(authority.requests))


@contextmanager
def launch_keys(_: Path, __: Simulated) -> Iterator[Sink]:
    """jwks_uri of a server's SMART configuration, from which the keys of its users' tokens are read."""
    authority, offered = Authority([], signs=("ES384", USERS), launch_scope="launch openid"), [""]
    authority.damage = away(lambda: offered[0], lambda _, good: good)

    def launch() -> None:
        known = Registration(CLIENT, "https://app.example/", ("launch", "openid"), {authority.address: ()})
        stated = asyncio.run(launch_configuration(known, authority.address))
        pending = begun(known, authority.address, stated, launch="x")
        authority.challenge = challenge(pending.verifier)
        asyncio.run(launched(known, pending, "good code", now=NOW))

    def offer(form: str, to: str) -> None:
        offered[0], authority.changed = to, {"jwks_uri": form}
        foreseen(launch)

    with opened(authority):
        yield Sink(port_of(authority.address), offer, lambda: len(authority.requests))


@contextmanager
def endpoint_addresses(folder: Path, _: Simulated) -> Iterator[Sink]:
    """Endpoint.address of an ImagingStudy, at an archive whose origin the user allowed."""
    numbers = itertools.count()
    film = write(folder / "one.dcm", 1, "p1")
    with archive({"2.25.1": [film]}) as pacs:

        def offer(form: str, to: str) -> None:
            own = folder / str(next(numbers))
            own.mkdir()
            person = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-01-01"}
            resources = [person, study("2.25.1", "e1"), endpoint("e1", form)]
            (own / "all.ndjson").write_text("\n".join(map(json.dumps, resources)), encoding="utf-8")
            found = AWAY.search(form)
            if found:
                pacs.faults[:] = [lambda *_: Reply(int(found[1]), b"", {"Location": to})] * 20
            sources = [f"fhir-folder:{own}", f"dicom-endpoint:http://127.0.0.1:{pacs.port}"]
            foreseen(lambda: read_records(sources, None, Quarantine()))
            pacs.faults.clear()

        yield Sink(pacs.port, offer, lambda: len(pacs.asked), exact=True)


@contextmanager
def fhir_servers(folder: Path, small: Simulated) -> Iterator[Sink]:
    """FhirServer of a CDS Hooks call, with an access token beside it."""
    ward, offered = Ward([patient("anna")]), ["", ""]
    ward.damage = lambda _, good: moved(offered[1], offered[0]) or good
    with opened(ward):
        settings = ServiceSettings.model_validate({"fhir_servers": [{"base": ward.address}]})
        with running(small, folder, settings) as service:

            def offer(form: str, to: str) -> None:
                offered[:] = form, to
                named = ward.address if AWAY.search(form) else form  # the known one, which redirects
                access = {"access_token": TOKEN, "token_type": "Bearer"}
                told = service.call({"patientId": "anna"}, fhirServer=named, fhirAuthorization=access)
                assert told.status_code in (403, 412, 422), told.text

            others = frozenset({port_of(service.url)})
            yield Sink(port_of(ward.address), offer, lambda: len(ward.requests), others, exact=True)


@contextmanager
def key_sets(folder: Path, small: Simulated) -> Iterator[Sink]:
    """Jku of a token: where its keys are said to be, while the settings say where they are."""
    ward, offered = Ward([]), ["", ""]
    ward.damage = lambda *_: moved(offered[1], offered[0]) or reply({"keys": []})
    with opened(ward):
        jku = f"http://127.0.0.1:{port_of(ward.address)}/jwks.json"
        stated = {"issuer": LOGIN, "jku": jku, "may": ["rest", "cds"]}
        settings = ServiceSettings.model_validate({"base_url": BASE, "clients": [stated]})
        with running(small, folder, settings) as service:

            def offer(form: str, to: str) -> None:
                offered[:] = form, to
                tokens = service.service.tokens
                assert tokens is not None
                tokens.keys._held.clear()
                named = jku if AWAY.search(form) else form
                assert service.http.get("/risk/anna", headers=naming(named)).status_code == 401

            others = frozenset({port_of(service.url)})
            yield Sink(port_of(ward.address), offer, lambda: len(ward.requests), others, exact=True)


def naming(jku: str) -> dict[str, str]:
    """A token that is right but for where it says that its keys are; joserfc signs no such header."""
    head = base64url(json.dumps({"alg": "ES384", "kid": EC_384.kid, "jku": jku}).encode())
    stated = json.dumps(claims(BASE, LOGIN, scope="system/*.read")).encode()
    told = f"{head}.{base64url(stated)}"
    r, s = decode_dss_signature(EC_384.private_key.sign(told.encode(), ECDSA(SHA384())))
    signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    return {"Authorization": f"Bearer {told}.{base64url(signature)}"}


SINKS = {
    "fhirServer": fhir_servers,
    "Endpoint.address": endpoint_addresses,
    "link.next": next_links,
    "jwks_uri": key_sets,
    "output.url": output_urls,
    "Content-Location": content_locations,
    "token_endpoint": token_endpoints,
    "authorization_endpoint": authorization_endpoints,
    "jwks_uri of a launch": launch_keys,
}
