"""What an answer says as FHIR R4: valid, exact, the same each time, and nothing where there is no answer."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import fhirkit
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fhir.mapping import ANSWER as ANSWER_READ
from prognosis.cohort import Task
from prognosis.errors import InputError, MappingError, ModelError
from prognosis.explanation import drivers_of
from prognosis.outputs.fhir import ANSWER, AnswerKey, answer_resources, kinds_of
from prognosis.outputs.fhir.attribution import SHOWN, attribution_observation
from prognosis.outputs.fhir.elements import AI_ASSERTED, Resource, checked
from prognosis.outputs.fhir.identity import cited_resource, dated
from prognosis.outputs.fhir.risk_assessment import risk_assessment
from prognosis.prediction.prediction import ExpectedValue
from tests.outputs.fhir.answers import (
    INDEX,
    TASK,
    abstention,
    answer,
    attribution,
    every_resource,
    explanation,
    prediction,
)


def of_kind(kind: str, resources: tuple[Resource, ...]) -> list[Resource]:
    return [each for each in resources if each["resourceType"] == kind]


def test_every_resource_that_can_be_written_is_valid() -> None:
    for resource in every_resource():
        issues = fhirkit.validate(json.dumps(resource))
        assert [issue for issue in issues if issue.severity in ("error", "fatal")] == []
        assert checked(resource) is resource


def days_of(predicted: Resource) -> float:
    """From the start to the end of a prediction."""
    start, end = (datetime.fromisoformat(predicted["whenPeriod"][each]) for each in ("start", "end"))
    return (end - start).total_seconds() / 86_400


def test_a_probability_is_a_percentage_by_the_end_of_a_period_from_the_index_on() -> None:
    (assessment,) = of_kind("RiskAssessment", answer_resources(answer()))
    stated = [(p["outcome"]["text"], days_of(p), p["probabilityDecimal"]) for p in assessment["prediction"]]
    assert stated == [
        ("disease progression", 30.0, 7.0),
        ("disease progression", 365.0, 31.0),
        ("death", 30.0, 1.0),
        ("death", 365.0, 12.5),
    ]
    first = assessment["prediction"][0]
    assert first["whenPeriod"]["start"] == assessment["occurrenceDateTime"]
    assert all("whenRange" not in each for each in assessment["prediction"])  # it would be an age
    assert first["outcome"]["coding"] == [{"system": "urn:prognosis:simulate", "code": "disease-progression"}]
    assert (assessment["status"], assessment["subject"]) == ("preliminary", {"reference": "Patient/17"})


def test_the_interval_is_an_extension_and_stands_in_words_beside_it() -> None:
    prediction = risk_assessment(answer())["prediction"][0]
    (interval,) = prediction["extension"]
    level, ends = interval["extension"]
    assert (
        level["valueDecimal"],
        ends["valueRange"]["low"]["value"],
        ends["valueRange"]["high"]["value"],
    ) == (
        *(90.0, 4.9),
        9.1,
    )
    assert prediction["rationale"] == "90% interval: 4.9% to 9.1%"
    assert "probabilityRange" not in prediction


def test_the_basis_is_every_cited_resource_once() -> None:
    assert [each["reference"] for each in risk_assessment(answer())["basis"]] == [
        *("Condition/c1", "DocumentReference/n1", "ImagingStudy/i1", "Observation/crp-9")
    ]


@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=60))
def test_base_contributions_and_rest_add_up_to_the_output(contributions: list[float]) -> None:
    told = explanation("death", tuple(contributions))
    observation = attribution_observation(answer(), told)
    parts: dict[str, list[float]] = {}
    for component in observation["component"]:
        code = component["code"]["coding"][0]["code"]
        parts.setdefault(code, []).append(component["valueQuantity"]["value"])
    assert len(parts["contribution"]) == min(len(contributions), SHOWN)
    added = parts["base"][0] + sum(parts["contribution"]) + parts["rest"][0]
    assert added == pytest.approx(told.total, abs=1e-9)
    assert observation["valueQuantity"]["value"] == pytest.approx(told.total, abs=1e-9)


def test_contributions_that_do_not_add_up_are_not_written() -> None:
    told = replace(explanation(), total=explanation().total + 1e-6)
    with pytest.raises(ModelError, match=r"miss its output by 1\.0e-06"):
        attribution_observation(answer(), told)


def test_a_contribution_keeps_its_sign_and_cites_its_source_down_to_the_sentence() -> None:
    told = explanation("death", (0.44, -0.22, 0.31, 0.17))
    contributions = attribution_observation(answer(), told)["component"][1:-2]
    assert [each["valueQuantity"]["value"] for each in contributions] == [0.44, 0.31, -0.22, 0.17]
    assert [each["extension"][0]["valueReference"] for each in contributions] == [
        {"reference": "Observation/crp-9"},
        {"reference": "DocumentReference/n1", "display": "3"},
        {"reference": "Condition/c1"},
        {"reference": "ImagingStudy/i1", "display": "left lower zone"},
    ]


def test_a_driver_whose_source_is_no_resource_cites_none() -> None:
    never_measured = drivers_of((attribution(0, 0.44, ""),))
    told = replace(explanation("death", (0.44,)), drivers=never_measured)
    (contribution,) = attribution_observation(answer(), told)["component"][1:-2]
    assert "extension" not in contribution


def test_an_observation_is_derived_only_from_what_r4_lets_it_be() -> None:
    (observation, _) = of_kind("Observation", answer_resources(answer()))
    assert {each["reference"].partition("/")[0] for each in observation["derivedFrom"]} == {
        *("DocumentReference", "ImagingStudy", "Observation")
    }


def test_a_model_that_abstains_gives_its_reason_and_no_number() -> None:
    resources = answer_resources(abstention())
    assert [each["resourceType"] for each in resources] == ["Device", "RiskAssessment"]
    assessment = resources[1]
    assert assessment["status"] == "cancelled"
    assert assessment["note"][0]["text"] == "No risk is given: the film is blank"
    assert {"prediction", "basis"} & assessment.keys() == set()
    assert not re.search(r"probability|[0-9]%", json.dumps(assessment["note"]))
    assert replace(abstention(), explanations=(explanation(),)).cited == ()


def test_the_report_carries_the_page_and_points_at_what_explains_it() -> None:
    resources = answer_resources(answer())
    (report,) = of_kind("DiagnosticReport", resources)
    assert report["presentedForm"][0]["contentType"] == "text/html; charset=utf-8"
    observations = [f"Observation/{each['id']}" for each in of_kind("Observation", resources)]
    assert [each["reference"] for each in report["result"]] == observations
    assert report["imagingStudy"] == [{"reference": "ImagingStudy/i1"}]
    assert "conclusion" not in report


def test_everything_a_machine_said_is_labelled_and_nothing_is_final() -> None:
    for resource in answer_resources(answer()):
        assert resource["meta"]["security"] == [AI_ASSERTED]
        assert resource["status"] in ("preliminary", "active")


def test_equal_answers_are_equal_to_the_byte_whenever_they_are_made() -> None:
    assert json.dumps(answer_resources(answer())) == json.dumps(answer_resources(answer()))
    assert json.dumps(every_resource()) == json.dumps(every_resource())


subjects = st.sampled_from(["Patient/17", "Patient/1", "Patient/7"])
times = st.integers(0, 10_000_000).map(lambda ms: INDEX + timedelta(milliseconds=ms))
kinds = st.sampled_from([what for _, what in kinds_of(TASK)])
models = st.sampled_from(["ward-1", "ward-12", "ward-2"])


@given(*[st.tuples(subjects, times, models, kinds)] * 2)
def test_names_are_equal_only_for_the_same_patient_time_model_and_kind(one, other) -> None:
    names = [AnswerKey(*parts).fhir_id(kind) for *parts, kind in (one, other)]
    same = (dated(one[1]), *one[:1], *one[2:]) == (dated(other[1]), *other[:1], *other[2:])
    assert (names[0] == names[1]) == same
    assert all(re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", name) for name in names)


def test_a_name_does_not_depend_on_the_time_zone_or_on_microseconds() -> None:
    elsewhere = INDEX.astimezone(timezone(timedelta(hours=5, minutes=30)))
    keys = (
        AnswerKey("Patient/17", time, "m-1") for time in (INDEX, elsewhere, INDEX.replace(microsecond=123000))
    )
    assert len({key.fhir_id("risk") for key in keys}) == 1


def test_what_is_written_is_known_again_when_it_is_read() -> None:
    assert ANSWER == ANSWER_READ
    written = [each for each in answer_resources(answer()) if each["resourceType"] != "Device"]
    assert {each["identifier"][0]["system"] for each in written} == {ANSWER}


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("Observation/cr-1", "Observation/cr-1"),
        ("DocumentReference/n1#3", "DocumentReference/n1"),
        ("", None),
        ("table row 7", None),
        ("Observation/with space", None),
        ("https://fhir.example.org/Observation/1", None),
    ],
)
def test_only_a_source_that_is_a_fhir_reference_is_cited(source: str, named: str | None) -> None:
    assert cited_resource(source) == named


def test_the_value_of_a_quantity_is_not_written_as_a_risk() -> None:
    value = ExpectedValue("bilirubin", "mg/dL", 365.0, 1.2, 0.1, True, ())
    with pytest.raises(InputError, match="leave out --write-back"):
        replace(answer(), prediction=replace(prediction(), measured=value))


def test_a_class_at_the_index_is_a_risk_by_the_day_of_its_window() -> None:
    task = Task.from_statement(
        {
            "name": "films",
            "question": "Is the patient in intensive care?",
            "index": {"at": "study"},
            "outcome": {"kind": "state", "name": "intensive_care", "start_codes": ["encounter-start|ICU"]},
        },
        "tests",
    )
    at_once = {"intensive_care": np.array([0.4])}
    window = replace(prediction(), days=np.zeros(1), horizons_days=(0.0,), cumulative_incidence=at_once)
    told = replace(window, low={"intensive_care": np.array([0.3])}, high={"intensive_care": np.array([0.6])})
    given = replace(answer(), task=task, prediction=told, explanations=(explanation("intensive_care"),))
    (assessment,) = of_kind("RiskAssessment", answer_resources(given))
    (only,) = assessment["prediction"]
    assert (only["probabilityDecimal"], days_of(only)) == (40.0, 0.0)
    assert only["outcome"] == {"text": "intensive care"}
    assert [i for i in fhirkit.validate(json.dumps(assessment)) if i.severity in ("error", "fatal")] == []


def test_an_answer_without_sources_cites_none_and_a_model_without_an_id_gives_none() -> None:
    bare = replace(explanation(), attributions=(), drivers=(), total=-2.31)
    resources = answer_resources(replace(answer(), explanations=(bare,)))
    assert not [each for each in resources if {"basis", "derivedFrom", "imagingStudy"} & each.keys()]
    with pytest.raises(InputError, match="save it, and load it"):
        replace(answer(), model=replace(answer().model, model_id=""))


def test_what_fhir_does_not_know_is_not_written() -> None:
    with pytest.raises(MappingError, match="cannot be said in FHIR R4 at"):
        checked({"resourceType": "RiskAssessment", "id": "x", "status": "preliminary", "risk": 0.4})


def test_a_probability_that_is_not_finite_is_not_written() -> None:
    broken = prediction()
    broken.cumulative_incidence["death"][:] = float("nan")
    with pytest.raises(MappingError, match="not finite"):
        risk_assessment(replace(answer(), prediction=broken))
