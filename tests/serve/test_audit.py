"""The audit: written before the answer, and any change to it is found."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prognosis.errors import AuditError, ConfigError
from prognosis.serve.audit import AuditLog, Entry, verify_audit
from prognosis.serve.audit.entry import START, chained
from prognosis.serve.audit.replay import difference, replay_audit
from prognosis.serve.pseudonyms import SiteKey
from prognosis.serve.service import Service
from prognosis.serve.settings import ServiceSettings
from prognosis.serve.state_folder import StateFolder
from tests.cli.program import Program
from tests.serve.hospital import Hospital
from tests.simulated import Simulated

ENTRIES = 12


def entry(number: int) -> Entry:
    return Entry("2026-03-02T12:00:00+00:00", f"request-{number}", "ehr", "GET /risk/{patient}", 200, "00")


@pytest.fixture
def written(tmp_path: Path) -> StateFolder:
    """An audit of twelve entries."""
    folder = StateFolder(tmp_path / "state").made()
    log = AuditLog(folder.audit, folder.audit_head, SiteKey.of(folder.key))
    numbers = [log.append(entry(number)) for number in range(1, ENTRIES + 1)]
    assert [number.result(timeout=10) for number in numbers] == list(range(1, ENTRIES + 1))
    log.close()
    return folder


def altered(folder: StateFolder, *statements: str) -> None:
    with closing(sqlite3.connect(folder.audit)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def verified(folder: StateFolder) -> int:
    return verify_audit(folder.audit, folder.audit_head, SiteKey.of(folder.key)).entries


def rewritten(folder: StateFolder) -> None:
    """Every hash made anew, as one would who can write to the database and knows how it is chained."""
    with closing(sqlite3.connect(folder.audit)) as db:
        last = START
        for number, text in db.execute("SELECT number, entry FROM audit ORDER BY number").fetchall():
            last = chained(last, number, text)
            db.execute("UPDATE audit SET hash = ? WHERE number = ?", (last, number))
        db.commit()


CHANGES = {
    "a status": ("UPDATE audit SET entry = replace(entry, '200', '403') WHERE number = 5",),
    "the last entry": ("UPDATE audit SET entry = replace(entry, 'ehr', 'x') WHERE number = 12",),
    "a hash": ("UPDATE audit SET hash = '00' WHERE number = 3",),
    "one taken out": ("DELETE FROM audit WHERE number = 5",),
    "the first taken out": ("DELETE FROM audit WHERE number = 1",),
    "the tail cut off": ("DELETE FROM audit WHERE number > 8",),
    "the last cut off": ("DELETE FROM audit WHERE number = 12",),
    "all": ("DELETE FROM audit",),
    "two exchanged": (
        "UPDATE audit SET number = 99 WHERE number = 2",
        "UPDATE audit SET number = 2 WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 99",
    ),
    "one put in": ("INSERT INTO audit SELECT 13, entry, hash FROM audit WHERE number = 12",),
}


@pytest.mark.parametrize("anew", [False, True], ids=["as they were", "hashes anew"])
@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_found(written: StateFolder, change: str, anew: bool) -> None:
    assert verified(written) == ENTRIES
    altered(written, *CHANGES[change])
    if anew:
        rewritten(written)
    if anew and change == "one put in":
        # Beyond the head an entry is one that was not acknowledged: it takes the place of none.
        assert verify_audit(written.audit, written.audit_head, SiteKey.of(written.key)).beyond_head == 1
        return
    if anew and change == "a hash":
        assert verified(written) == ENTRIES  # made anew it is the one that was written
        return
    with pytest.raises(AuditError):
        verified(written)


@pytest.mark.parametrize("head", ["gone", "of another key", "of no JSON"])
def test_a_head_that_is_gone_or_forged_is_found_and_the_service_does_not_start(
    written: StateFolder, head: str, tmp_path: Path
) -> None:
    if head == "gone":
        written.audit_head.unlink()
    elif head == "of no JSON":
        written.audit_head.write_bytes(b"{")
    else:
        other = StateFolder(tmp_path / "other").made()
        log = AuditLog(other.audit, other.audit_head, SiteKey.of(other.key))
        log.append(entry(1)).result(timeout=10)
        log.close()
        shutil.copy(other.audit_head, written.audit_head)
    with pytest.raises(AuditError):
        verified(written)
    with pytest.raises(AuditError):
        AuditLog(written.audit, written.audit_head, SiteKey.of(written.key))


def test_a_cut_tail_keeps_the_service_from_starting(written: StateFolder) -> None:
    altered(written, "DELETE FROM audit WHERE number = 12")
    with pytest.raises(AuditError, match="does not hold entry 12"):
        AuditLog(written.audit, written.audit_head, SiteKey.of(written.key))


def test_entries_beyond_the_head_are_those_of_a_kill_and_the_chain_goes_on(written: StateFolder) -> None:
    earlier = written.audit_head.read_bytes()
    log = AuditLog(written.audit, written.audit_head, SiteKey.of(written.key))
    log.append(entry(13)).result(timeout=10)
    log.close()
    written.audit_head.write_bytes(earlier)  # killed between its commit and its head
    found = verify_audit(written.audit, written.audit_head, SiteKey.of(written.key))
    assert (found.entries, found.beyond_head) == (13, 1)
    log = AuditLog(written.audit, written.audit_head, SiteKey.of(written.key))
    assert log.append(entry(14)).result(timeout=10) == 14
    log.close()
    assert verified(written) == 14


@given(st.text(), st.integers(1, 10**9), st.text())
@settings(max_examples=50)
def test_a_hash_depends_on_the_one_before_the_number_and_the_text(
    before: str, number: int, text: str
) -> None:
    found = chained(before, number, text)
    assert found != chained(before, number + 1, text)
    assert found != chained(before, number, text + "x")
    assert found != chained(before + "x", number, text)


def test_every_answer_about_a_patient_is_in_the_audit_before_it_goes_out(
    desk: Hospital, patient: str
) -> None:
    before = desk.service.audit.entries
    answer = desk.http.get(f"/risk/{patient}")
    desk.http.get("/risk/nobody")
    assert desk.service.audit.entries == before + 2
    with closing(sqlite3.connect(desk.folder / "audit.sqlite")) as db:
        rows = db.execute("SELECT entry FROM audit ORDER BY number DESC LIMIT 2").fetchall()
    last, first = (Entry.read(0, text) for (text,) in rows)
    assert first.answer == hashlib.sha256(answer.content).hexdigest()
    assert first.score == answer.json()["score"]
    assert (first.status, last.status) == (200, 404)
    assert first.patient
    assert first.patient != last.patient
    assert patient not in rows[1][0]
    assert "nobody" not in rows[0][0]


def test_an_audit_that_cannot_be_written_keeps_the_answer_back(
    small: Simulated, tmp_path: Path, patient: str
) -> None:
    from tests.serve.hospital import running

    with running(small, tmp_path, ServiceSettings()) as own:
        assert own.http.get(f"/risk/{patient}").status_code == 200
        with closing(sqlite3.connect(own.folder / "audit.sqlite")) as db:
            db.execute("DROP TABLE audit")
        for _ in range(2):
            answer = own.http.get(f"/risk/{patient}")
            assert answer.status_code == 503
            assert "probability" not in answer.text
        assert own.http.get("/ready").status_code == 503


def test_two_services_cannot_write_one_audit(desk: Hospital, small: Simulated) -> None:
    records = desk.service.records
    with pytest.raises(ConfigError, match="used by another process"):
        Service.open(ServiceSettings(), small.model, records, None, StateFolder(desk.folder))


def test_every_answer_of_the_audit_comes_out_the_same_again(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    from tests.serve.hospital import running

    with running(small, tmp_path, ServiceSettings()) as own:
        asked = [case.record.patient_id for case in small.complete[:4]]
        for each in (*asked, asked[0], "nobody"):
            own.http.get(f"/risk/{each}")
        own.call({"patientId": asked[1]})
        found = replay_audit(
            own.folder / "audit.sqlite", own.service.scores, own.service.key, small.model, own.service.records
        )
        assert (found.entries, found.scores, found.same, found.differing) == (6, 4, 4, ())
        kept = own.service.scores.latest_anywhere(
            own.service.key.anywhere("", asked[0]), small.model.model_id
        )
        risk = kept[0].score.risks[0]
        other = kept[0].score.model_copy(
            update={"risks": (risk.model_copy(update={"low": risk.low + 2e-6}), *kept[0].score.risks[1:])}
        )
        assert difference(kept[0].score, other) == pytest.approx(2e-6)
    state = ("--state", tmp_path / "state")
    sources = [word for uri in small.uris for word in ("--source", uri)]
    told = prognosis("audit", "verify", *state, "--json")
    assert (told.status, told.stated["entries"]) == (0, 7)
    told = prognosis("audit", "replay", *state, "--model", small.model_folder, *sources, "--json")
    assert (told.status, told.stated["same"], told.stated["largest_difference"]) == (0, 4, 0.0)
    altered(StateFolder(tmp_path / "state"), "UPDATE audit SET entry = replace(entry, '200', '403')")
    told = prognosis("audit", "verify", *state)
    assert told.status == 2
    assert "audit entry 1: was altered" in told.prose
