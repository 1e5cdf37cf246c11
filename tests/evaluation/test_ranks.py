"""Ranks over data sets: exact p-values, Holm's correction, methods that did not run everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from prognosis.evaluation.ranks import holm, rank_methods, signed_rank_p


@pytest.mark.parametrize("n", [5, 9, 23])
def test_without_ties_the_p_value_is_scipys_exact_one(n: int) -> None:
    differences = np.random.default_rng(n).normal(0.4, 1.0, n)
    assert signed_rank_p(differences) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


def test_with_ties_and_zeros_the_p_value_counts_every_flip_of_signs() -> None:
    differences = np.array([1.0, 2.0, 2.0, -1.0, 0.0, 3.0])
    ranks = stats.rankdata(np.abs(differences))
    moving = np.flatnonzero(differences)
    flips = np.array(np.meshgrid(*[[-1.0, 1.0]] * len(moving))).reshape(len(moving), -1)
    sums = np.abs(ranks[moving] @ flips)
    seen = abs(float(ranks @ np.sign(differences)))
    assert signed_rank_p(differences) == pytest.approx(np.mean(sums >= seen - 1e-9))


def test_no_difference_at_all_is_no_evidence() -> None:
    assert signed_rank_p(np.zeros(6)) == 1.0


def test_five_wins_of_five_cannot_reach_one_in_twenty() -> None:
    assert signed_rank_p(np.ones(5)) == pytest.approx(2 / 2**5)


def test_holm_multiplies_the_smallest_by_all_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_a_correction_never_lowers_a_p_value_nor_changes_the_order(p_values: list[float]) -> None:
    found = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, found, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(found)[order]) >= 0).all()


def scores(data_sets: int, methods: dict[str, float]) -> dict[str, dict[str, float]]:
    """Each method's own level with a little noise."""
    rng = np.random.default_rng(0)
    return {
        f"set {number}": {name: level + rng.normal(0.0, 0.01) for name, level in methods.items()}
        for number in range(data_sets)
    }


def test_the_best_method_has_the_lowest_mean_rank_whichever_way_is_good() -> None:
    table = scores(8, {"good": 0.8, "middling": 0.7, "bad": 0.6})
    higher = rank_methods("c", table, "good", higher_is_better=True)
    lower = rank_methods("ibs", table, "good", higher_is_better=False)
    assert higher.mean_ranks == {"good": 1.0, "middling": 2.0, "bad": 3.0}
    assert lower.mean_ranks == {"good": 3.0, "middling": 2.0, "bad": 1.0}
    assert higher.friedman_p == pytest.approx(
        stats.friedmanchisquare(*[[row[name] for row in table.values()] for name in higher.mean_ranks]).pvalue
    )
    assert [(test.b, test.wins, test.losses) for test in higher.against_first] == [
        ("middling", 8, 0),
        ("bad", 8, 0),
    ]
    assert len(higher.pairs) == 3


def test_a_method_that_some_data_set_lacks_has_no_mean_rank_but_is_compared_where_both_ran() -> None:
    table = scores(8, {"ours": 0.8, "cox": 0.7, "fine_gray": 0.7})
    for place in list(table)[:2]:
        del table[place]["fine_gray"]
    found = rank_methods("c", table, "ours", higher_is_better=True)
    assert found.left_out == ("fine_gray",)
    assert set(found.mean_ranks) == {"ours", "cox"}
    shared = {test.b: test.data_sets for test in found.against_first}
    assert shared == {"cox": 8, "fine_gray": 6}


def test_fewer_than_five_shared_data_sets_are_not_tested() -> None:
    found = rank_methods("c", scores(4, {"ours": 0.8, "cox": 0.7}), "ours", higher_is_better=True)
    assert found.pairs == ()
    assert found.mean_ranks["ours"] == 1.0


def test_methods_that_tie_share_their_rank() -> None:
    table = {f"set {number}": {"a": 0.7, "b": 0.7, "c": 0.6} for number in range(5)}
    found = rank_methods("c", table, "a", higher_is_better=True)
    assert found.mean_ranks == {"a": 1.5, "b": 1.5, "c": 3.0}
    assert found.against_first[0].p_value == 1.0
