"""Patient.link, read from files and from a server: one person's facts in one record, two people's in two."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.fhir import FhirServer
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.fhir.resources import Resource, line, observation, patient, read_folder
from tests.connectors.fhir.ward import Request, Ward, opened, pull, reply, searchset


def linked(identity: str, kind: str, other: str) -> Resource:
    return patient(identity, link=[{"type": kind, "other": {"reference": f"Patient/{other}"}}])


def by_both_ways(
    folder: Path, resources: list[Resource], hidden: Resource | None = None
) -> tuple[list[PatientRecord], Quarantine]:
    """The same records from files and from a server; `hidden` is in neither, as if it had been deleted."""
    shown = [each for each in resources if each is not hidden]
    (folder / "all.ndjson").write_bytes(b"\n".join(map(line, shown)))
    records, quarantine = read_folder(folder)
    pulled, _ = pull(Ward(shown), patients_at_once=1)
    assert pulled == records
    return records, quarantine


FACTS = [observation("before", "Patient/old"), observation("after", "Patient/new")]
MERGES = {
    "the old one says so": [linked("old", "replaced-by", "new"), patient("new")],
    "the new one says so": [patient("old"), linked("new", "replaces", "old")],
    "both say so": [linked("old", "replaced-by", "new"), linked("new", "replaces", "old")],
}


@pytest.mark.parametrize("patients", MERGES.values(), ids=MERGES.keys())
def test_a_merged_patient_has_one_record_with_the_facts_of_both(
    tmp_path: Path, patients: list[Resource]
) -> None:
    records, quarantine = by_both_ways(tmp_path, [*patients, *FACTS])
    assert [each.patient_id for each in records] == ["new"]
    assert {event.source for event in records[0].events} == {"Observation/before", "Observation/after"}
    assert not quarantine.rejections


def test_facts_follow_two_merges_one_after_the_other(tmp_path: Path) -> None:
    patients = [linked("old", "replaced-by", "mid"), linked("mid", "replaced-by", "new"), patient("new")]
    records, _ = by_both_ways(tmp_path, [*patients, *FACTS])
    assert [(each.patient_id, len(each.events)) for each in records] == [("new", 2)]


def test_facts_of_a_replaced_patient_that_is_no_longer_shown_join_the_one_that_replaced_it(
    tmp_path: Path,
) -> None:
    old, new = patient("old"), linked("new", "replaces", "old")
    records, _ = by_both_ways(tmp_path, [old, new, *FACTS], hidden=old)
    assert [(each.patient_id, len(each.events)) for each in records] == [("new", 2)]


@pytest.mark.parametrize("kind", ["refer", "seealso"])
def test_patients_that_only_refer_to_each_other_stay_two(tmp_path: Path, kind: str) -> None:
    records, quarantine = by_both_ways(tmp_path, [linked("old", kind, "new"), patient("new"), *FACTS])
    assert [(each.patient_id, len(each.events)) for each in records] == [("new", 1), ("old", 1)]
    assert quarantine.notices["Patient.link of type refer or seealso: the two Patients are kept apart"] == 1


MASTER = "https://master.example/index"


@pytest.mark.parametrize("kind", ["replaced-by", "replaces"])
def test_a_link_to_another_server_s_patient_joins_nobody_who_has_the_same_id_here(
    tmp_path: Path, kind: str
) -> None:
    elsewhere = {"type": kind, "other": {"reference": f"{MASTER}/Patient/new"}}
    people = [patient("old", link=[elsewhere]), patient("new")]
    records, quarantine = by_both_ways(tmp_path, [*people, *FACTS])
    kept = {each.patient_id: [event.source for event in each.events] for each in records}
    assert kept["new"] == ["Observation/after"]
    assert kept.get("old", []) == ([] if kind == "replaced-by" else ["Observation/before"])
    assert bool(quarantine.rejections) == (kind == "replaced-by")


def test_a_link_by_the_server_s_own_address_is_followed() -> None:
    ward = Ward([patient("old"), patient("new"), *FACTS])
    with opened(ward):
        other = {"reference": f"{ward.address}/Patient/new"}
        ward.resources[0]["link"] = [{"type": "replaced-by", "other": other}]
        records = list(FhirServer(ward.address, "fhir-server:ward").records(Quarantine()))
    assert [(each.patient_id, len(each.events)) for each in records] == [("new", 2)]


def test_a_fact_about_another_server_s_patient_is_nobody_s_here() -> None:
    found = observation("theirs", f"{MASTER}/Patient/anna")

    def gives_it(request: Request, good: bytes) -> bytes:
        return reply(searchset([found], total=1)) if request.place == "Observation/_search" else good

    quarantine = Quarantine()
    with opened(Ward([patient("anna")], gives_it)) as ward:
        (record,) = FhirServer(ward.address, "fhir-server:ward").records(quarantine)
    assert record.events == ()
    assert [each.problem for each in quarantine] == ["is about a patient that was not asked for"]
