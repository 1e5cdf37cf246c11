"""The leakage lint finds what was planted, and is silent where nothing was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.cohort import Cohort, build_cohort
from prognosis.cohort.lint import KINDS, Finding, Thresholds, lint_cohort
from prognosis.cohort.lint.names import plain_name
from tests.cohort.builders import INDEX, event, patient, survival_cohort, task

CLASSES = {"kind": "value", "code": "s|x", "classes": {"0": "normal", "1": "ill"}, "within_days": 2}


def failing(cohort: Cohort, *limits: Thresholds) -> tuple[Finding, ...]:
    return tuple(finding for finding in lint_cohort(cohort, *limits) if finding.fails)


def found(cohort: Cohort, kind: str) -> list[Finding]:
    return [finding for finding in lint_cohort(cohort) if finding.kind == kind]


def subjects(cohort: Cohort, kind: str) -> list[str]:
    return [finding.subject for finding in found(cohort, kind)]


def outcomes(cases: int = 200, seed: int = 0) -> tuple[list[bool], list[float]]:
    rng = np.random.default_rng(seed)
    return (rng.random(cases) < 0.4).tolist(), rng.uniform(5.0, 900.0, cases).tolist()


def test_noise_and_honest_predictors_are_not_reported() -> None:
    died, days = outcomes()
    rng = np.random.default_rng(1)
    columns = {
        "http://loinc.org|1988-5": (rng.normal(50, 9, 200) + 20 * np.array(died)).tolist(),
        "s|stage": rng.choice(["I", "II", "III"], 200).tolist(),
        "s|flag": rng.integers(0, 2, 200).tolist(),
        "s|seldom": [1.0 if draw < 0.5 else None for draw in rng.random(200)],
        "s|free text": [f"remark {row}" for row in range(200)],
    }
    assert failing(survival_cohort(columns, died, days)) == ()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_number_that_orders_patients_by_their_outcome_is_found_in_either_direction(sign: float) -> None:
    died, days = outcomes()
    leak = [sign * (1000.0 - day if dead else -day) for dead, day in zip(died, days, strict=True)]
    (finding,) = failing(survival_cohort({"s|number": leak}, died, days))
    assert (finding.kind, finding.subject) == ("column predicts alone", "s|number")
    assert (finding.numerator, finding.denominator) == (sum(died), 200)
    assert "concordance of" in finding.problem


def test_a_text_written_after_the_outcome_is_found_by_its_order_and_by_its_levels() -> None:
    died, _ = outcomes(400)
    days = [50.0 if dead else 900.0 for dead in died]
    chapter = ["Circulatory" if dead else "missing" for dead in died]
    cohort = survival_cohort({"s|chapter": chapter}, died, days)
    assert subjects(cohort, "column predicts alone") == ["s|chapter"]
    levels = found(cohort, "level settles the outcome")
    assert [(level.subject, level.numerator) for level in levels] == [
        ("s|chapter = Circulatory", sum(died)),
        ("s|chapter = missing", 0),
    ]


def test_a_class_is_judged_by_its_area_under_the_curve() -> None:
    records = [
        patient(
            f"p{row}", [event(0, INDEX), event(0, "s|n", row / 100 + row % 2), event(1, "s|x", str(row % 2))]
        )
        for row in range(80)
    ]
    (finding,) = failing(build_cohort(task(outcome=CLASSES), records))
    assert finding.kind == "column predicts alone"
    assert "AUROC of" in finding.problem


def test_a_level_in_which_nobody_of_a_class_is_ill_is_found() -> None:
    records = [
        patient(
            f"p{row}",
            [event(0, INDEX), event(0, "s|flag", row % 4 // 2), event(1, "s|x", str(int(row % 4 == 3)))],
        )
        for row in range(160)
    ]
    cohort = build_cohort(task(outcome=CLASSES), records)
    assert subjects(cohort, "level settles the outcome") == ["s|flag = 0"]


def test_a_diagnosis_that_only_the_dying_get_is_found_by_being_recorded_at_all() -> None:
    died, days = outcomes()
    rows = [event(0, "s|mark") if dead else None for dead in died]
    cohort = survival_cohort({}, died, days)
    cases = tuple(
        replace(case, record=replace(case.record, events=(*case.record.events, mark))) if mark else case
        for case, mark in zip(cohort.cases, rows, strict=True)
    )
    marked = Cohort(cohort.task, cases)
    assert subjects(marked, "missingness predicts") == ["s|mark"]
    assert subjects(marked, "level settles the outcome") == ["s|mark = recorded"]


def test_a_test_ordered_only_for_survivors_is_found_by_its_absence() -> None:
    died, days = outcomes()
    rng = np.random.default_rng(0)
    values = [None if dead else float(value) for dead, value in zip(died, rng.normal(size=200), strict=True)]
    (finding,) = failing(survival_cohort({"s|walk": values}, died, days))
    assert (finding.kind, finding.subject) == ("missingness predicts", "s|walk")


def test_a_level_of_people_followed_for_a_day_is_no_leak_though_none_had_the_event() -> None:
    died, days = outcomes(400)
    fresh = np.arange(400) % 4 == 0
    died = [dead and not new for dead, new in zip(died, fresh, strict=True)]
    days = [1.0 if new else day for day, new in zip(days, fresh, strict=True)]
    site = ["new" if new else "old" for new in fresh]
    assert found(survival_cohort({"s|site": site}, died, days), "level settles the outcome") == []


def test_few_cases_are_no_evidence() -> None:
    died, days = outcomes(19)
    assert failing(survival_cohort({"s|n": [float(dead) for dead in died]}, died, days)) == ()
    died = [row < 5 for row in range(60)]
    assert found(survival_cohort({"s|n": [float(d) for d in died]}, died), "column predicts alone") == []


def test_levels_are_no_news_when_nearly_everyone_has_the_event() -> None:
    died = [row % 30 != 0 for row in range(120)]
    level = ["a" if row % 2 else "b" for row in range(120)]
    assert found(survival_cohort({"s|level": level}, died), "level settles the outcome") == []


@pytest.mark.parametrize("dead", [True, False])
def test_rules_about_prediction_are_silent_when_the_outcome_does_not_vary(dead: bool) -> None:
    column = {"s|n": [float(row * 7 % 60) for row in range(60)]}
    assert failing(survival_cohort(column, [dead] * 60)) == ()


def test_unlabelled_cases_are_judged_by_their_names_and_values_only() -> None:
    died, days = outcomes()
    cohort = survival_cohort({"s|n": [1000.0 * d for d in died], "s|outcome": days}, died, days)
    blind = Cohort(cohort.task, tuple(replace(case, label=None) for case in cohort.cases))
    assert {finding.kind for finding in failing(blind)} == {"outcome-like name"}
    half = Cohort(cohort.task, (*blind.cases[:5], *cohort.cases[5:]))
    (level, *_) = found(half, "level settles the outcome")
    assert level.subject == "s|n = 0"
    assert level.denominator == 195 - sum(died[5:])


def test_missingness_is_not_judged_when_every_event_lies_beyond_the_last_horizon() -> None:
    died = [row % 3 == 0 for row in range(120)]
    values = [1.0 if row % 2 else None for row in range(120)]
    cohort = survival_cohort({"s|n": values}, died, [800.0] * 120)
    assert found(cohort, "missingness predicts") == []


def test_people_who_cannot_be_compared_give_no_concordance() -> None:
    died = [row % 2 == 0 for row in range(60)]
    days = [100.0 if dead else 5.0 for dead in died]
    assert found(survival_cohort({"s|n": list(range(60))}, died, days), "column predicts alone") == []


def test_the_last_value_of_a_code_counts() -> None:
    record = patient(
        "a", [event(-2, "s|state", "well"), event(-1, "s|state", "died"), event(0, INDEX), event(9, "s|1")]
    )
    (finding,) = found(build_cohort(task(), [record]), "outcome-like value")
    assert (finding.subject, finding.numerator, finding.denominator) == ("s|state = died", 1, 1)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("death", "outcome-like name"),
        ("hospital_death", "outcome-like name"),
        ("DIED", "outcome-like name"),
        ("dischargeDisposition", "outcome-like name"),
        ("status", "outcome-like name"),
        ("fac_status", "outcome-like name"),
        ("vital status", "outcome-like name"),
        ("follow-up time", "outcome-like name"),
        ("last_follow_up_date", "outcome-like name"),
        ("survival", "outcome-like name"),
        ("30-day mortality", "outcome-like name"),
        ("cause of death", "outcome-like name"),
        ("num_surv2m", "another model's score"),
        ("apache_ii", "another model's score"),
        ("SOFA", "another model's score"),
        ("risk_score", "another model's score"),
        ("predicted_los", "another model's score"),
        ("predicted probability", "another model's score"),
        ("fac_dnr", "name tells the course"),
        ("num_hday", "name tells the course"),
        ("LOS", "name tells the course"),
        ("length-of-stay", "name tells the course"),
        ("icu_days", "name tells the course"),
    ],
)
def test_a_name_that_gives_the_answer_away_is_found(name: str, kind: str) -> None:
    records = [patient("a", [event(0, INDEX), event(0, f"s|{name}", 1.0), event(9, "s|1")])]
    assert [(f.kind, f.subject) for f in failing(build_cohort(task(), records))] == [(kind, f"s|{name}")]


@pytest.mark.parametrize(
    "name",
    [
        "Tobacco smoking status",
        "Marital status",
        "status asthmaticus",
        "Follow-up encounter",
        "dead space",
        "Family history of sudden death",
        "fetal death",
        "progrec",
        "diagtime",
        "surveillance colonoscopy",
        "predictor of nothing",
        "gas expired",
        "nasal discharge",
        "calcium loss",
        "karno",
        "pnodes",
    ],
)
def test_a_harmless_name_is_left_alone(name: str) -> None:
    facts = [event(0, INDEX), event(0, f"s|{name}", 1.0), event(0, "s|9", 1.0, name=name), event(9, "s|1")]
    assert failing(build_cohort(task(), [patient("a", facts)])) == ()


def test_a_name_for_people_is_read_as_well_as_the_code() -> None:
    facts = [event(0, INDEX), event(0, "http://snomed.info/sct|419099009", name="Dead"), event(9, "s|1")]
    assert subjects(build_cohort(task(), [patient("a", facts)]), "outcome-like name") == [
        "http://snomed.info/sct|419099009"
    ]


def test_codes_that_no_evidence_reads_are_passed_over() -> None:
    facts = [
        event(0, INDEX),
        event(0, "outcome|death"),
        event(0, "prognosis|part", "died"),
        event(0, "s|outcome", -5.0, "mg/L"),
    ]
    screened = task(screening={"exclude_codes": ["s|outcome"]})
    assert failing(build_cohort(screened, [patient("a", [*facts, event(9, "s|1")])])) == ()


def test_names_in_different_spellings_are_one() -> None:
    assert {plain_name(text) for text in ("dischargeStatus", "DISCHARGE_STATUS", " discharge-status ")} == {
        "discharge status"
    }


def test_a_long_free_text_is_not_read_level_by_level() -> None:
    texts = [f"remark {row}: survived" for row in range(60)]
    died = [row % 2 == 0 for row in range(60)]
    assert found(survival_cohort({"s|remark": texts}, died), "outcome-like value") == []


def test_a_finding_is_plain_json() -> None:
    finding = Finding("missingness predicts", "s|1", "problem", 1, 2)
    stated = finding.to_json()
    assert stated.pop("remedy") == KINDS["missingness predicts"].remedy
    assert stated == {
        "level": "fails",
        "kind": "missingness predicts",
        "subject": "s|1",
        "problem": "problem",
        "numerator": 1,
        "denominator": 2,
        "accepted_because": "",
    }


def test_limits_are_the_caller_s_to_move() -> None:
    died, days = outcomes()
    noise = np.random.default_rng(3).normal(0.0, 1.0, len(died))
    cohort = survival_cohort({"s|n": (noise + 1.5 * np.array(died)).tolist()}, died, days)
    assert failing(cohort) == ()
    assert len(failing(cohort, Thresholds(concordance=0.6))) == 1


def test_fifty_columns_of_noise_over_a_thousand_cases_give_no_finding() -> None:
    rng = np.random.default_rng(0)
    cases, columns = 1000, 50
    values = rng.normal(size=(cases, columns))
    died = (rng.random(cases) < 0.3).tolist()
    table = {f"s|{column}": values[:, column].tolist() for column in range(columns)}
    assert lint_cohort(survival_cohort(table, died, rng.uniform(1, 900, cases).tolist())) == ()
