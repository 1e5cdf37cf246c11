"""Splits keep patients whole; labels become arrays on bins of about equally many events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognosis.cohort import Cohort, cohort_target, held_out_rows, patient_folds
from prognosis.cohort.case import Case, ClassLabel, SurvivalLabel
from prognosis.cohort.target import event_quantile_edges, reference_class
from prognosis.errors import CohortError
from tests.cohort.builders import on, patient, task

COMPETING = {"kind": "time_to_event", "causes": {"a": ["s|a"], "b": ["s|b"]}, "horizons_days": [5]}
VALUE = {"kind": "value", "code": "s|x", "classes": {"0": "normal", "1": "mild", "2": "severe"}}


@given(
    patients=st.lists(st.integers(0, 40), min_size=1, max_size=120),
    folds=st.integers(2, 6),
    seed=st.integers(0, 5),
)
def test_every_case_of_a_patient_lands_in_one_fold_and_strata_are_balanced(
    patients: list[int], folds: int, seed: int
) -> None:
    names = np.array([f"p{number}" for number in patients])
    strata = np.array([number % 3 for number in patients])
    fold = patient_folds(names, strata, folds, seed)
    assert ((fold >= 0) & (fold < folds)).all()
    for name in set(names):
        assert len(set(fold[names == name])) == 1
    _, one = np.unique(names, return_index=True)
    for stratum in range(3):
        counts = np.bincount(fold[one][strata[one] == stratum], minlength=folds)
        assert counts.max() - counts.min() <= 1
    sizes = np.bincount(fold[one], minlength=folds)
    assert sizes.max() - sizes.min() <= 1


def test_a_patient_with_an_event_at_one_visit_counts_as_one_with_an_event() -> None:
    names = np.repeat([f"p{number}" for number in range(40)], 2)
    strata = np.tile([0, 1], 40)
    strata[40:] = 0
    fold = patient_folds(names, strata, 4, seed=0)
    with_event = fold[::2][:20]
    assert list(np.bincount(with_event)) == [5, 5, 5, 5]


def test_the_same_seed_splits_the_same_way() -> None:
    names, strata = np.arange(50).astype(str), np.zeros(50, dtype=np.int64)
    assert (patient_folds(names, strata, 5, 1) == patient_folds(names, strata, 5, 1)).all()
    assert (patient_folds(names, strata, 5, 1) != patient_folds(names, strata, 5, 2)).any()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_a_held_out_part_is_about_the_share_asked_for(share: float) -> None:
    names, strata = np.arange(1000).astype(str), (np.arange(1000) % 4 == 0).astype(np.int64)
    held = held_out_rows(names, strata, share, seed=0)
    assert held.mean() == pytest.approx(share, abs=0.01)
    if share:
        assert held[strata == 1].mean() == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("patients", [10, 34, 60])
def test_a_small_cohort_still_gives_about_the_share_asked_for(patients: int) -> None:
    names, strata = np.arange(patients).astype(str), np.zeros(patients, dtype=np.int64)
    held = held_out_rows(names, strata, 0.25, seed=0)
    assert held.mean() == pytest.approx(0.25, abs=0.05)


@given(
    days=st.lists(st.floats(0.01, 5000.0), min_size=2, max_size=60),
    bins=st.integers(1, 20),
)
def test_bin_edges_rise_from_zero_to_the_last_follow_up(days: list[float], bins: int) -> None:
    observed = np.array(days)
    edges = event_quantile_edges(observed, np.arange(len(days)) % 2 == 0, bins)
    assert edges[0] == 0.0
    assert edges[-1] == observed.max()
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= bins + 1


def test_each_bin_holds_about_as_many_events() -> None:
    days = np.random.default_rng(0).exponential(300.0, 1000)
    edges = event_quantile_edges(days, np.ones(1000, dtype=bool), 10)
    assert list(np.histogram(days, edges)[0]) == pytest.approx([100] * 10, abs=2)


def cohort(labels: list[SurvivalLabel | ClassLabel | None], **changes: object) -> Cohort:
    record = patient("p")
    cases = tuple(
        Case(replace(record, patient_id=str(row)), on(0), label) for row, label in enumerate(labels)
    )
    return Cohort(task(**changes), cases)


def test_causes_are_numbered_in_the_task_s_order_and_zero_is_censored() -> None:
    labels = [SurvivalLabel("b", 9.0), SurvivalLabel(None, 5.0), SurvivalLabel("a", 2.0)]
    target = cohort_target(cohort(labels, outcome=COMPETING), bins=2)
    assert target.causes == ("a", "b")
    assert list(target.cause) == [2, 0, 1]
    assert list(target.days) == [9.0, 5.0, 2.0]
    assert list(target.edges) == [0.0, 5.5, 9.0]
    assert list(target.bin_of()) == [1, 0, 0]
    assert (target.bins, target.survival, len(target)) == (2, True, 3)
    taken = target.take(np.array([True, False, True]))
    assert (list(taken.cause), list(taken.edges)) == ([2, 1], [0.0, 5.5, 9.0])


def test_an_event_exactly_on_an_edge_belongs_to_the_bin_that_ends_there() -> None:
    labels = [SurvivalLabel("a", days) for days in (1.0, 2.0, 3.0)]
    target = cohort_target(cohort(labels, outcome=COMPETING), edges=np.array([0.0, 1.0, 2.0]))
    assert list(target.bin_of()) == [0, 1, 1]


def test_classes_live_in_one_bin_and_the_first_named_is_the_reference() -> None:
    labels: list[SurvivalLabel | ClassLabel | None] = [
        ClassLabel(name) for name in ("normal", "severe", "mild")
    ]
    built = cohort(labels, outcome=VALUE)
    target = cohort_target(built)
    assert list(target.cause) == [0, 2, 1]
    assert list(target.edges) == [0.0, 1.0]
    assert not target.survival
    assert reference_class(built.task) == "normal"
    assert reference_class(task()) == "none"


@pytest.mark.parametrize(
    ("labels", "outcome", "problem"),
    [
        ([], COMPETING, "has no cases"),
        ([SurvivalLabel("a", 1.0), None], COMPETING, "without a label"),
        ([SurvivalLabel(None, 1.0)], COMPETING, "no event of any cause"),
        ([ClassLabel("normal")], VALUE, "no event of any cause"),
        ([ClassLabel("mild"), ClassLabel("severe")], VALUE, "no case of the reference class"),
        ([SurvivalLabel("a", 0.0), SurvivalLabel(None, 0.0)], COMPETING, "no follow-up"),
    ],
)
def test_a_cohort_that_cannot_be_learned_from_says_why(
    labels: list[SurvivalLabel | ClassLabel | None], outcome: dict[str, object], problem: str
) -> None:
    with pytest.raises(CohortError, match=problem):
        cohort_target(cohort(labels, outcome=outcome))


def test_a_trained_model_s_edges_are_taken_as_they_are_even_without_an_event() -> None:
    edges = np.array([0.0, 4.0, 8.0])
    target = cohort_target(cohort([SurvivalLabel(None, 99.0)], outcome=COMPETING), edges=edges)
    assert target.edges is edges
    assert list(target.bin_of()) == [1]
