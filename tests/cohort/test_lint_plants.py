"""A planted defect of every kind is found, in 1, 5 or 20 of a hundred; the clean cohort is silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort import Case, ClassLabel, Cohort
from prognosis.cohort.lint import KINDS, lint_cohort
from prognosis.cohort.lint.finding import Thresholds
from prognosis.cohort.lint.images import duplicate_images, look_alike_patients
from prognosis.record import Note
from tests.cohort import lint_plants as plants
from tests.cohort.builders import DEATH, INDEX, event, on
from tests.cohort.lint_plants import CASES, clean, cohort_of, film, filmed, outcomes, with_column

DIED, DAYS = outcomes()


def kinds(cohort: Cohort) -> set[str]:
    return {finding.kind for finding in lint_cohort(cohort, now=plants.NOW)}


def test_a_clean_cohort_gives_no_finding_of_any_kind() -> None:
    records = clean()
    assert lint_cohort(cohort_of(records), records=records, now=plants.NOW) == ()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("kind", plants.IN_SOME)
def test_a_defect_in_some_records_is_found_with_their_number(kind: str, share: float) -> None:
    records = clean()
    rows = np.random.default_rng(3).choice(CASES, round(share * CASES), replace=False)
    for place, row in enumerate(rows):
        records[row] = plants.IN_SOME[kind](records[row], place)
    found = [f for f in lint_cohort(cohort_of(records)) if f.kind == kind]
    assert sum(finding.numerator for finding in found) == pytest.approx(len(rows), rel=0.5)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("kind", plants.ADDED)
def test_people_added_twice_are_found_with_their_number(kind: str, share: float) -> None:
    records = clean()
    count = round(share * CASES)
    added = [plants.ADDED[kind](record, row) for row, record in enumerate(records[:count])]
    if kind == "same image in two patients":
        records[:count] = [replace(r, studies=a.studies) for r, a in zip(records, added, strict=False)]
    (finding,) = (f for f in lint_cohort(cohort_of([*records, *added])) if f.kind == kind)
    assert finding.numerator == count


def shuffled(values: Sequence[object]) -> list[object]:
    order = np.random.default_rng(5).permutation(len(values))
    return [values[place] for place in order]


def column(values: Sequence[object], **changes: object) -> Callable[[bool], Cohort]:
    return lambda honest: with_column("s|x", shuffled(values) if honest else values, **changes)


NOISE = np.random.default_rng(2).normal(size=CASES)
STAY = np.minimum(np.round(np.random.default_rng(2).gamma(2.0, 60.0, CASES)), np.floor(DAYS)).tolist()
SELDOM = np.random.default_rng(2).uniform(size=CASES)
EARLY = DIED & (DAYS <= 365.0)
FAR = np.where(SELDOM < 0.02, 3.0 + 200.0 * SELDOM, 0.0)

COLUMNS: dict[str, Callable[[bool], Cohort]] = {
    "column predicts alone": column((-DAYS + 50.0 * NOISE).tolist()),
    "level settles the outcome": column(np.where(DIED & (SELDOM < 0.3), "a", "b").tolist()),
    "missingness predicts": column([None if d else 1.0 + n for d, n in zip(EARLY, NOISE, strict=True)]),
    "missingness goes with the outcome": column(
        [None if s < (0.7 if d else 0.2) else float(n) for d, s, n in zip(EARLY, SELDOM, NOISE, strict=True)]
    ),
    "bounded by the follow-up": column(STAY),
    "censoring depends on a column": column(np.where(DIED, -1200.0 * SELDOM, -DAYS).tolist()),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_leaking_column_is_found_and_the_same_column_shuffled_is_not(kind: str) -> None:
    assert kind in kinds(COLUMNS[kind](False))
    assert kinds(COLUMNS[kind](True)) == set()


@pytest.mark.parametrize("name", ["death", "surv2m", "dnr", "hday"])
def test_a_telling_name_is_found_whatever_its_values(name: str) -> None:
    found = kinds(with_column(f"s|{name}", NOISE.tolist()))
    assert found in ({"outcome-like name"}, {"another model's score"}, {"name tells the course"})


NAMES = {"outcome-like name", "another model's score", "name tells the course"}


def test_a_leak_of_a_cause_beyond_the_first_is_found() -> None:
    rng = np.random.default_rng(0)
    relapsed = rng.random(CASES) < 0.3
    records = [
        plants.with_events(r, event(float(day) / 2.0, "s|relapse")) if flag else r
        for r, flag, day in zip(clean(), relapsed, DAYS, strict=True)
    ]
    leak = [
        plants.with_events(r, event(-0.1, "s|x", -float(day))) for r, day in zip(records, DAYS, strict=True)
    ]
    (finding,) = (
        f for f in lint_cohort(cohort_of(leak, outcome=plants.COMPETING)) if f.kind == "column predicts alone"
    )
    assert "for death" in finding.problem or "for relapse" in finding.problem
    mark = [
        plants.with_events(r, event(-0.1, "s|x", "yes" if dead and not flag else "no"))
        for r, dead, flag in zip(records, DIED, relapsed, strict=True)
    ]
    found = [f for f in lint_cohort(cohort_of(mark, outcome=plants.COMPETING)) if "death" in f.problem]
    assert {"level settles the outcome"} <= {f.kind for f in found}


def test_words_that_only_the_dying_have_are_found_and_the_same_words_at_random_are_not() -> None:
    def noted(dead: Sequence[bool]) -> Cohort:
        return cohort_of(
            [
                replace(r, notes=(Note(on(-0.2), r.notes[0].text + (" Morphine started." if flag else "")),))
                for r, flag in zip(clean(), dead, strict=True)
            ]
        )

    found = [f for f in lint_cohort(noted(DIED.tolist())) if f.kind == "words tell the outcome"]
    assert {f.subject for f in found} == {"morphine", "started"}
    assert kinds(noted(np.random.default_rng(9).permutation(DIED).tolist())) == set()


def test_a_site_that_goes_with_the_outcome_is_told_and_a_site_at_random_is_not() -> None:
    def at(sick: np.ndarray) -> Cohort:
        sites = np.where(sick, "north", "south").tolist()
        return cohort_of([replace(r, site=site) for r, site in zip(clean(), sites, strict=True)])

    sick = DIED ^ (np.random.default_rng(2).random(CASES) < 0.05)
    assert "acquisition shortcut" in kinds(at(sick))
    assert kinds(at(np.random.default_rng(3).permutation(sick))) == set()


def test_a_film_under_another_name_size_brightness_or_negative_is_found_and_others_are_not() -> None:
    films = [film(seed) for seed in range(40)]
    assert kinds(filmed(films)) <= {"too few events"}
    for copy in (films[0], films[0] * 1.3 + 20.0, films[0][::2, ::2], 255.0 - films[0]):
        (finding,) = (f for f in lint_cohort(filmed([*films, copy])) if f.kind == "near-duplicate image")
        assert (finding.numerator, finding.denominator) == (2, 41)


def test_films_that_look_the_same_fail_where_a_split_or_two_classes_part_them() -> None:
    films = [film(seed) for seed in range(40)]
    twins = filmed([*films, films[0]])
    assert {KINDS[f.kind].fails for f in lint_cohort(twins) if "near-duplicate" in f.kind} == {False}
    first, second = twins.cases[0], twins.cases[40]
    parted = {first.patient: replace(first, part="train"), second.patient: replace(second, part="test")}
    classed = {
        first.patient: replace(first, label=ClassLabel("normal")),
        second.patient: replace(second, label=ClassLabel("pneumonia")),
    }
    for changed, kind in ((parted, "across the split"), (classed, "of another class")):
        cohort = Cohort(twins.task, tuple(changed.get(case.patient, case) for case in twins.cases))
        (finding,) = duplicate_images(cohort, Thresholds())
        assert finding.kind == f"near-duplicate image {kind}"
        assert KINDS[finding.kind].fails


def test_patients_whose_films_look_the_same_share_a_fold_and_no_others_do() -> None:
    films = [film(seed) for seed in range(20)]
    cohort = filmed([*films, films[3], 255.0 - films[3]])
    groups = look_alike_patients(cohort)
    assert len({groups[3], groups[20], groups[21]}) == 1
    assert len(set(groups)) == 20
    np.testing.assert_array_equal(look_alike_patients(filmed(films)), filmed(films).patients)


def test_a_film_that_cannot_be_opened_is_counted_and_one_without_contrast_resembles_nothing() -> None:
    blank = np.ones((30, 30))
    found = {f.kind: f for f in lint_cohort(filmed([*[film(s) for s in range(30)], None, blank, blank]))}
    assert found["image cannot be opened"].numerator == 1
    assert "near-duplicate image" not in found


def test_a_patient_in_training_and_test_is_found() -> None:
    cohort = cohort_of(clean())
    cases = tuple(replace(c, part="train" if row % 2 else "test") for row, c in enumerate(cohort.cases))
    assert "patient on both sides" not in kinds(Cohort(cohort.task, cases))
    again = replace(cases[1], part="test")
    assert "patient on both sides" in kinds(Cohort(cohort.task, (*cases, again)))


def test_the_same_case_twice_is_found_and_two_eyes_of_one_patient_are_not() -> None:
    cohort = cohort_of(clean())
    first = cohort.cases[0]
    assert "same question twice" in kinds(Cohort(cohort.task, (*cohort.cases, first)))
    other_eye = replace(first, record=plants.with_events(first.record, event(-0.1, "s|eye", "left")))
    assert "same question twice" not in kinds(Cohort(cohort.task, (*cohort.cases, other_eye)))


def test_a_case_that_knows_the_future_is_found_by_deleting_it() -> None:
    records = clean()
    cohort = cohort_of(records)

    def told(case: Case) -> Case:
        dead = case.label is not None and getattr(case.label, "cause", None) == "death"
        return replace(case, record=replace(case.record, sex="other" if dead else case.record.sex))

    leaky = Cohort(cohort.task, tuple(told(case) for case in cohort.cases))
    found = [f for f in lint_cohort(leaky, records=records) if f.kind == "changes when the future is deleted"]
    assert [(f.numerator, f.denominator) for f in found] == [(int(DIED.sum()), CASES)]


def test_the_last_of_several_visits_depends_on_the_future_and_the_first_does_not() -> None:
    records = [plants.with_events(r, event(-30.0, INDEX)) for r in clean()]
    last = {"at": "event", "codes": [INDEX], "occurrence": "last"}
    first = {"at": "event", "codes": [INDEX], "occurrence": "first"}
    assert "index depends on the future" in kinds(cohort_of(records, index=last))
    assert "index depends on the future" not in kinds(cohort_of(records, index=first))
    assert "index depends on the future" not in kinds(cohort_of(clean(), index=last))


def test_entry_that_waits_for_survival_is_found() -> None:
    assert "nobody has the event early" in kinds(cohort_of(clean(days=DAYS + 60.0)))
    months = np.ceil(DAYS / 30.4375) * 30.4375
    assert "nobody has the event early" not in kinds(cohort_of(clean(days=months)))


def test_a_horizon_beyond_the_follow_up_and_too_few_events_are_told() -> None:
    far = {"kind": "time_to_event", "causes": {"death": [DEATH]}, "horizons_days": [365, 1195]}
    (finding,) = (f for f in lint_cohort(cohort_of(clean(), outcome=far)))
    assert (finding.kind, finding.subject) == ("follow-up ends before the horizon", "1195 days")
    few = DIED & (np.cumsum(DIED) <= 9)
    assert kinds(cohort_of(clean(died=few))) == {"too few events"}


def test_cases_left_out_for_an_unknown_outcome_are_told_from_a_fifth_on() -> None:
    cohort = cohort_of(clean())
    cohort.exclusions["no follow-up after the index"] = 140
    assert kinds(cohort) == set()
    cohort.exclusions["no follow-up after the index"] = 160
    assert kinds(cohort) == {"outcome often unknown"}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("constant column", [7.0] * CASES),
        ("identifier as a column", list(range(1000, 1000 + CASES))),
        ("identifier as a column", [f"K{row * 7919 % 100_003}" for row in range(CASES)]),
        ("numbers written as text", [f"{value:.2f}" for value in NOISE]),
        (
            "value far from all others",
            np.exp(NOISE / 9.0 + FAR).tolist(),
        ),
    ],
)
def test_a_column_that_says_nothing_or_something_else_is_told(kind: str, values: Sequence[object]) -> None:
    assert kinds(with_column("s|x", values)) == {kind}


def test_a_column_recoded_under_another_name_is_told_once() -> None:
    code = {"I": "stage one", "II": "stage two", "III": "stage three"}
    stages = [next(e.text for e in r.events if str(e.code) == "s|stage") for r in clean()]
    found = lint_cohort(with_column("s|x", [code[str(stage)] for stage in stages]))
    assert [(f.kind, f.subject) for f in found] == [("same values in two columns", "s|x")]


def test_a_fact_from_after_the_index_in_a_case_is_found() -> None:
    cohort = cohort_of(clean())
    late = plants.with_events(cohort.cases[0].record, event(5, "s|x", 1.0))
    leaky = Cohort(cohort.task, (replace(cohort.cases[0], record=late), *cohort.cases[1:]))
    assert "known after the index" in kinds(leaky)


def test_every_kind_is_planted_here() -> None:
    told = {
        "known after the index", "changes when the future is deleted", "index depends on the future",
        "words tell the outcome", "acquisition shortcut", "permuted labels still predict",
        "patient on both sides", "near-duplicate image", "near-duplicate image across the split",
        "near-duplicate image of another class", "same question twice", "nobody has the event early",
        "follow-up ends before the horizon", "too few events", "outcome often unknown",
        "cause without any event", "unit cannot be converted",
        "numbers written as text", "value far from all others", "constant column", "identifier as a column",
        "same values in two columns", "image cannot be opened", "acceptance matches nothing",
        "level settles the arm", "too few in an arm", "draw contradicted", "code that no record has",
    }  # fmt: skip
    assert {*plants.IN_SOME, *plants.ADDED, *COLUMNS, *NAMES, *told} == set(KINDS)
    assert len(KINDS) >= 25


def test_the_page_about_the_lint_states_every_kind_and_whether_it_fails() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lint.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| ([^|]+?) \| (fails|warns) \|", page, flags=re.MULTILINE))
    assert stated == {name: "fails" if kind.fails else "warns" for name, kind in KINDS.items()}
