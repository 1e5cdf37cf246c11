"""What changed since the visit before is a token of its own, and the time since entry is a fact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort import Case, Cohort, build_cohort, cohort_target
from prognosis.evidence.clinical import (
    ClinicalConfig,
    ClinicalEvidence,
    CodeRoles,
    TreeSettings,
    fit_clinical,
    load_clinical,
)
from prognosis.evidence.clinical.concepts import learn_vocabulary
from prognosis.evidence.clinical.fit import faded
from prognosis.evidence.clinical.preparation import learn_preparation
from prognosis.evidence.clinical.windows import Column, table_columns, window_table
from prognosis.evidence.token import FittedEvidence, Token
from tests.cohort.builders import DEATH, INDEX, event, patient, task
from tests.evidence.clinical.cohorts import case_of, laboratory

BILIRUBIN, SODIUM = "s|bilirubin", "s|sodium"
DAYS = [0, 100, 200]


def serial_cohort(patients: int = 150, seed: int = 0) -> Cohort:
    """Bilirubin may rise from one visit to the next, and who rises dies sooner; sodium is noise."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(patients):
        rises = rng.random() < 0.5
        death = rng.exponential(250.0 if rises else 1500.0)
        end = min(death, 600.0)
        level = rng.normal(20.0, 2.0)
        facts = [event(0, INDEX)]
        for day in range(0, int(end) + 1, 50):
            facts += [
                event(day, BILIRUBIN, float(level), "umol/L", "Bilirubin"),
                event(day, SODIUM, float(rng.normal(140.0, 2.0)), "mmol/L", "Sodium"),
            ]
            level += rng.normal(4.0 if rises else 0.0, 1.0)
        end_code = DEATH if death < 600.0 else "prognosis|follow-up-complete"
        records.append(patient(f"p{number:03d}", [*facts, event(end, end_code)]))
    return build_cohort(task(index={"at": "landmarks", "codes": [INDEX], "days": DAYS}), records)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return serial_cohort()


@pytest.fixture(scope="module")
def fitted(cohort: Cohort) -> FittedEvidence:
    folds = np.unique(cohort.patients, return_inverse=True)[1] % 3
    config = ClinicalConfig(trees=TreeSettings(rounds=20, patience=5))
    codes = CodeRoles(cohort.task.excluded_codes, cohort.task.index.entry_codes)
    return fit_clinical(cohort.cases, cohort_target(cohort), folds, config, 0, codes)


def token(model: ClinicalEvidence, case: Case, name: str) -> Token:
    return next(own for own in model.tokens(case) if own.name == name)


def test_a_change_is_the_difference_from_the_visit_before_over_the_days_between() -> None:
    case = case_of(
        [laboratory(10.0, 400.0), laboratory(16.0, 70.0), laboratory(22.0, 30.0), laboratory(19.0, 30.0)]
    )
    vocabulary = learn_vocabulary([case], frozenset(), 1, 20)
    place = next(n for n, own in enumerate(vocabulary.concepts) if own.code.endswith("1988-5"))
    table = window_table([case], vocabulary, [Column(place, "change", np.inf)])
    assert table.values[0, 0] == pytest.approx((19.0 - 16.0) / 40.0)  # of one time, the later in the record


def test_a_value_measured_once_has_no_change() -> None:
    case = case_of([laboratory(10.0, 5.0), laboratory(12.0, 5.0)])
    vocabulary = learn_vocabulary([case], frozenset(), 1, 20)
    place = next(n for n, own in enumerate(vocabulary.concepts) if own.code.endswith("1988-5"))
    assert np.isnan(window_table([case], vocabulary, [Column(place, "change", np.inf)]).values[0, 0])


def test_tokens_of_level_and_change_sum_to_the_evidence(fitted: FittedEvidence) -> None:
    cases = serial_cohort(20, seed=1).cases
    whole = fitted.model.summarise(cases)
    for row, case in enumerate(cases):
        tokens = fitted.model.tokens(case)
        np.testing.assert_allclose(sum(own.evidence for own in tokens), whole.evidence[row], atol=1e-7)
        np.testing.assert_allclose(sum(own.vector for own in tokens), whole.vector[row], atol=1e-7)


def test_a_rise_since_the_visit_before_is_a_token_that_raises_the_hazard(fitted: FittedEvidence) -> None:
    facts = [event(0, INDEX), event(0, BILIRUBIN, 20.0, "umol/L", "Bilirubin")]
    case = build_cohort(
        task(index={"at": "landmarks", "codes": [INDEX], "days": [80]}),
        [patient("new", [*facts, event(50, BILIRUBIN, 26.0, "umol/L", "Bilirubin"), event(99, DEATH)])],
    ).cases[0]
    moved = token(fitted.model, case, "Bilirubin, change since the visit before")
    assert moved.detail == "+6 umol/L in 50 days (from 20 on 2020-01-01)"
    assert moved.evidence[0].mean() > 0.05
    assert moved.age_days == 30.0
    assert not any(own.name.startswith("Sodium, change") for own in fitted.model.tokens(case))


def test_the_time_since_entry_is_a_fact_at_every_landmark(fitted: FittedEvidence, cohort: Cohort) -> None:
    case = next(case for case in cohort.cases if (case.index_time - cohort.cases[0].index_time).days == 200)
    assert token(fitted.model, case, "Time since entry").detail == "200 days"


def test_what_comes_after_a_landmark_changes_no_token(fitted: FittedEvidence, cohort: Cohort) -> None:
    case = cohort.cases[3]
    later = case.index_time.replace(year=case.index_time.year + 1)
    facts = tuple(
        own for own in (*case.record.events, event(300, BILIRUBIN, 900.0, "umol/L")) if own.time < later
    )
    longer = Case(type(case.record)(case.record.patient_id, events=facts), case.index_time)
    for own, other in zip(fitted.model.tokens(case), fitted.model.tokens(longer), strict=True):
        np.testing.assert_array_equal(own.evidence, other.evidence)


def test_a_model_read_back_still_knows_from_when_days_are_counted(
    fitted: FittedEvidence, cohort: Cohort, tmp_path: Path
) -> None:
    fitted.model.save(tmp_path)
    read = load_clinical(tmp_path)
    np.testing.assert_array_equal(
        read.summarise(cohort.cases[:9]).evidence, fitted.model.summarise(cohort.cases[:9]).evidence
    )


def test_a_change_fades_by_half_in_each_half_life_and_nothing_else_does() -> None:
    cases = []
    for number, age in enumerate((0.0, 90.0, 180.0, 45.0, 270.0, 30.0)):
        rise = 3.0 * (-1) ** number + number
        cases.append(
            case_of([laboratory(20.0 + number, 400.0), laboratory(20.0 + number + rise, age)], f"p{number}")
        )
    vocabulary = learn_vocabulary(cases, frozenset(), 1, 20)
    columns = table_columns(vocabulary, (365.0,))
    values = window_table(cases, vocabulary, columns).values
    lasting = learn_preparation(values, columns, 1, 0.999)
    fading = lasting.fading(90.0)
    before, after = (own.standardised(values, columns) for own in (lasting, fading))
    moves = np.array([columns[place].statistic in {"change", "slope"} for place in lasting.kept])
    assert moves.any()
    ages = np.array([0.0, 90.0, 180.0, 45.0, 270.0, 30.0])
    np.testing.assert_allclose(after[:, moves], before[:, moves] * 0.5 ** (ages[:, None] / 90.0))
    np.testing.assert_array_equal(after[:, ~moves], before[:, ~moves])


def test_the_half_life_is_that_by_which_cases_left_out_gain() -> None:
    def gains(days: float) -> float:
        return {np.inf: 0.0, 30.0: 2.0, 90.0: 5.0, 365.0: 0.5}[days]

    values = np.column_stack([np.arange(9.0), np.arange(9.0) % 4])
    columns = [Column(0, "change", np.inf), Column(0, "days_since", np.inf)]
    lasting = learn_preparation(values, columns, 1, 0.95)
    place = int(np.flatnonzero(lasting.since >= 0)[0])
    chosen = faded(lasting, (30.0, 90.0, 365.0), lambda own: gains(float(own.half_lives[place])))
    assert chosen.half_lives[place] == 90.0
    kept = faded(lasting, (365.0,), lambda own: gains(float(own.half_lives[place])))
    assert np.isinf(kept.half_lives).all()
