"""Findings are present, absent or not known, each by itself; nothing is guessed from silence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from prognosis.cohort import FindingsLabel, build_cohort, cohort_target, patient_folds
from prognosis.cohort.case import Unlabelled
from prognosis.cohort.labels import label_case
from prognosis.cohort.lint import lint_cohort
from prognosis.cohort.target import ABSENT, ONE_BIN, PRESENT, UNKNOWN, one_finding_each
from prognosis.errors import CohortError, TaskError
from prognosis.record import Event
from tests.cohort.builders import INDEX, event, on, patient, task
from tests.findings import FINDINGS, findings_task, planted

DIAGNOSIS = {
    "kind": "findings",
    "within_days": 2,
    "findings": {
        "pneumonia": {"code": "s|read", "present": ["pneumonia", "both"], "absent": ["clear", "effusion"]},
        "effusion": {"code": "s|read", "present": ["effusion", "both"], "absent": ["clear", "pneumonia"]},
        "tube": {"code": "s|tube", "present": ["1"], "absent": ["0"]},
    },
}


def states(events: Sequence[Event]) -> tuple[bool | None, ...]:
    found = label_case(task(outcome=DIAGNOSIS).outcome, patient("p", events), on(0))
    if isinstance(found, Unlabelled):
        return (None, None, None)
    assert isinstance(found, FindingsLabel)
    return tuple(found.state(name) for name in DIAGNOSIS["findings"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([event(0, "s|read", "both"), event(1, "s|tube", 0.0)], (True, True, False)),
        ([event(0, "s|read", "effusion")], (False, True, None)),
        ([event(0, "s|read", "unclear"), event(0, "s|tube", 1.0)], (None, None, True)),
        ([event(0, "s|tube", 2.0), event(0, "s|read", "clear")], (False, False, None)),
        ([event(1, "s|tube", 0.0), event(2, "s|tube", 1.0)], (None, None, False)),
        (
            [event(1, "s|tube", 0.0), event(1, "s|tube", 1.0), event(0, "s|read", "clear")],
            (False, False, None),
        ),
        (
            [event(-1, "s|tube", 1.0), event(3, "s|read", "both"), event(0, "s|read", "clear")],
            (False, False, None),
        ),
        ([event(0, "s|tube")], (None, None, None)),
    ],
    ids=[
        "all",
        "silence",
        "unnamed text",
        "unnamed number",
        "the first",
        "two at once",
        "outside",
        "no value",
    ],
)
def test_a_finding_is_what_the_first_event_of_its_code_says(
    events: list[Event], expected: tuple[bool | None, ...]
) -> None:
    assert states(events) == expected


def test_a_case_of_which_no_finding_is_known_is_left_out_and_counted() -> None:
    records = [
        patient("a", [event(0, INDEX), event(0, "s|tube", 1.0)]),
        patient("b", [event(0, INDEX), event(9, "s|tube", 1.0)]),
    ]
    cohort = build_cohort(task(outcome=DIAGNOSIS), records)
    assert [case.record.patient_id for case in cohort.cases] == ["a"]
    assert dict(cohort.exclusions) == {"outcome unknown: no finding is stated": 1}


@pytest.mark.parametrize(
    ("findings", "problem"),
    [
        ({}, "at least 1 item"),
        ({"a": {"code": "s|1", "present": ["1"]}}, "outcome.findings.a.absent is needed"),
        ({"a": {"code": "s|1", "present": ["1"], "absent": []}}, "at least 1 item"),
        ({"a": {"code": "s|1", "present": ["1", "2"], "absent": ["2"]}}, "value 2 means present and absent"),
        ({"a": {"code": "s|1", "present": [True], "absent": ["0"]}}, "valid string"),
        ({"a": {"code": "s|1", "present": ["1"], "absent": ["0"], "else": ["2"]}}, "is not a field"),
    ],
)
def test_a_task_that_does_not_say_what_a_finding_is_is_refused(
    findings: dict[str, object], problem: str
) -> None:
    with pytest.raises(TaskError, match=problem):
        task(outcome={"kind": "findings", "findings": findings})


def test_findings_have_no_reference_and_their_codes_are_never_evidence() -> None:
    asked = findings_task()
    assert (asked.causes, asked.questions, asked.is_survival) == (FINDINGS, 3, False)
    assert asked.excluded_codes == {f"finding|{name}" for name in FINDINGS}
    assert asked.horizons_days == (1.0,)
    assert task().questions == 1


def test_the_target_of_findings_marks_each_and_is_stratified_by_the_rarest() -> None:
    known = planted(300)
    cohort = known.cohort()
    target = cohort_target(cohort)
    marks = np.where(known.known, np.where(known.present, PRESENT, ABSENT), UNKNOWN)
    marks = marks[(marks != UNKNOWN).any(axis=1)]
    np.testing.assert_array_equal(target.marks, marks)
    np.testing.assert_array_equal(target.answered, marks != UNKNOWN)
    np.testing.assert_array_equal(target.cause > 0, target.happened.any(axis=1))
    rarest = int(target.happened.sum(axis=0).argmin())
    assert (target.cause[target.happened[:, rarest]] == rarest + 1).all()
    fold = patient_folds(cohort.patients, target.cause, 5, seed=0)
    held = [int(target.happened[fold == number, rarest].sum()) for number in range(5)]
    assert max(held) - min(held) <= 1
    taken = target.take(np.arange(300) < 7)
    np.testing.assert_array_equal(taken.marks, marks[:7])


@pytest.mark.parametrize(("value", "problem"), [(True, "in every case"), (False, "in no case")])
def test_a_finding_that_everybody_or_nobody_has_is_refused_with_the_count(
    *, value: bool, problem: str
) -> None:
    records = [
        patient(f"p{row}", [event(0, INDEX), event(0, "finding|oedema", float(value)), other])
        for row, other in enumerate([event(0, "finding|nodule", 0.0), event(0, "finding|nodule", 1.0)])
    ]
    cohort = build_cohort(findings_task(("oedema", "nodule")), records)
    with pytest.raises(CohortError, match=f"oedema is present {problem} of the 2 that it is known of"):
        cohort_target(cohort)
    assert cohort_target(cohort, edges=ONE_BIN).happened[:, 0].all() == value  # a fold to be judged may be so
    few = {f.subject: f.numerator for f in lint_cohort(cohort) if f.kind == "too few events"}
    assert few == {"oedema": 2 * value, "no oedema": 2 - 2 * value, "nodule": 1, "no nodule": 1}


def test_one_finding_at_a_time_holds_only_the_cases_that_it_is_known_of() -> None:
    known = planted(80)
    parts = one_finding_each(known.cohort())
    assert [part.task.causes for part in parts] == [(name,) for name in FINDINGS]
    assert [len(part) for part in parts] == known.known.sum(axis=0).tolist()
    death = build_cohort(task(), [patient("p", [event(0, INDEX), event(4, "MEDS|MEDS_DEATH")])])
    assert one_finding_each(death) == (death,)


def test_a_column_that_tells_one_of_several_findings_is_told() -> None:
    records = []
    for row, record in enumerate(planted(60, seed=1).records):
        nodule = any(str(e.code) == "finding|nodule" and e.number == 1.0 for e in record.events)
        scan = event(0, "s|biopsy", 1.0 if nodule else float(row % 7) / 10.0)
        records.append(patient(record.patient_id, [*record.events, scan]))
    told = [f for f in lint_cohort(build_cohort(findings_task(), records)) if f.subject == "s|biopsy"]
    assert [f.kind for f in told] == ["column predicts alone"]
    assert "for nodule" in told[0].problem
