"""Hostile forms of addresses: none reaches a host that was not allowed, and no token leaves an origin."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dicom import DicomWeb
from connectors.dicom.web.address import address_of, stated_address
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.dicom.web.double import Archive, Reply, from_now_on
from tests.fakes.forbidden_addresses import ELSEWHERE, UNCLEAR, forbidden_host, watched

ALLOWED = "http://127.0.0.1:8001/dicom-web"


def test_no_hostile_form_that_a_record_states_is_an_address():
    allowed = [address_of(ALLOWED)]
    for form in (*ELSEWHERE, *UNCLEAR):
        with pytest.raises(SourceError) as caught:
            stated_address(form.format(own=8001, port=8002), allowed)
        assert "pass" not in str(caught.value), form


def test_what_the_user_writes_in_an_unusual_form_is_refused_before_anything_is_asked(pacs: Archive):
    """The forms whose only fault is that a record states them are the user's to write."""
    refused = [
        place
        for form in (*ELSEWHERE, *UNCLEAR)
        if not address_is_plain(place := form.format(own=pacs.port, port=pacs.port))
    ]
    assert len(refused) > 60
    with watched() as attempts:
        for place in refused:
            with pytest.raises(SourceError):
                DicomWeb(place, "dicomweb:x", lambda: "secret").study_patients(Quarantine())
    assert (attempts.connected, attempts.looked_up, pacs.asked) == (set(), set(), [])


def address_is_plain(place: str) -> bool:
    with contextlib.suppress(SourceError):
        return bool(address_of(place))
    return False


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_archive_that_sends_its_caller_elsewhere_is_not_followed(pacs: Archive, status: int):
    with forbidden_host() as forbidden:
        for where in (f"http://127.0.0.1:{forbidden.port}/", f"//127.0.0.1:{forbidden.port}/"):
            from_now_on(pacs, lambda *_, where=where: Reply(status, b"", {"Location": where}))
            source = DicomWeb(pacs.address, "dicomweb:x", lambda: "secret")
            with pytest.raises(SourceError, match="sends its caller elsewhere"):
                source.study_patients(Quarantine())
            pacs.faults.clear()
        assert forbidden.hits == []


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
