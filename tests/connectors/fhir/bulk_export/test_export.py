"""An export comes whole or not at all; a token goes to the server alone; what was stopped goes on."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from connectors.fhir import FhirFolder
from connectors.fhir.bulk_export.request import ExportRequest
from connectors.fhir.bulk_export.waiting import Patience
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.fhir.bulk_export.depot import (
    AT_ONCE,
    FACTS,
    PATIENTS,
    TIME,
    Depot,
    at,
    deletions,
    exported,
    ndjson,
    run,
    state,
)
from tests.connectors.fhir.resources import read_folder
from tests.connectors.fhir.ward import Request, Ward, opened, pull, reply

LATER, NOW = "Mon, 02 Mar 2020 07:00:20 GMT", "Mon, 02 Mar 2020 07:00:00 GMT"


def test_an_export_reads_as_the_same_server_does_over_rest(tmp_path: Path) -> None:
    summary, quarantine = exported(Depot([]), tmp_path / "out")
    records, read = read_folder(tmp_path / "out")
    pulled, _ = pull(Ward([*PATIENTS, *FACTS]))
    assert records == pulled
    assert read.accepted == summary.resources == {"Patient": 3, "Observation": 200}
    assert (summary.transaction_time, summary.issues, len(quarantine)) == (TIME, 0, 0)


def test_it_is_asked_for_as_the_standard_says_and_forgotten_by_the_server_at_the_end(tmp_path: Path) -> None:
    depot = Depot([])
    exported(depot, tmp_path / "out")
    first, last = depot.requests[0], depot.requests[-1]
    assert (first.method, first.target) == ("GET", "/fhir/$export")
    assert (first.headers["prefer"], first.headers["accept"]) == ("respond-async", "application/fhir+json")
    assert (last.method, last.place) == ("DELETE", "jobs/1")
    assert all(each.headers["authorization"] == "Bearer secret" for each in depot.requests)


def test_what_is_asked_for_is_in_the_address_and_may_not_be_ignored(tmp_path: Path) -> None:
    depot = Depot([])
    asked = ExportRequest(
        group="g1", since=TIME, types=("Patient", "Observation"), type_filters=("Observation?status=final",)
    )
    exported(depot, tmp_path / "out", asked)
    assert depot.requests[0].target == (
        "/fhir/Group/g1/$export?_since=2024-03-01T12%3A00%3A00Z&_type=Patient%2CObservation"
        "&_typeFilter=Observation%3Fstatus%3Dfinal"
    )
    assert depot.requests[0].headers["prefer"] == "respond-async, handling=strict"
    assert ExportRequest(patients=True).link == "Patient/$export"


@pytest.mark.parametrize(
    "asked",
    [
        {"group": "../Patient"},
        {"since": "yesterday"},
        {"since": "2024-03-01"},
        {"types": ("Observation&_since=x",)},
        {"type_filters": ("status=final",)},
        {"types": ("Patient",), "type_filters": ("Observation?status=final",)},
    ],
)
def test_what_cannot_be_asked_for_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(SourceError):
        ExportRequest(**asked)  # type: ignore[arg-type]


def test_progress_is_a_number_and_the_server_s_words_go_no_further(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[tuple[str, int, int | None]] = []
    with caplog.at_level(logging.DEBUG):
        exported(Depot([]), tmp_path / "out", on_progress=lambda *step: told.append(step))
    assert told == [("export status", 40, 100)] * 2 + [("files", 1, 2), ("files", 2, 2)]
    logged = "\n".join(f"{each.getMessage()} {each.args}" for each in caplog.records)
    assert not [word for word in ("anna", "40%", "secret", "jobs/1") if word in logged]


@pytest.mark.parametrize(
    "not_now",
    [
        reply(b"", "429 Too Many Requests", Retry_After="0"),
        reply(b"", "429 Too Many Requests", Retry_After=LATER, Date=NOW),
        reply(b"", "503 Service Unavailable"),
        b"",
    ],
    ids=["429", "429 with a date", "503", "reset"],
)
@pytest.mark.parametrize("place", ["$export", "jobs/1", "files/o.ndjson"])
def test_a_server_that_says_not_now_is_asked_again(tmp_path: Path, place: str, not_now: bytes) -> None:
    times = iter([True, True])

    def damage(request: Request, good: bytes) -> bytes:
        return not_now if request.place == place and next(times, False) else good

    summary, _ = exported(Depot([], damage), tmp_path / "out")
    assert summary.resources == {"Patient": 3, "Observation": 200}


def test_an_export_that_never_gets_ready_ends_when_patience_does_and_can_be_waited_for_again(
    tmp_path: Path,
) -> None:
    endless = Depot([], at("jobs/1", lambda *_: reply(b"", "202 Accepted")))
    short = Patience(total_s=0.2, first_wait_s=0.02, shortest_wait_s=0.0)
    with pytest.raises(SourceError, match="run the same command again"):
        exported(endless, tmp_path / "out", patience=short)
    with pytest.raises(SourceError, match="stopped before its end"):
        list(FhirFolder(tmp_path / "out", "fhir-folder:out").records(Quarantine()))
    assert state(tmp_path / "out")["status_url"] == f"{endless.address}/jobs/1"


def a_manifest(**changed: object) -> Depot:
    return Depot([], changed=changed)


ELSEWHERE = {"type": "Patient", "url": "https://evil.example/p.ndjson"}
REFUSED = {
    "no Content-Location": (
        Depot([], at("$export", lambda *_: reply(b"", "202 Accepted"))),
        "Content-Location",
    ),
    "a status elsewhere": (
        Depot(
            [],
            at(
                "$export",
                lambda *_: reply(b"", "202 Accepted", Content_Location="https://evil.example/jobs/1"),
            ),
        ),
        "another scheme, host or port",
    ),
    "a refusal": (Depot([], at("$export", lambda *_: reply(b"", "403 Forbidden"))), "status 403"),
    "an export that failed": (
        Depot([], at("jobs/1", lambda *_: reply(b"", "500 Internal Server Error"))),
        "status 500 in 3 attempts",
    ),
    "a redirect": (
        Depot([], at("jobs/1", lambda *_: reply(b"", "303 See Other", Location="https://evil.example/"))),
        "status 303",
    ),
    "a file elsewhere": (a_manifest(output=[ELSEWHERE]), "at an origin that was not named"),
    "a deletion elsewhere": (a_manifest(deleted=[ELSEWHERE]), "at an origin that was not named"),
    "a file of this machine": (
        a_manifest(output=[{"type": "Patient", "url": "file:///etc/passwd"}]),
        "at an origin that was not named",
    ),
    "a type that is a path": (a_manifest(output=[{**ELSEWHERE, "type": "../../x"}]), "no type or no url"),
    "no time": (a_manifest(transactionTime=None), "lacks transactionTime"),
    "a token by a word": (a_manifest(requiresAccessToken="no"), "not a JSON boolean"),
    "a count by a word": (a_manifest(output=[{**ELSEWHERE, "count": "3"}]), "its count is no count"),
    "a file twice": (a_manifest(output=[ELSEWHERE, ELSEWHERE]), "names a file twice"),
    "a manifest in parts": (
        a_manifest(link=[{"relation": "next", "url": "jobs/1?page=2"}]),
        "part of a manifest",
    ),
    "a manifest that is no JSON": (Depot([], at("jobs/1", lambda *_: reply(b"<html>anna"))), "is not JSON"),
}


@pytest.mark.parametrize(("depot", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_an_export_that_cannot_be_trusted_is_refused_before_a_file_is_asked_for(
    tmp_path: Path, depot: Depot, why: str
) -> None:
    with pytest.raises(SourceError, match=r"127\.0\.0\.1") as caught:
        exported(depot, tmp_path / "out")
    assert why in str(caught.value)
    assert not [word for word in ("anna", "evil", "secret") if word in str(caught.value)]
    assert not [each for each in depot.requests if each.place.startswith("files")]
    assert not list((tmp_path / "out").glob("*.ndjson"))


def test_a_file_elsewhere_is_fetched_without_the_token_where_its_origin_was_named(tmp_path: Path) -> None:
    store = Depot([])
    with opened(store):
        url = f"{store.address}/files/p.ndjson"
        depot = Depot(
            [], needs_token=False, changed={"output": [{"type": "Patient", "url": url, "count": 3}]}
        )
        summary, _ = exported(depot, tmp_path / "out", also=[store.address])
    assert summary.resources == {"Patient": 3}
    assert ["authorization" in each.headers for each in store.requests] == [False]


def test_a_file_elsewhere_that_wants_the_token_does_not_get_it(tmp_path: Path) -> None:
    store = Depot([])
    with opened(store):
        url = f"{store.address}/files/p.ndjson"
        depot = Depot([], changed={"output": [{"type": "Patient", "url": url}]})
        with pytest.raises(SourceError, match="where it is never sent"):
            exported(depot, tmp_path / "out", also=[store.address])
    assert not store.requests


def test_files_that_need_no_token_are_asked_for_without_it(tmp_path: Path) -> None:
    depot = Depot([], needs_token=False)
    exported(depot, tmp_path / "out")
    assert not any("authorization" in each.headers for each in depot.asked("o.ndjson"))
    assert depot.requests[-1].headers["authorization"] == "Bearer secret"


def test_what_the_server_could_not_export_is_counted_and_told_again_when_the_folder_is_read(
    tmp_path: Path,
) -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": "error", "code": "exception", "diagnostics": "anna"},
            {"severity": "warning", "code": "suppressed"},
        ],
    }
    depot = Depot([])
    depot.files["e.ndjson"] = ("OperationOutcome", "error", ndjson([outcome]))
    summary, quarantine = exported(depot, tmp_path / "out")
    assert summary.issues == len(quarantine) == 1
    assert quarantine.rejections[0].problem == "the server could not export something (exception)"
    assert quarantine.notices == {"the server adds to its export: warning (suppressed)": 1}
    _, read = read_folder(tmp_path / "out")
    assert read.notices["resources that the server said it could not export"] == 1
    assert "anna" not in json.dumps([*quarantine.notices, *read.notices, str(quarantine.rejections)])


def test_what_was_deleted_is_taken_out_and_counted(tmp_path: Path) -> None:
    depot = Depot([])
    depot.files["d.ndjson"] = (
        "Bundle",
        "deleted",
        deletions("Observation/crp-7", "Observation/other", "Patient/x"),
    )
    summary, _ = exported(depot, tmp_path / "out")
    assert (summary.deleted, summary.removed) == (3, 1)
    records, read = read_folder(tmp_path / "out")
    assert "Observation/crp-7" not in {event.source for record in records for event in record.events}
    assert read.accepted == {"Patient": 3, "Observation": 199}


def test_a_deletion_that_is_none_is_refused(tmp_path: Path) -> None:
    depot = Depot([])
    depot.files["d.ndjson"] = ("Bundle", "deleted", deletions("Observation?patient=anna"))
    with pytest.raises(SourceError, match="is no deletion") as caught:
        exported(depot, tmp_path / "out")
    assert "anna" not in str(caught.value)


def test_a_server_that_keeps_its_copy_is_noticed(tmp_path: Path) -> None:
    def damage(request: Request, good: bytes) -> bytes:
        return reply(b"", "403 Forbidden") if request.method == "DELETE" else good

    summary, quarantine = exported(Depot([], damage), tmp_path / "out")
    assert summary.resources["Patient"] == 3
    assert list(quarantine.notices) == [
        "the server would not delete its copy of the export: it may keep it for a while"
    ]


def test_a_finished_export_is_not_asked_for_again_and_leaves_no_address_behind(tmp_path: Path) -> None:
    first = Depot([])
    with opened(first):
        done = run(first, tmp_path / "out", Quarantine())
        asked = len(first.requests)
        assert run(first, tmp_path / "out", Quarantine()) == done
        assert len(first.requests) == asked
        with pytest.raises(SourceError, match="asked for otherwise"):
            run(first, tmp_path / "out", Quarantine(), ExportRequest(patients=True))
    assert "files/" not in (tmp_path / "out" / "bulk-export.state").read_text(encoding="utf-8")
    assert ((tmp_path / "out").stat().st_mode & 0o777) == 0o700
    assert all((path.stat().st_mode & 0o777) == 0o600 for path in (tmp_path / "out").iterdir())


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(ndjson(PATIENTS))
    depot = Depot([])
    with pytest.raises(SourceError, match="not empty"):
        exported(depot, tmp_path, patience=AT_ONCE)
    assert not depot.requests
