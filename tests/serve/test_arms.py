"""A service whose model compares arms: what it says of them, to whom, and that it orders nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from prognosis.cohort import Case
from prognosis.comparison.answer import TreatmentAnswer
from prognosis.comparison.treat import treat_cases
from prognosis.fusion.arms import ArmModel
from prognosis.outputs.treatment_text import arm_lines, contrast_lines, verdict
from prognosis.serve.settings import ServiceSettings
from tests.serve.hospital import FHIR, Hospital, cds_token, rest_token, running, settings_of
from tests.simulated import Simulated

NUMBER = re.compile(r"\d%? to \d")
"""The interval of a value."""


@pytest.fixture(scope="module")
def ward(compared: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """Such a service with clients."""
    folder = tmp_path_factory.mktemp("ward")
    with running(compared, folder, settings_of(folder)) as found:
        yield found


@pytest.fixture(scope="module")
def office(compared: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """Such a service for this machine only, which thinks that hardly anybody lacked films."""
    arms = compared.model.arms
    assert isinstance(arms, ArmModel)
    basis = replace(arms.basis, lacking={**arms.basis.lacking, "imaging": 0.0})
    model = replace(compared.model, arms=replace(arms, basis=basis))
    settings = ServiceSettings.model_validate({"fhir_servers": [{"base": FHIR, "same_patients": True}]})
    with running(replace(compared, model=model), tmp_path_factory.mktemp("office"), settings) as found:
        yield found


def answer_of(compared: Simulated, case: Case) -> TreatmentAnswer:
    return treat_cases(compared.model, [case])[0]


def told(hospital: Hospital, patient: str, **headers: Any) -> Any:
    answer = hospital.http.get(f"/risk/{patient}", **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["treatment"]


def test_the_route_says_of_each_arm_what_the_library_says(ward: Hospital, compared: Simulated) -> None:
    said = set()
    for case in compared.cohort.cases[:12]:
        known = answer_of(compared, case)
        found = told(ward, case.record.patient_id, headers=rest_token())
        assert found["summary"] == verdict(known)
        assert tuple(found["arms"]) == arm_lines(known)
        assert tuple(found["differences"]) == contrast_lines(known)
        assert tuple(found["cautions"]) == known.cautions
        assert tuple(found["assumptions"]) == known.assumptions
        said.add(found["summary"])
    assert any(NUMBER.search(line) for line in found["arms"])
    assert said


def test_the_ehr_gets_two_cards_and_can_accept_neither_as_an_order(
    ward: Hospital, compared: Simulated
) -> None:
    case = compared.complete[0]
    answer = ward.call({"patientId": case.record.patient_id}, cds_token(), fhirServer=FHIR)
    assert answer.status_code == 200, answer.text
    risk, arms = answer.json()["cards"]
    assert risk["uuid"] != arms["uuid"]
    assert "systemActions" not in answer.json()
    for card in (risk, arms):
        assert not {"suggestions", "selectionBehavior"} & card.keys()
        assert len(card["summary"]) < 140
        assert card["indicator"] == "info"
    assert arms["summary"][:60] == verdict(answer_of(compared, case))[:60]
    assert "orders nothing" in arms["detail"]
    assert NUMBER.search(arms["detail"].replace("\\", ""))


def test_of_a_patient_whose_arms_are_not_compared_the_reason_is_given_and_no_number(
    office: Hospital, compared: Simulated
) -> None:
    lacking = next(case for case in compared.cohort.cases if not case.record.studies)
    found = told(office, lacking.record.patient_id)
    assert "not compared" in found["summary"]
    assert "imaging" in found["summary"]
    assert not any(NUMBER.search(line) for line in found["arms"])
    assert found["differences"] == []
    _, arms = office.call({"patientId": lacking.record.patient_id}).json()["cards"]
    assert "not compared" in arms["summary"]
    whole = told(office, compared.complete[0].record.patient_id)
    assert any(NUMBER.search(line) for line in whole["arms"])


def test_a_model_without_arms_says_nothing_of_treatment(desk: Hospital, patient: str) -> None:
    assert told(desk, patient) is None
    assert len(desk.call({"patientId": patient}).json()["cards"]) == 1


@pytest.mark.parametrize("headers", [{}, cds_token()], ids=["nobody", "a client of another part"])
def test_whoever_may_not_ask_for_a_risk_is_told_of_no_arm(
    ward: Hospital, compared: Simulated, headers: dict[str, str]
) -> None:
    answer = ward.http.get(f"/risk/{compared.complete[0].record.patient_id}", headers=headers)
    assert answer.status_code in (401, 403)
    assert "intensified" not in answer.text


def test_asked_at_once_about_two_patients_each_answer_is_of_its_own(
    office: Hospital, compared: Simulated
) -> None:
    pair = [case.record.patient_id for case in compared.complete[:2]]
    alone = {patient: told(office, patient) for patient in pair}
    assert alone[pair[0]]["arms"] != alone[pair[1]]["arms"]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: (pair[number % 2], told(office, pair[number % 2])), range(50)))
    assert all(answer == alone[patient] for patient, answer in found)
