"""What contradicts a patient, or a patient's links, is set aside; nobody else's record changes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.fhir import FhirFolder
from prognosis.record import Quarantine
from tests.connectors.fhir.resources import MG_PER_L, Resource, line, observation, patient, read_beside_good

PATIENTS: dict[str, tuple[Resource, str]] = {
    "a birth in month 13": ({"birthDate": "1974-13-01"}, "does not exist"),
    "a birth in year 1": ({"birthDate": "0001-01-01"}, "1850 to 2250"),
    "a death before birth": ({"deceasedDateTime": "1949-01-01"}, "precedes the birth"),
    "a death known to the month": ({"deceasedDateTime": "2020-05"}, "no day"),
    "a death flag in quotes": ({"deceasedBoolean": "true"}, "not a JSON boolean"),
    "a link to itself": (
        {"link": [{"type": "replaced-by", "other": {"reference": "Patient/victim"}}]},
        "runs in a circle",
    ),
    "a replacement that is not there": (
        {"link": [{"type": "replaced-by", "other": {"reference": "Patient/elsewhere"}}]},
        "ends outside the source",
    ),
    "two replacements": (
        {
            "link": [
                {"type": "replaced-by", "other": {"reference": f"Patient/{to}"}} for to in ("anna", "zoe")
            ]
        },
        "forks",
    ),
}


@pytest.mark.parametrize("name", PATIENTS)
def test_a_bad_patient_is_set_aside_with_the_facts_about_them(tmp_path: Path, name: str) -> None:
    changes, problem = PATIENTS[name]
    bad = line(patient(**changes)) + b"\n" + line(observation())
    records, quarantine = read_beside_good(tmp_path, bad)
    assert [record.patient_id for record in records] == ["anna", "zoe"]
    assert sorted(rejection.reference for rejection in quarantine) == ["Observation/bad", "Patient/victim"]
    assert problem in next(item.problem for item in quarantine if item.reference == "Patient/victim")


def test_a_death_before_later_observations_is_not_believed_but_the_patient_is_kept(tmp_path: Path) -> None:
    dead = patient(deceasedDateTime="2019-01-01")
    records, quarantine = read_beside_good(tmp_path, line(dead) + b"\n" + line(observation()))
    (rejection,) = quarantine
    assert (rejection.reference, "the death is not used" in rejection.problem) == ("Patient/victim", True)
    assert [event.code.value for event in records[1].events] == ["1988-5"]
    assert quarantine.accepted == {"Patient": 2, "Observation": 3}


def test_a_result_drawn_before_death_and_issued_after_it_leaves_the_death_standing(tmp_path: Path) -> None:
    late = observation(issued="2020-03-09T09:00:00Z")
    dead = patient(deceasedDateTime="2020-03-01T08:00:00Z")
    records, quarantine = read_beside_good(tmp_path, line(dead) + b"\n" + line(late))
    assert len(quarantine) == 0
    assert [event.code.value for event in records[1].events] == ["MEDS_DEATH", "1988-5"]


def test_two_versions_of_one_resource_are_both_withdrawn(tmp_path: Path) -> None:
    versions = [patient(), observation(), observation(valueQuantity={"value": 99, **MG_PER_L})]
    records, quarantine = read_beside_good(tmp_path, b"\n".join(map(line, versions)))
    assert [item.reference for item in quarantine] == ["Observation/bad"] * 2
    assert records[1].events == ()


def test_two_versions_of_one_patient_are_both_withdrawn_with_their_facts(tmp_path: Path) -> None:
    versions = [patient(), patient(birthDate="1951-05-05"), observation()]
    records, quarantine = read_beside_good(tmp_path, b"\n".join(map(line, versions)))
    assert [record.patient_id for record in records] == ["anna", "zoe"]
    assert len(quarantine) == 3


def test_the_same_resource_twice_is_used_once_and_counted_twice(tmp_path: Path) -> None:
    records, quarantine = read_beside_good(
        tmp_path, b"\n".join(map(line, [patient(), observation(), observation()]))
    )
    assert len(records[1].events) == 1
    assert quarantine.accepted["Observation"] == 4
    assert sum(quarantine.notices.values()) == 1


def test_links_in_a_circle_take_every_patient_in_it_out(tmp_path: Path) -> None:
    pair = [
        patient(name, link=[{"type": "replaced-by", "other": {"reference": f"Patient/{other}"}}])
        for name, other in (("b1", "b2"), ("b2", "b1"))
    ]
    records, quarantine = read_beside_good(
        tmp_path, b"\n".join(map(line, [*pair, observation(patient="Patient/b1")]))
    )
    assert [record.patient_id for record in records] == ["anna", "zoe"]
    assert len(quarantine) == 3


@pytest.mark.parametrize("stated_by", ["old", "new"])
def test_facts_about_a_replaced_patient_join_the_patient_that_replaces_it(
    tmp_path: Path, stated_by: str
) -> None:
    old, new = patient("old"), patient("new")
    if stated_by == "old":
        old["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/new"}}]
    else:
        new["link"] = [{"type": "replaces", "other": {"reference": "Patient/old"}}]
    facts = [observation("a", "Patient/old"), observation("b", "Patient/new")]
    records, quarantine = read_beside_good(tmp_path, b"\n".join(map(line, [old, new, *facts])))
    assert [record.patient_id for record in records] == ["anna", "new", "zoe"]
    assert [event.source for event in records[1].events] == ["Observation/a", "Observation/b"]
    assert (len(quarantine), quarantine.accepted["Patient"]) == (0, 4)


def test_facts_dated_after_the_export_are_set_aside_when_its_date_is_given(tmp_path: Path) -> None:
    (tmp_path / "all.ndjson").write_bytes(
        line(patient()) + b"\n" + line(observation(issued="2031-01-01T00:00:00Z"))
    )
    quarantine = Quarantine()
    source = FhirFolder(tmp_path, "fhir-folder:test", latest=datetime(2026, 1, 1, tzinfo=UTC))
    (record,) = source.records(quarantine)
    assert record.events == ()
    assert [item.problem for item in quarantine] == ["is dated in the future"]
