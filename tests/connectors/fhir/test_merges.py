"""Patient.link, read from files and from a server: one person's facts in one record, two people's in two."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognosis.record import PatientRecord, Quarantine
from tests.connectors.fhir.resources import Resource, line, observation, patient, read_folder
from tests.connectors.fhir.ward import Ward, pull


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
