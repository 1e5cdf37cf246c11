"""`prognosis risk --write-back` and `retract` on a real FHIR server; validity: test_whole_cohort.py."""

from __future__ import annotations

import os
from typing import Any

import pytest

from prognosis.cohort import Case
from tests.cli.program import Program, Ran
from tests.live.hospital import KINDS, Hospital, counts
from tests.live.sekmet import asked
from tests.live.strict import FOLDER, judge_folder, judged
from tests.simulated import Simulated


@pytest.fixture
def case(hospital: Hospital) -> Case:
    """A patient of this test alone."""
    return hospital.complete[0]


@pytest.fixture
def answered(prognosis: Program, small: Simulated, hospital: Hospital, case: Case) -> Any:
    """`prognosis risk` on the servers' records and films, written back."""

    def run(*more: object) -> Ran:
        sources = (word for uri in hospital.uris for word in ("--source", uri))
        patient, model = case.record.patient_id, ("--model", small.model_folder)
        to = ("--write-back", hospital.records_uri)
        ran = prognosis("risk", patient, *model, *sources, *to, "--json", *more)
        assert ran.status == 0, ran.err
        return ran

    return run


def written(address: str, ran: Ran) -> dict[str, dict[str, Any]]:
    """What the run names, as the server holds it, by name."""
    names = [each["version"].partition("/_history/")[0] for each in ran.stated["written"]["resources"]]
    return {name: asked(address, name) for name in names}


def test_an_answer_is_the_same_however_it_is_shown_and_is_withdrawn_once(
    answered, prognosis: Program, small: Simulated, hospital: Hospital, case: Case
) -> None:
    address = hospital.address
    first = answered()
    there = written(address, first)
    assert {name.partition("/")[0] for name in there} == set(KINDS)
    after = counts(hospital)
    second = answered("--top", 3, "--scale", "probability")
    assert {each["done"] for each in second.stated["written"]["resources"]} == {"unchanged"}
    assert counts(hospital) == after
    assert [each["probability"] for each in second.stated["risks"]] == [
        each["probability"] for each in first.stated["risks"]
    ]

    asked_again = ("retract", case.record.patient_id, "--model", small.model_folder, "--from")
    taken = prognosis(*asked_again, hospital.records_uri, "--json")
    assert taken.status == 0, taken.err
    for name, resource in written(address, first).items():
        stated = ("RiskAssessment", "Observation", "DiagnosticReport")
        if name.startswith(stated):
            assert resource["status"] == "entered-in-error"
    if os.environ.get(FOLDER):
        names = [each["version"].partition("/_history/")[0] for each in taken.stated["resources"]]
        assert not any(judged([asked(address, name) for name in names], judge_folder()).problems)
    withdrawn = counts(hospital)
    again = prognosis(*asked_again, hospital.records_uri, "--json")
    assert again.status == 0
    assert {each["done"] for each in again.stated["resources"]} == {"unchanged"}
    assert counts(hospital) == withdrawn


ORDERS = ("MedicationRequest", "ServiceRequest", "CarePlan", "RequestGroup", "Task", "CommunicationRequest")


def test_each_arm_is_written_once_and_withdrawn_and_nothing_is_ordered(
    prognosis: Program, compared: Simulated, hospital: Hospital
) -> None:
    address, patient = hospital.address, hospital.complete[1].record.patient_id
    sources = [word for uri in hospital.uris for word in ("--source", uri)]
    asking = ("risk", patient, "--model", compared.model_folder, *sources, "--json")
    before = held(address, ORDERS)
    first = prognosis(*asking, "--write-back", hospital.records_uri)
    assert first.status == 0, first.err
    there = written(address, first)
    arms = {
        name: each
        for name, each in there.items()
        if each.get("code", {}).get("text", "").startswith("If given")
    }
    assert {name.partition("/")[0] for name in arms} == {"RiskAssessment"}
    assert sorted(each["code"]["text"].split(":")[0] for each in arms.values()) == [
        "If given intensified",
        "If given standard",
    ]
    for each in arms.values():
        assert each["status"] == "preliminary"
        assert each["prediction"]
        assert any("orders nothing" in note["text"] for note in each["note"])
    after = counts(hospital)
    second = prognosis(*asking, "--write-back", hospital.records_uri)
    assert {each["done"] for each in second.stated["written"]["resources"]} == {"unchanged"}
    assert counts(hospital) == after
    if os.environ.get(FOLDER):
        assert not any(judged(list(arms.values()), judge_folder()).problems)
    taken = prognosis(
        "retract", patient, "--model", compared.model_folder, "--from", hospital.records_uri, "--json"
    )
    assert taken.status == 0, taken.err
    assert {asked(address, name)["status"] for name in arms} == {"entered-in-error"}
    assert held(address, ORDERS) == before


def held(address: str, kinds: tuple[str, ...]) -> dict[str, int]:
    return {kind: asked(address, f"{kind}?_summary=count")["total"] for kind in kinds}
