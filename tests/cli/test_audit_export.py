"""What was answered, exported or read in is told as FHIR AuditEvents: each entry once, and naming nobody."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import fhirkit
import pytest

from prognosis.errors import AuditError, ConfigError
from prognosis.serve.audit import AuditLog, Entry, verify_audit
from prognosis.serve.audit.acts import audited
from prognosis.serve.pseudonyms import SiteKey
from prognosis.serve.state_folder import StateFolder
from tests.cli.program import Program
from tests.connectors.fhir.ledger import Ledger, statement
from tests.connectors.fhir.resources import Resource
from tests.connectors.fhir.ward import opened

TIME = "2026-03-02T12:00:00+00:00"
ENTRIES = (
    Entry(TIME, "3f1a4cde-0000-4000-8000-000000000001", "https://ehr.example", "GET /risk/{patient}", 200,
          "aa", "pseudonym-of-one", "model-1", "bb"),
    Entry(TIME, "3f1a4cde-0000-4000-8000-000000000002", "", "GET /risk/{patient}", 401, "cc"),
    Entry(TIME, "3f1a4cde-0000-4000-8000-000000000003", "https://ehr.example",
          "POST /cds-services/{service_id}", 200, "dd", "pseudonym-of-one", "model-1", "bb", "card-1"),
    Entry(TIME, "3f1a4cde-0000-4000-8000-000000000004", "https://ehr.example",
          "POST /cds-services/{service_id}/feedback", 503, "ee"),
)  # fmt: skip


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """An audit of some entries, two answers and two refusals among them, and of a bulk export."""
    folder = StateFolder(tmp_path / "state").made()
    log = AuditLog(folder.audit, folder.audit_head, SiteKey.of(folder.key))
    for entry in ENTRIES:
        log.append(entry).result(timeout=10)
    log.close()
    with audited("bulk-export", folder) as tell:
        tell({"Patient": 3})
    return folder


def exported(prognosis: Program, state: StateFolder, out: Path, *more: str) -> list[Resource]:
    prognosis("audit", "export", "--state", state.folder, "--to", out, *more)
    return [json.loads(line) for line in (out / "AuditEvent.ndjson").read_text().splitlines()]


def test_every_entry_is_one_valid_event(prognosis: Program, state: StateFolder, tmp_path: Path) -> None:
    events = exported(prognosis, state, tmp_path / "out")
    assert len({event["id"] for event in events}) == len(events) == len(ENTRIES) + 2
    for event in events:
        issues = fhirkit.validate(json.dumps(event))
        assert [issue for issue in issues if issue.severity in ("error", "fatal")] == []
    assert [event["outcome"] for event in events] == ["0", "4", "0", "8", "0", "0"]
    assert [event["action"] for event in events] == ["E", "E", "E", "C", "R", "R"]
    assert [event["type"]["code"] for event in events] == ["rest"] * 4 + ["110106"] * 2
    asked = [base64.b64decode(event["entity"][0]["query"]).decode() for event in events]
    assert asked == [*(entry.route for entry in ENTRIES), "bulk-export", "bulk-export"]
    about = [len(event["entity"]) == 3 for event in events]
    assert about == [bool(entry.patient) for entry in ENTRIES] + [False, False]


def test_the_same_audit_gives_the_same_events_and_a_later_export_those_that_came_since(
    prognosis: Program, state: StateFolder, tmp_path: Path
) -> None:
    first = exported(prognosis, state, tmp_path / "one")
    assert exported(prognosis, state, tmp_path / "two") == first
    assert exported(prognosis, state, tmp_path / "three", "--after", "4") == first[4:]


def test_on_a_server_each_event_is_there_once(prognosis: Program, state: StateFolder) -> None:
    with opened(Ledger([])) as ledger:
        address = f"fhir-server:{ledger.address}"
        command = ("audit", "export", "--json", "--state", state.folder, "--to", address)
        assert prognosis(*command).stated == {"written": 6, "there_already": 0, "last": 6}
        assert prognosis(*command).stated == {"written": 0, "there_already": 6, "last": 6}
        assert len(ledger.held) == 6


def test_a_server_that_takes_no_audit_events_is_told_so(prognosis: Program, state: StateFolder) -> None:
    with opened(Ledger([], stated=statement("AuditEvent"))) as ledger:
        address = f"fhir-server:{ledger.address}"
        ran = prognosis("audit", "export", "--state", state.folder, "--to", address)
        assert ran.status == 2
        assert "AuditEvent" in ran.prose
        assert not ledger.held


def test_of_a_verb_that_failed_the_audit_says_that_it_was_begun_and_failed(state: StateFolder) -> None:
    with pytest.raises(RuntimeError), audited("ingest", state):
        raise RuntimeError
    found = verify_audit(state.audit, state.audit_head, SiteKey.of(state.key))
    assert found.entries == len(ENTRIES) + 4
    assert found.beyond_head == 0


def test_a_verb_does_not_write_into_the_audit_of_a_service_that_runs(state: StateFolder) -> None:
    with audited("ingest", state), pytest.raises(ConfigError, match="another process"), audited("x", state):
        raise AssertionError


def test_an_audit_that_was_altered_is_not_exported(
    prognosis: Program, state: StateFolder, tmp_path: Path
) -> None:
    state.audit_head.write_text("{}", encoding="utf-8")
    with pytest.raises(AuditError):
        verify_audit(state.audit, state.audit_head, SiteKey.of(state.key))
    out = tmp_path / "out"
    assert prognosis("audit", "export", "--state", state.folder, "--to", out).status == 2
    assert not out.exists()
