"""A concept gathers codes and units into one feature, and says by name what it cannot read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prognosis.cohort import Task, build_cohort
from prognosis.cohort.code_uses import code_uses
from prognosis.cohort.concepts import CodedConcept, load_code_list, problem_of
from prognosis.cohort.lint import lint_cohort
from prognosis.errors import TaskError
from prognosis.record import Code, Event, PatientRecord
from prognosis.record.codes import CodeTable, is_among, overlap
from prognosis.record.units import Refusal, UnitChange
from tests.cohort import lint_plants as plants

LOINC = "http://loinc.org"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ROOT = Path(__file__).parents[2]
LISTS = sorted((ROOT / "configs" / "codes").glob("*.yaml"))
T = datetime(2020, 3, 1, tzinfo=UTC)
TASK = """
name: heart failure
question: When does heart failure come?
code_lists: [codes.yaml]
index: {at: event, codes: ["x|admitted"]}
outcome: {kind: time_to_event, causes: {heart failure: [concept|heart-failure]}, horizons_days: [30]}
exclusions: [{name: cancer before, codes: [concept|cancer, "x|cancer"]}]
"""
CODES = """
concepts:
  creatinine: {label: Creatinine, unit: umol/L, loinc: ["2160-0", "14682-9"]}
  heart-failure: {label: Heart failure, snomed: ["84114007"], icd10: ["I50*"]}
  cancer: {label: Cancer, icd10: ["C34*"]}
  statin: {label: Statin, rxnorm: ["83367"]}
"""


def written(folder: Path, codes: str = CODES, task: str = TASK) -> Path:
    (folder / "codes.yaml").write_text(codes)
    (folder / "task.yaml").write_text(task)
    return folder / "task.yaml"


def record(name: str, *events: Event, days: float = 90.0) -> PatientRecord:
    admitted = Event(T, Code("x", "admitted"))
    last = Event(T + timedelta(days=days), Code("x", "seen"))
    own = sorted((*events, admitted, last), key=lambda event: event.time)
    return PatientRecord(name, date(1950, 1, 1), "male", tuple(own))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_code_list_of_the_repository_loads(path: Path) -> None:
    for own in load_code_list(path).values():
        assert own.every_code
        for code in own.every_code:
            assert not own.unit or isinstance(own.change(own.unit, code), UnitChange)


def test_the_lists_of_the_repository_can_be_used_together() -> None:
    assert len(LISTS) >= 3
    every = [load_code_list(path) for path in LISTS]
    together = {name: own for each in every for name, own in each.items()}
    assert len(together) == sum(map(len, every))
    assert problem_of(together) == ""


BAD_LISTS = {
    "a code of two concepts": (
        'concepts: {a: {label: A, loinc: ["1-8"]}, b: {label: B, loinc: ["1-8"]}}',
        "listed twice, in a and in b",
    ),
    "a code of another's beginning": (
        'concepts: {a: {label: A, icd10: ["I50*"]}, b: {label: B, icd10: ["I50.1"]}}',
        "listed twice, in a and in b",
    ),
    "a beginning of another's beginning": (
        'concepts: {a: {label: A, icd10: ["I50*"]}, b: {label: B, icd10: ["I50.2*"]}}',
        "listed twice",
    ),
    "a concept without a code": ("concepts: {a: {label: A}}", "has no code"),
    "no concept": ("concepts: {}", "concepts"),
    "a beginning of a LOINC code": ('concepts: {a: {label: A, loinc: ["19*"]}}', "loinc"),
    "a unit that is not UCUM": ('concepts: {a: {label: A, unit: mmHg, loinc: ["1-8"]}}', "is not UCUM"),
    "urea by a mass that may be nitrogen's": (
        'concepts: {a: {label: A, unit: mg/dL, loinc: ["3094-0", "3091-6"]}}',
        "weigh different substances",
    ),
    "a field that is not one": ('concepts: {a: {label: A, loincs: ["1-8"]}}', "did you mean loinc"),
    "a factor of nothing": (
        'concepts: {a: {label: A, unit: U/L, other_units: {"[IU]/L": 0}, loinc: ["1-8"]}}',
        "other_units",
    ),
    "a factor without a unit": (
        'concepts: {a: {label: A, other_units: {"[IU]/L": 1}, loinc: ["1-8"]}}',
        "has other_units and no unit",
    ),
    "a factor of a number without a unit": (
        'concepts: {a: {label: A, unit: U/L, other_units: {"": 1}, loinc: ["1-8"]}}',
        "has no factor",
    ),
    "words": ("- just words", "not a mapping"),
    "no YAML": ("concepts: {", "not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_LISTS)
def test_a_code_list_is_refused_that_has(tmp_path: Path, name: str) -> None:
    content, problem = BAD_LISTS[name]
    with pytest.raises(TaskError, match=r".*codes\.yaml.*") as refused:
        Task.load(written(tmp_path, content))
    assert problem in str(refused.value)


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"absent\.yaml: cannot be read"):
        Task.load(written(tmp_path, task=TASK.replace("codes.yaml", "absent.yaml")))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("concept|heart-failure", "concept|heart-attack", "none of its code lists holds"),
        ("[codes.yaml]", "[codes.yaml, codes.yaml]", "two code lists hold"),
        ("[codes.yaml]", "codes.yaml", "not a list of files"),
        ("question:", "subgroup_codes: [concept|cancer]\nquestion:", "asks for codes"),
        ("question:", "concepts: [a]\nquestion:", "not a mapping of concepts"),
        ("question:", "concepts: {a: {label: A, loinc: [x]}}\nquestion:", r"concepts\.a"),
        ("question:", "concepts: {a: {label: A, icd10: [I50.1]}}\nquestion:", "listed twice"),
    ],
)
def test_a_task_that_names_concepts_wrongly_is_refused(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    with pytest.raises(TaskError, match=problem):
        Task.load(written(tmp_path, task=TASK.replace(old, new)))


STATED = """
name: states
question: "?"
concepts: {failing: {label: Failing, icd10: ["I50*"]}}
index: {at: event, codes: ["x|admitted"]}
outcome: OUTCOME
"""
OUTCOMES = {
    "{kind: state, name: s, start_codes: [concept|failing], end_codes: [x|end]}": {"x|end", f"{ICD}|I50.9"},
    "{kind: value, code: x|class, classes: {a: A, b: B}}": {"x|class"},
    "{kind: findings, findings: {f: {code: x|found, present: [a], absent: [b]}}}": {"x|found"},
    "{kind: measurement, name: m, codes: [x|m], unit: g, horizon_days: 9, window_days: 1}": {"x|m"},
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_any_kind_of_outcome_names_is_not_reported_as_left_aside(tmp_path: Path, outcome: str) -> None:
    task = Task.load(written(tmp_path, task=STATED.replace("OUTCOME", outcome)))
    codes = [*sorted(OUTCOMES[outcome]), "prognosis|index", "x|strange"]
    events = [Event(T, Code.parse(code)) for code in codes]
    assert [each.code for each in code_uses(task, [record("a", *events)]).unused] == ["x|seen", "x|strange"]


def test_a_concept_is_refused_where_one_code_is_asked_for(tmp_path: Path) -> None:
    outcome = "{kind: value, code: concept|failing, classes: {a: A, b: B}}"
    with pytest.raises(TaskError, match="asks for codes"):
        Task.load(written(tmp_path, task=STATED.replace("OUTCOME", outcome)))


def test_a_loaded_task_holds_its_concepts_and_needs_no_file_any_more(tmp_path: Path) -> None:
    task = Task.load(written(tmp_path))
    again = Task.from_statement(task.model_dump(mode="json"), "a model folder")
    assert again == task
    assert f"{ICD}|I50*" in task.excluded_codes


def test_a_concept_s_codes_are_outcome_and_exclusion_with_all_that_begin_so(tmp_path: Path) -> None:
    task = Task.load(written(tmp_path))
    later = T + timedelta(days=7)
    failing = record("a", Event(later, Code(ICD, "I50.22")))
    other = record("b", Event(later, Code(ICD, "I51.9")))
    ill = record("c", Event(T - timedelta(days=7), Code(ICD, "C34.1")))
    cohort = build_cohort(task, [failing, other, ill])
    assert [(case.patient, case.label.cause) for case in cohort.cases] == [  # type: ignore[union-attr]
        ("/a", "heart failure"),
        ("/b", None),
    ]
    assert cohort.exclusions == {"cancer before": 1}


def test_the_report_counts_patients_and_facts_of_what_is_left_aside(tmp_path: Path) -> None:
    task = Task.load(written(tmp_path))
    before = T - timedelta(days=1)
    values: list[tuple[str, float, str | None]] = [("2160-0", 1.0, "mg/dL"), ("14682-9", 90.0, "umol/L")]
    values += [("2160-0", 1.0, "mg"), ("2160-0", 1.0, "[IU]/L"), ("2160-0", 1.0, None)]
    measured = [Event(before, Code(LOINC, code), number, unit=unit) for code, number, unit in values]
    strange = [Event(before, Code("site", "b"), display=name) for name in ("B", "B", "b")]
    records = [record("a", *measured, *strange), record("b", *strange[:1], Event(before, Code("site", "a")))]
    uses = code_uses(task, records)
    assert (uses.codes_in_all, uses.gathered) == (6, 2)
    assert [(each.code, each.display, each.patients, each.facts) for each in uses.unused] == [
        ("site|b", "B", 2, 4),
        ("x|seen", "", 2, 2),
        ("site|a", "", 1, 1),
    ]
    assert [(each.unit, each.facts) for each in uses.unconverted] == [("", 1), ("[IU]/L", 1), ("mg", 1)]
    assert {(each.concept, each.wanted) for each in uses.unconverted} == {("creatinine", "umol/L")}
    assert code_uses(task, reversed(records)) == uses


def test_units_that_a_concept_converts_are_no_damage_and_those_it_cannot_are_told(tmp_path: Path) -> None:
    before = T - timedelta(days=1)

    def own(place: int) -> PatientRecord:
        unit = ("mg/dL", "umol/L", "mg")[place % 3]
        number = 1.0 + place / 100.0
        value = Event(before, Code(LOINC, "2160-0"), number * (88.42 if unit == "umol/L" else 1.0), unit=unit)
        return record(f"p{place}", value, days=90.0 + place)

    records = [own(place) for place in range(60)]

    def kinds(task: Task) -> dict[str, Any]:
        found = lint_cohort(build_cohort(task, records), records=records)
        return {each.kind: each for each in found if each.subject == f"{LOINC}|2160-0"}

    with_list = Task.load(written(tmp_path))
    told = kinds(with_list)
    assert told["unit cannot be converted"].numerator == 20
    assert told["unit cannot be converted"].level == "warns"
    assert not {"two units for one code", "mixed scales"} & set(told)
    without = Task.load(written(tmp_path, task=TASK.replace("[codes.yaml]", "[]").replace("concept|", "x|")))
    assert {"two units for one code", "mixed scales"} <= set(kinds(without))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_a_unit_that_cannot_be_converted_is_found_in_some_records_with_their_number(share: float) -> None:
    sodium = CodedConcept(label="Sodium", unit="mmol/L", loinc=("2951-2",))
    records = plants.clean()
    count = round(share * plants.CASES)
    for row in range(count):
        records[row] = plants.with_values(
            records[row], plants.SODIUM, lambda event: replace(event, unit="[IU]/L")
        )
    found = lint_cohort(plants.cohort_of(records, concepts={"sodium": sodium}))
    assert [(each.kind, each.numerator) for each in found] == [("unit cannot be converted", count)]
    milliequivalents = [
        plants.with_values(each, plants.SODIUM, lambda event: replace(event, unit="meq/L"))
        for each in plants.clean()[:count]
    ]
    mixed = plants.cohort_of([*milliequivalents, *plants.clean()[count:]], concepts={"sodium": sodium})
    assert lint_cohort(mixed) == ()


def test_a_factor_of_the_list_counts_where_no_conversion_is_known() -> None:
    enzyme = CodedConcept(label="ALT", unit="U/L", other_units={"[IU]/L": 1.0}, loinc=("1742-6",))
    code = f"{LOINC}|1742-6"
    assert enzyme.change("[IU]/L", code) == UnitChange(1.0)
    assert isinstance(enzyme.change("mg/L", code), Refusal)


def test_the_code_itself_comes_before_the_longest_beginning() -> None:
    table = CodeTable([("icd|I5*", 1), ("icd|I50*", 2), ("icd|I50.1", 3), ("icd|I50.1", 4)])
    asked = ("icd|I51", "icd|I50.2", "icd|I50.1", "icd|I4", "I50")
    assert [table.get(code) for code in asked] == [1, 2, 3, None, None]
    assert not CodeTable([])


def test_a_code_is_among_codes_by_itself_or_by_how_it_begins() -> None:
    assert is_among("icd|I50.1", ("icd|I50*",))
    assert is_among("icd|I50", frozenset({"icd|I50*"}))
    assert not is_among("family-history|icd|I50.1", ("icd|I50*",))
    assert overlap(["a|b", "a|c*", "a|d"]) is None
