"""Two judges that no one here wrote find nothing wrong with what is written back, and find seeded faults."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.live.strict import judge_folder, judged
from tests.outputs.fhir.answers import every_resource

Resource = dict[str, Any]
Fault = tuple[str, str, Callable[[Resource], object]]


def first(resource: Resource) -> Resource:
    return resource["prediction"][0]


def ends(resource: Resource) -> Resource:
    return first(resource)["extension"][0]["extension"][1]["valueRange"]


FAULTS: tuple[Fault, ...] = (
    ("a status that R4 has not", "RiskAssessment", lambda r: r.update(status="draft")),
    ("no status", "Observation", lambda r: r.pop("status")),
    ("no patient", "RiskAssessment", lambda r: r.pop("subject")),
    ("more than a hundred percent", "RiskAssessment", lambda r: first(r).update(probabilityDecimal=140)),
    ("a probability in words", "RiskAssessment", lambda r: first(r).update(probabilityDecimal="0.4")),
    ("a range upside down", "RiskAssessment", lambda r: ends(r)["low"].update(value=9000)),
    ("a period upside down", "RiskAssessment", lambda r: first(r)["whenPeriod"].update(end="1999-01-01")),
    ("a code without a system", "RiskAssessment", lambda r: ends(r)["low"].pop("system")),
    ("a property that R4 has not", "RiskAssessment", lambda r: r.update(probability=0.4)),
    ("a probability and a range", "RiskAssessment", lambda r: first(r).update(probabilityRange={})),
    ("derived from a person", "Observation", lambda r: r["derivedFrom"][0].update(reference="Person/c1")),
    ("a study that is none", "DiagnosticReport", lambda r: r["imagingStudy"][0].update(reference="Device/x")),
    ("a day that is none", "Observation", lambda r: r.update(effectiveDateTime="2020-03-02 09:30")),
    ("a list of one as itself", "DiagnosticReport", lambda r: r.update(result=r["result"][0])),
    ("a reference to nothing", "Provenance", lambda r: r["target"][0].update(reference="nowhere at all")),
    ("nobody to answer for it", "Provenance", lambda r: r.pop("agent")),
    ("an action that R4 has not", "AuditEvent", lambda r: r.update(action="W")),
    ("a value beside its extensions", "RiskAssessment",
     lambda r: first(r)["extension"][0].update(valueDecimal=1)),
    ("a component's code on the whole", "Observation",
     lambda r: r["code"].update(coding=r["component"][0]["code"]["coding"])),
)  # fmt: skip


def test_nothing_is_wrong_with_any_resource_that_is_written() -> None:
    folder = judge_folder()
    resources = every_resource()
    found = judged(resources, folder)
    assert [problem for each in found.problems for problem in each] == []
    assert len(found.problems) == len(resources)
    assert found.evaluated > 500


def test_every_seeded_fault_is_found() -> None:
    folder = judge_folder()
    spoiled = []
    for _, kind, fault in FAULTS:
        resource = copy.deepcopy(next(each for each in every_resource() if each["resourceType"] == kind))
        fault(resource)
        spoiled.append(resource)
    found = judged(spoiled, folder).problems
    assert [name for (name, _, _), problems in zip(FAULTS, found, strict=True) if not problems] == []
