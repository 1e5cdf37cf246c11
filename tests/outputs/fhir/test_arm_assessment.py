"""An arm is a RiskAssessment of its own: its numbers, its reason where there is none, and no order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import fhirkit
import pytest

from prognosis.outputs.fhir import answer_resources, kinds_of
from prognosis.outputs.fhir.arm_assessment import WORTH, arm_assessments
from prognosis.outputs.fhir.elements import INTERVAL, Resource
from prognosis.outputs.treatment_words import amount
from tests.outputs.fhir.answers import abstention, answer
from tests.outputs.treatment import FEW, NEW, RARE, USUAL, comparison, refusal, response


def notes(resource: Resource) -> list[str]:
    return [each["text"] for each in resource["note"]]


def test_every_arm_has_a_resource_and_none_of_them_is_an_order() -> None:
    resources = answer_resources(replace(answer(), treatment=comparison()))
    assessments = [each for each in resources if each["resourceType"] == "RiskAssessment"]
    arms = [each for each in assessments if each["code"]["text"].startswith("If given ")]
    assert len(assessments) == len(arms) + 1
    assert [each["code"]["text"].split(":")[0] for each in arms] == [
        f"If given {name}" for name in (USUAL, NEW, RARE)
    ]
    kinds = {each["resourceType"] for each in resources}
    assert kinds == {"Device", "RiskAssessment", "Observation", "DiagnosticReport"}
    assert len({each["id"] for each in resources}) == len(resources)
    assert all(any("orders nothing" in note for note in notes(each)) for each in arms)


def test_an_arms_numbers_are_those_of_the_comparison() -> None:
    told = comparison()
    first = arm_assessments(replace(answer(), treatment=told))[1]
    worth, (risk,) = told.arms[1].worth, told.arms[1].risks
    assert worth is not None
    (predicted,) = first["prediction"]
    assert predicted["probabilityDecimal"] == pytest.approx(100 * risk.risk.value)
    start, end = (datetime.fromisoformat(predicted["whenPeriod"][each]) for each in ("start", "end"))
    assert (start - datetime.fromisoformat(first["occurrenceDateTime"])).days == told.starts_after_days
    assert (end - start).days == risk.days
    (extension,) = first["extension"]
    value, interval = extension["extension"]
    assert (extension["url"], interval["url"]) == (WORTH, INTERVAL)
    assert value["valueQuantity"] == {
        "value": worth.value,
        "unit": "days",
        "code": "d",
        "system": "http://unitsofmeasure.org",
    }
    assert interval["extension"][1]["valueRange"]["low"]["value"] == worth.low
    assert notes(first)[0] == f"{told.worth_is}: {amount(worth)}"
    assert any("neither is better supported" in note for note in notes(first))
    assert [each["reference"] for each in first["basis"]] == ["DocumentReference/n1", "Observation/crp-9"]


def test_an_arm_of_which_nothing_is_said_is_cancelled_with_the_reason_and_has_no_number() -> None:
    *_, rare = arm_assessments(replace(answer(), treatment=comparison()))
    assert rare["status"] == "cancelled"
    assert notes(rare)[0] == f"Nothing is said of {RARE}: {FEW.detail}"
    assert {"prediction", "extension", "basis"}.isdisjoint(rare)


def test_a_refusal_cancels_every_arm() -> None:
    for told in (answer(), abstention()):
        arms = arm_assessments(replace(told, treatment=refusal()))
        assert [each["status"] for each in arms] == ["cancelled"] * 3
        assert all("unlike everybody in the cohort" in notes(each)[0] for each in arms)
        assert all("prediction" not in each for each in arms)


def test_a_response_is_a_probability_without_a_period() -> None:
    first = arm_assessments(replace(answer(), treatment=response()))[0]
    (predicted,) = first["prediction"]
    assert (predicted["outcome"]["text"], predicted["probabilityDecimal"]) == ("improved", 40.0)
    assert "whenPeriod" not in predicted
    assert "extension" not in first


def test_arms_are_among_what_is_looked_for_and_withdrawn() -> None:
    given = replace(answer(), treatment=comparison())
    stated = given.task.model_dump(mode="json", exclude_none=True)
    stated["treatment"] = {
        "assignment": "observational",
        "arms": [{"name": name, "codes": [f"drug|{place}"]} for place, name in enumerate((USUAL, NEW, RARE))],
    }
    task = type(given.task).from_statement(stated, "tests")
    names = {given.key.fhir_id(what) for _, what in kinds_of(task)}
    assert {each["id"] for each in arm_assessments(given)} <= names


@pytest.mark.parametrize("told", [comparison(), response(), refusal()], ids=["days", "response", "refused"])
def test_every_arm_is_valid_fhir(told) -> None:
    for resource in arm_assessments(replace(answer(), treatment=told)):
        issues = fhirkit.validate(json.dumps(resource))
        assert [issue for issue in issues if issue.severity in ("error", "fatal")] == []
