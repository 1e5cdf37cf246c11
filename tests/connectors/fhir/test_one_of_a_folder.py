"""One patient of a folder is as in a reading of everything, and lines about others are not parsed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.fhir import FhirFolder
from prognosis.errors import SourceError
from prognosis.record import Quarantine
from tests.connectors.fhir.resources import Resource, observation, patient
from tests.connectors.fhir.test_one_patient import EVERY, FACTS, NORTH, PEOPLE

NAMES = ("1", "12", "anna", "ben", "old-ben")


def written(folder: Path, name: str, resources: list[Resource], *, escaped: bool = False) -> None:
    folder.mkdir(exist_ok=True)
    text = "".join(json.dumps(each) + "\n" for each in resources)
    if escaped:
        text = text.replace("Patient/", "\\u0050atient\\u002f")
    if name.endswith(".gz"):
        with gzip.open(folder / name, "wt") as file:
            file.write(text)
    else:
        (folder / name).write_text(text)


def alone_and_among_all(folder: Path) -> None:
    """Every patient of the folder, and every name in it that is no patient's."""
    source = FhirFolder(folder, "fhir-folder:test")
    try:
        whole = list(source.records(Quarantine()))
    except SourceError as refused:
        with pytest.raises(SourceError, match=refused.problem.partition("(")[0]):
            source.patient(NAMES[0], Quarantine())
        return
    ids = {record.patient_id for record in whole}
    for name in ids:
        own = tuple(record for record in whole if record.patient_id == name)
        assert source.patient(name, Quarantine()) == own
    for name in {*NAMES, "eve", "adam", "nobody"} - ids:
        assert source.patient(name, Quarantine()) == ()


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("ending", ["ndjson", "ndjson.gz"])
def test_links_are_followed(tmp_path: Path, ending: str, escaped: bool) -> None:
    written(tmp_path / "export", f"Observation.{ending}", FACTS, escaped=escaped)
    written(tmp_path / "export", f"Patient.{ending}", [*PEOPLE, NORTH], escaped=escaped)
    assert {each.patient_id for each in FhirFolder(tmp_path / "export", "x").records(Quarantine())} == set(
        EVERY
    )
    alone_and_among_all(tmp_path / "export")


def test_bundles_are_read_beside_lines(tmp_path: Path) -> None:
    written(tmp_path / "export", "Patient.ndjson", PEOPLE)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in FACTS]}
    (tmp_path / "export" / "all.json").write_text(json.dumps(bundle))
    written(
        tmp_path / "export",
        "more.ndjson",
        [{**bundle, "entry": [{"resource": observation("b", "Patient/anna")}]}],
    )
    alone_and_among_all(tmp_path / "export")


def test_what_is_stated_of_two_patients_is_believed_of_neither(tmp_path: Path) -> None:
    facts = [
        observation("one", "Patient/anna"),
        observation("one", "Patient/12"),
        observation("two", "Patient/anna"),
    ]
    written(tmp_path / "export", "a.ndjson", [patient("anna"), patient("12"), *facts])
    quarantine = Quarantine()
    (found,) = FhirFolder(tmp_path / "export", "x").patient("anna", quarantine)
    assert [event.source for event in found.events] == ["Observation/two"]
    assert [each.reference for each in quarantine] == ["Observation/one"] * 2


def test_lines_about_others_are_not_parsed_and_bad_ones_of_the_patient_are_told_once(tmp_path: Path) -> None:
    written(
        tmp_path / "export", "a.ndjson", [patient("anna"), patient("ben"), observation("one", "Patient/anna")]
    )
    with (tmp_path / "export" / "a.ndjson").open("a") as file:
        file.write('{"resourceType": "Observation", "subject": {"reference": "Patient/ben"}, \n')
        file.write('{"resourceType": "Observation", "subject": {"reference": "Patient/anna"}, \n')
    quarantine = Quarantine()
    (found,) = FhirFolder(tmp_path / "export", "x").patient("anna", quarantine)
    assert len(found.events) == 1
    assert [each.reference for each in quarantine] == ["a.ndjson line 5"]


def test_a_file_that_breaks_off_is_told_once(tmp_path: Path) -> None:
    written(tmp_path / "export", "a.ndjson.gz", [patient("anna"), observation("one", "Patient/anna")])
    whole = (tmp_path / "export" / "a.ndjson.gz").read_bytes()
    written(tmp_path / "export", "b.ndjson", [patient("anna")])
    (tmp_path / "export" / "a.ndjson.gz").write_bytes(whole[:-12])
    quarantine = Quarantine()
    assert FhirFolder(tmp_path / "export", "x").patient("anna", quarantine)
    assert [each.reference for each in quarantine] == ["a.ndjson.gz"]


def test_a_folder_without_patients_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "export", "a.ndjson", [observation("one", "Patient/anna")])
    with pytest.raises(SourceError, match="holds no Patient"):
        FhirFolder(tmp_path / "export", "x").patient("anna", Quarantine())


@st.composite
def exports(draw: st.DrawFn) -> list[Resource]:
    """Patients, linked, there twice or not at all, and facts under few ids, some of them there twice."""
    links = st.sampled_from([None, *NAMES])
    people = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6)):
        other, kind = draw(links), draw(st.sampled_from(["replaces", "replaced-by"]))
        link = [{"other": {"reference": f"Patient/{other}"}, "type": kind}] if other else []
        people.append(patient(name, **({"link": link} if link else {})))
    ids, subjects = st.sampled_from(["a", "b", "c", "1"]), st.sampled_from(NAMES)
    facts = draw(st.lists(st.tuples(ids, subjects), max_size=8))
    return [*people, *(observation(name, f"Patient/{subject}") for name, subject in facts)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(export=exports())
def test_whatever_is_stated_one_patient_is_as_among_all(tmp_path: Path, export: list[Resource]) -> None:
    written(tmp_path / "export", "a.ndjson", export)
    alone_and_among_all(tmp_path / "export")
