"""A link is followed to the server's own scheme, host and port, and nowhere else."""

from __future__ import annotations

from contextlib import suppress

import pytest

from connectors.fhir.http.origin import Origin
from prognosis.errors import SourceError
from tests.fakes.forbidden_addresses import FORMS

BASE = "https://fhir.example.org/r4"
OWN = {
    "Patient?page=2": "https://fhir.example.org/r4/Patient?page=2",
    "?_getpages=a&b=%2C": "https://fhir.example.org/r4/?_getpages=a&b=%2C",
    "/elsewhere?x": "https://fhir.example.org/elsewhere?x",
    "https://fhir.example.org:443/r4?c=1": "https://fhir.example.org/r4?c=1",
    "https:///evil.example/": "https://fhir.example.org/evil.example/",
    "HTTPS://FHIR.example.ORG/r4/Patient": "https://fhir.example.org/r4/Patient",
}
UNUSABLE = [
    "",
    "fhir.example.org/r4",
    "ftp://fhir.example.org",
    "https://",
    "https://name:hidden@fhir.example.org/r4",
    "https://fhir.example.org/r4?key=1",
    "https://fhir.example.org/r4#x",
    "http://fhir.example.org/r4",
    "http://127.0.0.1.example.org/",
    "http://[::1",
    "https://xn--fhir-/",
]
FOREIGN = ("http://fhir.example.org/r4", "https://fhir.example.org./r4", "https://fhir.example.org:8443/r4")
BESIDE = ("https://login.example.org/oauth2/token", "https://files.example.org:8443")
HERE = "http://127.0.0.1:8001/fhir"


@pytest.mark.parametrize(("link", "address"), OWN.items())
def test_a_link_of_the_server_s_own_is_kept_as_it_was_written(link: str, address: str) -> None:
    assert str(Origin(BASE).resolved(link)) == address
    assert str(Origin(BASE + "/").resolved(link)) == address


@pytest.mark.parametrize("link", FOREIGN)
def test_a_link_to_anywhere_else_is_refused(link: str) -> None:
    for origin in (Origin(BASE), Origin(BASE, also=BESIDE)):
        with pytest.raises(SourceError, match=r"fhir\.example\.org: gives a link"):
            origin.resolved(link)


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_whatever_a_link_says_it_is_resolved_to_the_server_or_refused(form: str) -> None:
    with suppress(SourceError):
        url = Origin(HERE, also=("https://files.example.org",)).resolved(form.format(own=8001, port=8002))
        assert str(url).startswith("http://127.0.0.1:8001/")


@pytest.mark.parametrize("address", UNUSABLE)
def test_an_address_that_is_no_place_for_patients_is_refused(address: str) -> None:
    with pytest.raises(SourceError) as caught:
        Origin(address)
    assert "hidden" not in str(caught.value)
    assert "key=1" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080/fhir", "http://localhost/fhir", "http://[::1]:80"]
)
def test_plain_http_stays_on_this_machine(address: str) -> None:
    assert str(Origin(address).resolved("metadata")).startswith(address.removesuffix(":80"))


@pytest.mark.parametrize(
    ("link", "own"),
    [
        ("Patient", True),
        ("https://login.example.org/other", False),
        ("https://files.example.org:8443/a?signature=1", False),
    ],
)
def test_an_origin_named_beside_the_server_is_reached_and_is_not_its_own(link: str, own: bool) -> None:
    origin = Origin(BASE, also=BESIDE)
    assert origin.reached(link).own is own
    if not own:
        with pytest.raises(SourceError, match="another scheme, host or port"):
            origin.resolved(link)


@pytest.mark.parametrize("address", [each for each in UNUSABLE if each])
def test_what_is_named_beside_a_server_must_be_as_safe_as_the_server(address: str) -> None:
    with pytest.raises(SourceError):
        Origin(BASE, also=(address,))


@pytest.mark.parametrize(
    "link", ["https://files.example.org/a", "https://u@login.example.org/", "http://login.example.org"]
)
def test_what_is_named_beside_is_one_origin_and_not_its_host(link: str) -> None:
    with pytest.raises(SourceError, match="another scheme, host or port"):
        Origin(BASE, also=BESIDE).reached(link)
