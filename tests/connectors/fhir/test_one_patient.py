"""One patient read alone is the patient of a whole pull; so is what changed since, when it is read anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.fhir import FhirServer
from connectors.fhir.mapping_person import PATIENT_ID
from prognosis.cli.sources.refreshing import Refreshed
from prognosis.cohort import Task
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.fhir.chartroom import SEARCHED, Chartroom
from tests.connectors.fhir.resources import Resource, observation, patient
from tests.connectors.fhir.ward import QUICK, opened
from tests.simulated import TASK_PATH

NORTH = {"resourceType": "Organization", "id": "north", "name": "North"}
AT_NORTH = {"managingOrganization": {"reference": "Organization/north"}}
PEOPLE: list[Resource] = [
    patient("anna", **AT_NORTH),
    patient("ben", link=[{"other": {"reference": "Patient/old-ben"}, "type": "replaces"}], **AT_NORTH),
    patient("old-ben"),
    patient("older-ben", link=[{"other": {"reference": "Patient/old-ben"}, "type": "replaced-by"}]),
    patient("zoe", identifier=[{"system": PATIENT_ID, "value": "study 7, zoe"}]),
    patient("eve", link=[{"other": {"reference": "Patient/adam"}, "type": "replaced-by"}]),
    patient("adam", link=[{"other": {"reference": "Patient/eve"}, "type": "replaced-by"}]),
]
FACTS = [observation(f"crp-{each['id']}", f"Patient/{each['id']}") for each in PEOPLE]
EVERY = ("anna", "ben", "study 7, zoe")


@pytest.fixture
def room() -> Iterator[Chartroom]:
    with opened(Chartroom([NORTH, *PEOPLE, *FACTS])) as found:
        yield found


def server(room: Chartroom) -> FhirServer:
    return FhirServer(room.address, f"fhir-server:{room.address}", policy=QUICK)


def every(room: Chartroom) -> list[PatientRecord]:
    return list(server(room).records(Quarantine()))


@pytest.mark.parametrize("searched", [SEARCHED, ()], ids=["asked alone", "not stated"])
def test_a_patient_read_alone_is_the_patient_of_a_whole_pull(
    room: Chartroom, searched: tuple[str, ...]
) -> None:
    room.searched = searched
    whole = every(room)
    assert [record.patient_id for record in whole] == list(EVERY)
    assert [len(record.events) for record in whole] == [1, 3, 1]
    for record in whole:
        assert server(room).patient(record.patient_id, Quarantine()) == (record,)


@pytest.mark.parametrize("name", ["old-ben", "older-ben", "zoe", "eve", "nobody", "study 7", "a|b\\c$"])
def test_whoever_is_not_in_a_whole_pull_is_not_there_alone(room: Chartroom, name: str) -> None:
    assert server(room).patient(name, Quarantine()) == ()


def test_of_other_patients_nothing_is_asked(room: Chartroom) -> None:
    server(room).patient("anna", Quarantine())
    told = json.dumps([each.form for each in room.requests])
    assert "anna" in told
    assert not any(other in told for other in ("ben", "zoe", "eve", "adam"))
    assert all(each.form.keys() - {"_count"} for each in room.requests if each.method == "POST")


def test_only_those_of_whom_something_changed_are_read_anew(room: Chartroom) -> None:
    since = room.now
    room.put(observation("new", "Patient/older-ben"))
    room.later()
    changes = server(room).changes(since, Quarantine())
    assert changes is not None
    assert changes.patient_ids == {"ben", "old-ben", "older-ben"}
    assert changes.records == tuple(each for each in every(room) if each.patient_id == "ben")
    assert len(changes.records[0].events) == 4
    nothing = server(room).changes(room.now, Quarantine())
    assert nothing is not None
    assert not nothing.records


def test_what_cannot_be_told_is_not_guessed(room: Chartroom) -> None:
    since = room.now
    assert server(room).changes(since, Quarantine()) is not None
    room.ignores = frozenset({"_lastUpdated"})
    assert server(room).changes(since, Quarantine()) is None
    room.ignores = frozenset()
    room.searched = ("_id",)
    assert server(room).changes(since, Quarantine()) is None
    room.searched = SEARCHED
    room.put({**NORTH, "name": "Northern"})
    assert server(room).changes(since, Quarantine()) is None


def test_a_fact_of_a_patient_who_is_not_there_has_everything_read(room: Chartroom) -> None:
    since = room.now
    room.put(observation("stray", "Patient/nobody"))
    assert server(room).changes(since, Quarantine()) is None


def test_sources_read_again_hold_what_a_whole_reading_gives(room: Chartroom) -> None:
    clock = [0.0]
    sources = Refreshed((f"fhir-server:{room.address}",), Task.load(TASK_PATH), 3600, lambda: clock[0])
    changes: list[Resource] = [
        observation("second", "Patient/anna"),
        observation("crp-anna", "Patient/anna", valueQuantity=None, valueString="haemolysed"),
        patient("new", **AT_NORTH),
        patient("zoe", birthDate="1950-05-06", identifier=[{"system": PATIENT_ID, "value": "study 7, zoe"}]),
        patient("anna", link=[{"other": {"reference": "Patient/new"}, "type": "replaced-by"}]),
        {**NORTH, "name": "Northern"},
    ]
    assert sources.read(Quarantine()) == by_key(every(room))
    for change in changes:
        room.later()
        room.put(change)
        clock[0] += 60
        assert sources.read(Quarantine()) == by_key(every(room))


def test_between_whole_readings_only_what_changed_is_asked_for_and_a_deletion_is_seen_by_the_next(
    room: Chartroom,
) -> None:
    clock = [0.0]
    sources = Refreshed((f"fhir-server:{room.address}",), Task.load(TASK_PATH), 3600, lambda: clock[0])
    before = sources.read(Quarantine())
    room.later()
    del room.held["Observation/crp-anna"]
    room.resources = list(room.held.values())
    room.requests.clear()
    clock[0] += 60
    assert sources.read(Quarantine()) == before
    asked = [each.form for each in room.requests if each.method == "POST"]
    assert asked
    assert all("_lastUpdated" in form for form in asked)
    clock[0] += 3600
    after = sources.read(Quarantine())
    assert after == by_key(every(room))
    assert after != before


def test_without_a_clock_everything_is_read(room: Chartroom) -> None:
    room.damage = lambda _, good: good.replace(b"\r\nDate:", b"\r\nX-Date:")
    assert server(room).clock() is None
    sources = Refreshed((f"fhir-server:{room.address}",), Task.load(TASK_PATH), 3600, lambda: 0.0)
    sources.read(Quarantine())
    room.requests.clear()
    sources.read(Quarantine())
    assert not any("_lastUpdated" in each.form for each in room.requests)


def by_key(records: list[PatientRecord]) -> tuple[PatientRecord, ...]:
    """As a source of records gives them, whose studies have no pixels here."""
    return tuple(sorted((replace(record) for record in records), key=lambda record: record.key))
