"""Scores made ahead: who is new or has changed is scored again, and nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prognosis.cli.sources.patients import SourcePatients
from prognosis.errors import SourceError
from prognosis.record import PatientRecord
from prognosis.record.digest import record_digest
from prognosis.serve.app import create_app
from prognosis.serve.asking import scored
from prognosis.serve.metrics import Metrics
from prognosis.serve.pseudonyms import SiteKey
from prognosis.serve.reading import Chart
from prognosis.serve.renewing import Renewed, renew
from prognosis.serve.scorer import Scorer
from prognosis.serve.service import Service
from prognosis.serve.settings import ServiceSettings
from prognosis.serve.state_folder import StateFolder
from tests.cli.program import Program
from tests.serve.hospital import Hospital, running
from tests.simulated import Simulated

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(slots=True)
class Ward:
    """A source whose patients can be changed."""

    patients: list[PatientRecord]
    fails: bool = False
    read: int = field(default=0)

    def find(self, patient: str, site: str | None) -> PatientRecord | None:
        return next((each for each in self.patients if each.patient_id == patient), None)

    def every(self) -> Iterator[PatientRecord]:
        self.read += 1
        if self.fails:
            raise SourceError("ward", "is down", "try again")
        return iter(self.patients)

    def held(self) -> Iterator[PatientRecord]:
        return iter(self.patients)


@pytest.fixture
def ward(small: Simulated) -> Ward:
    return Ward([case.record for case in small.complete[:3]])


def scorer_at(small: Simulated, folder: Path, now: datetime) -> Scorer:
    return Scorer.open(small.model, StateFolder(folder), Metrics(), lambda: now)


def test_only_new_and_changed_records_are_scored(small: Simulated, ward: Ward, tmp_path: Path) -> None:
    assert renew(scorer_at(small, tmp_path, NOW), ward) == Renewed(3, 0, 0)
    later = scorer_at(small, tmp_path, NOW + timedelta(days=1))
    assert renew(later, ward) == Renewed(0, 3, 0)
    first = ward.patients[0]
    kept = later.scores.latest(later.whose(first).patient, small.model.model_id)
    assert kept is not None
    assert (kept.made_at, kept.looked_at) == (NOW, NOW + timedelta(days=1))
    newest = max(event.time for event in first.events)
    fresh = replace(first.events[-1], time=newest, number=9.0, source="Observation/new")
    ward.patients[0] = replace(first, events=(*first.events, fresh))
    assert record_digest(ward.patients[0]) != record_digest(first)
    ward.patients.append(replace(first, patient_id="new"))
    ward.patients.append(PatientRecord("empty", site="north"))
    done = renew(later, ward)
    assert done.refused == 1
    assert done.made + done.unchanged == 4
    assert done.made >= 1


def test_a_result_that_was_withdrawn_no_longer_stands_on_the_card(
    small: Simulated, ward: Ward, tmp_path: Path
) -> None:
    first, model = ward.patients[0], small.model.model_id
    renew(scorer_at(small, tmp_path, NOW), ward)
    newest = max(event.time for event in first.events)
    wrong = replace(first.events[-1], time=newest, number=9.0, source="Observation/wrong")
    ward.patients[0] = replace(first, events=(*first.events, wrong))
    mistaken = scorer_at(small, tmp_path, NOW + timedelta(hours=1))
    assert renew(mistaken, ward) == Renewed(1, 2, 0)
    who = mistaken.whose(first).patient
    with_the_error = mistaken.scores.latest(who, model)
    ward.patients[0] = first  # the laboratory takes its result back
    corrected = scorer_at(small, tmp_path, NOW + timedelta(hours=2))
    assert renew(corrected, ward) == Renewed(1, 2, 0)
    shown = corrected.scores.latest(who, model)
    assert with_the_error is not None
    assert shown is not None
    assert shown.score.record != with_the_error.score.record
    assert shown.looked_at == NOW + timedelta(hours=2)
    assert renew(corrected, ward) == Renewed(0, 3, 0)


def test_looking_again_makes_no_earlier_score_younger(small: Simulated, ward: Ward, tmp_path: Path) -> None:
    first = ward.patients[0]
    renew(scorer_at(small, tmp_path, NOW), ward)
    newest = max(event.time for event in first.events)
    later = replace(first.events[-1], time=newest, number=9.0, source="Observation/new")
    ward.patients[0] = replace(first, events=(*first.events, later))
    for hours in (1, 2):
        renew(scorer_at(small, tmp_path, NOW + timedelta(hours=hours)), ward)
    old = scorer_at(small, tmp_path, NOW + timedelta(hours=3)).kept(Chart(first))
    assert old is not None
    assert old.looked_at == NOW


def test_what_is_dated_after_now_is_not_known_yet(small: Simulated, ward: Ward, tmp_path: Path) -> None:
    first = ward.patients[0]
    ahead = scorer_at(small, tmp_path, NOW)
    kept = ahead.score(Chart(first))
    early = min(event.time for event in first.events) + timedelta(hours=1)
    before = scorer_at(small, tmp_path, early)
    known = before.score(Chart(first))
    assert known.score.index_time <= early
    assert known.score.record != kept.score.record


def test_a_notification_has_a_service_read_its_sources_again_and_a_failure_keeps_what_it_had(
    small: Simulated, ward: Ward, tmp_path: Path
) -> None:
    with running(small, tmp_path, ServiceSettings()) as own:
        own.service.records = ward
        ward.fails = True
        own.service.scores.notify(own.service.now())
        waited(lambda: ward.read >= 1)
        assert own.service.scores.counts(small.model.model_id) == (0, 0)
        ward.fails = False
        own.service.scores.notify(own.service.now())
        waited(lambda: own.service.scores.counts(small.model.model_id)[0] == len(ward.patients))
        assert "prognosis_scores_total" in own.http.get("/metrics").text


def waited(reached: object) -> None:
    end = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_verb_scores_ahead_and_a_service_then_answers_without_the_model(
    prognosis: Program, small: Simulated, tmp_path: Path, patient: str
) -> None:
    sources = [word for uri in small.uris for word in ("--source", uri)]
    state = tmp_path / "state"
    told = prognosis("watch", "--once", "--json", "--model", small.model_folder, "--state", state, *sources)
    assert (told.status, told.stated["made"], told.stated["refused"]) == (0, len(small.written), 0)
    again = prognosis("watch", "--once", "--json", "--model", small.model_folder, "--state", state, *sources)
    assert (again.stated["made"], again.stated["unchanged"]) == (0, len(small.written))
    with running(small, tmp_path, ServiceSettings()) as own:
        answered(own, patient)
        assert 'outcome="given"} 0' in own.http.get("/metrics").text
    gone = ("--source", f"fhir-folder:{tmp_path / 'gone'}")
    assert prognosis("watch", "--once", "--model", small.model_folder, "--state", state, *gone).status == 2


def answered(own: Hospital, patient: str) -> None:
    assert "read " in own.call({"patientId": patient}).json()["cards"][0]["summary"]
    assert own.http.get(f"/risk/{patient}").status_code == 200


def test_pseudonyms_mean_nothing_without_the_key_and_keep_namespaces_apart(tmp_path: Path) -> None:
    one, other = SiteKey.of(tmp_path / "a"), SiteKey.of(tmp_path / "b")
    assert one == SiteKey.of(tmp_path / "a")
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0
    names = {
        one.patient("", "north", "1"),
        one.patient("", "nort", "h1"),
        one.patient("", "", "north1"),
        one.patient("https://ehr.example", "north", "1"),
        one.anywhere("", "1"),
        other.patient("", "north", "1"),
    }
    assert len(names) == 6
    assert "secret" not in repr(one)


async def ready_at_its_start(small: Simulated, folder: Path) -> bool:
    """Whether a service is ready before its model has answered; it is afterwards, and keeps one score."""
    records = SourcePatients(small.uris, small.model.task)
    service = Service.open(ServiceSettings(), small.model, records, None, StateFolder(folder / "state"))
    app = create_app(service)
    async with app.router.lifespan_context(app):
        at_start, before = service.ready, service.scores.counts(small.model.model_id)
        while not service.ready:
            await asyncio.sleep(0.01)
        assert service.scores.counts(small.model.model_id) == before  # what it answered was for nobody
        await scored(service, Chart(small.complete[0].record))
    return at_start


def test_a_service_without_scores_is_ready_once_its_model_has_answered_and_one_with_scores_at_once(
    small: Simulated, tmp_path: Path
) -> None:
    assert not asyncio.run(ready_at_its_start(small, tmp_path))
    assert asyncio.run(ready_at_its_start(small, tmp_path))
