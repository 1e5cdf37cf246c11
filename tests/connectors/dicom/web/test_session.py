"""Who is asked, when again, and with whose token."""

from __future__ import annotations

import socket
import ssl
import threading

import httpx
import pytest

from connectors.dicom import DicomWeb
from connectors.dicom.web.address import address_of
from connectors.dicom.web.unreached import failure_of
from connectors.dicom.web.waiting import Patience
from prognosis.cli.sources import open_sources
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.dicom.web.double import Archive, Reply, from_now_on, opened


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Wed, 04 Mar 2020 12:00:30 GMT", "Date": "Wed, 04 Mar 2020 12:00:00 GMT"}, 30.0),
        ({"Retry-After": "99999"}, 60.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_archive_is_asked_again_when_it_says(
    pacs: Archive, waits: list[float], status: int, headers: dict[str, str], waited: float
) -> None:
    pacs.faults.append(lambda *_: Reply(status, b"", headers))
    assert len(opened(pacs).study_patients(Quarantine())) == 3
    assert waits == [waited]


def test_without_a_word_on_when_the_waits_grow_and_end(pacs: Archive, waits: list[float]) -> None:
    from_now_on(pacs, lambda *_: Reply(500))
    with pytest.raises(SourceError, match="status 500 4 times"):
        opened(pacs)
    assert len(waits) == 3
    assert waits[0] < waits[2] < 60.0


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(401), "refuses to answer"),
        (Reply(400), "status 400"),
        (Reply(302, b"", {"Location": "http://127.0.0.2/dicom-web/studies"}), "sends its caller elsewhere"),
        (Reply(403), "refuses to answer .*PROGNOSIS_DICOMWEB_TOKEN"),
        (Reply(404), r"knows no search for studies \(status 404\); .* DICOMweb root"),
        (Reply(200, b"<html>Log in here</html>", {}), "without JSON; .* DICOMweb root"),
        (Reply(200, b'[{"a": 1}, ', {}), r"broke off \(AnswerCutOffError\) 4 times"),
        (Reply(200, b"", {}), r"broke off \(AnswerCutOffError\) 4 times"),
        (Reply(200, b'{"a": 1}]', {}), "without JSON"),
        (Reply(200, b"[" * 100_000 + b"]", {}), "without JSON"),
        (Reply(200, b"[]", {"Content-Encoding": "gzip"}), "compressed an answer unasked"),
        (Reply(204), "holds no study"),
    ],
)
def test_what_is_no_answer_to_a_search_is_told(pacs: Archive, reply: Reply, problem: str) -> None:
    from_now_on(pacs, lambda *_: reply)
    with pytest.raises(SourceError, match=problem):
        opened(pacs)


def test_an_archive_that_is_not_there_is_told(pacs: Archive) -> None:
    source = DicomWeb("http://127.0.0.1:9/dicom-web", "dicomweb:x")
    with pytest.raises(
        SourceError, match="could not be reached, nothing listens there, 4 times; check the port"
    ):
        source.study_patients(Quarantine())


def test_https_to_an_archive_of_plain_http_is_told_as_such(pacs: Archive) -> None:
    source = DicomWeb(pacs.address.replace("http:", "https:"), "dicomweb:x")
    with pytest.raises(SourceError, match=r"does not speak https there, .* check scheme and port"):
        source.study_patients(Quarantine())


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), "its certificate is not trusted here"),
        (socket.gaierror(-2, "Name or service not known"), "no machine of this name"),
        (OSError(113, "No route to host"), "could not be reached"),
    ],
)
def test_what_lies_at_the_root_of_a_failure_is_told(cause: OSError, told: str) -> None:
    error = httpx.ConnectError("all connection attempts failed")
    error.__cause__ = ExceptionGroup("no address", [cause])
    assert told in failure_of(error).problem


def test_an_archive_that_is_silent_is_told_apart_from_one_that_is_not_there(pacs: Archive) -> None:
    patience = Patience(attempts=1, silence_s=0.05)

    def silent(*_: object) -> Reply:
        threading.Event().wait(0.3)
        return Reply(200, b"[]")

    from_now_on(pacs, silent)
    source = DicomWeb(pacs.address, "dicomweb:x", patience=patience)
    with pytest.raises(SourceError, match=r"was silent for too long \(ReadTimeout\) 1 times"):
        source.study_patients(Quarantine())


def test_the_token_goes_with_every_question_and_is_asked_for_each_time(pacs: Archive) -> None:
    tokens = iter(f"t{number}" for number in range(9))
    source = DicomWeb(pacs.address, "dicomweb:x", lambda: next(tokens))
    source.study_patients(Quarantine())
    assert [headers["Authorization"] for *_, headers in pacs.asked] == ["Bearer t0", "Bearer t1"]


@pytest.mark.parametrize("token", ["", "s3 cret", "s3cret\r\nX: y", "s3crét"])
def test_a_token_that_no_header_can_hold_is_not_sent_and_not_repeated(pacs: Archive, token: str) -> None:
    with pytest.raises(SourceError) as caught:
        DicomWeb(pacs.address, "dicomweb:x", lambda: token).study_patients(Quarantine())
    assert "s3" not in str(caught.value)
    assert not pacs.asked


def test_a_token_does_not_cross_a_network_in_the_clear() -> None:
    with pytest.raises(SourceError, match="anyone on the way can read"):
        DicomWeb("http://pacs.example/dicom-web", "dicomweb:x", lambda: "t")
    DicomWeb("https://pacs.example/dicom-web", "dicomweb:x", lambda: "t")


@pytest.mark.parametrize(
    "place",
    [
        *("", "pacs/dicom-web", "ftp://pacs/x", "file:///x", "http://", "http://pacs:port/", "http://[::1/"),
        *("http://name:secret@pacs/dicom-web", "http://pacs/#x", "http://pacs/?PatientID=1", "http://pä/"),
        "http://pacs/\r\nX: y",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_without_being_repeated(place: str) -> None:
    with pytest.raises(SourceError) as caught:
        address_of(place)
    assert "secret" not in str(caught.value)


def test_the_address_may_choose_studies_by_date_and_modality(pacs: Archive) -> None:
    uri = f"dicomweb:{pacs.address}/?StudyDate=20200101-20201231&ModalitiesInStudy=CR"
    (source,) = open_sources([uri], None)
    list(source.records(Quarantine()))
    query = pacs.asked[0][2]
    assert (query["StudyDate"], query["ModalitiesInStudy"]) == (["20200101-20201231"], ["CR"])
    assert pacs.asked[0][1] == "/dicom-web/studies"
