"""Shapley values by look-up are those of the shap package, of XGBoost and of all coalitions."""

from __future__ import annotations

import warnings
from itertools import chain, combinations
from math import factorial

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from prognosis.errors import ConfigError
from prognosis.evidence.clinical import tree_shapley
from prognosis.evidence.clinical.tree_shapley import InterventionalTables, PathTables
from prognosis.evidence.clinical.tree_tables import LeafTable, leaf_table
from tests.evidence.clinical.grown import grown


def _single(raw: np.ndarray) -> np.ndarray:
    return raw.astype(np.float32).astype(float)


def _shap():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("shap")


@pytest.mark.parametrize("depth", [1, 2, 4, 6, 9])
def test_path_dependent_values_equal_those_of_xgboost_and_of_the_shap_package(depth: int) -> None:
    own, raw = grown("survival:cox", depth, columns=12)
    ours = PathTables.prepare(own.leaves, 12).values(raw)
    theirs = own.booster.predict(xgboost.DMatrix(raw), pred_contribs=True)[:, :-1]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    explainer = _shap().TreeExplainer(own.booster, feature_perturbation="tree_path_dependent")
    np.testing.assert_allclose(ours, explainer.shap_values(raw, check_additivity=False), atol=1e-5)


@pytest.mark.parametrize("depth", [1, 2, 4, 6, 9])
def test_interventional_values_equal_those_of_the_shap_package(depth: int) -> None:
    own, raw = grown("survival:cox", depth, columns=12)
    background, cases = raw[:60], raw[60:]
    ours = InterventionalTables.prepare(own.leaves, background).values(cases)
    explainer = _shap().TreeExplainer(
        own.booster, data=_single(background), feature_perturbation="interventional"
    )
    theirs = explainer.shap_values(_single(cases), check_additivity=False)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("depth", [2, 6])
def test_values_of_both_forms_add_up_to_the_margin_less_what_is_expected(depth: int) -> None:
    own, raw = grown("survival:cox", depth)
    for made in (PathTables.prepare(own.leaves, 6), InterventionalTables.prepare(own.leaves, raw[:60])):
        expected = own.leaves.margin(raw) - made.expected
        np.testing.assert_allclose(made.values(raw).sum(axis=1), expected, atol=1e-12)


def _over_coalitions(game, players: int) -> np.ndarray:
    """Shapley values by their definition, from the value of each of the 2^players coalitions."""
    out = np.zeros(players)
    for player in range(players):
        others = [other for other in range(players) if other != player]
        for coalition in chain.from_iterable(combinations(others, size) for size in range(players)):
            weight = factorial(len(coalition)) * factorial(players - 1 - len(coalition)) / factorial(players)
            out[player] += weight * (game({*coalition, player}) - game({*coalition}))
    return out


def test_interventional_values_are_the_shapley_values_over_all_coalitions() -> None:
    own, raw = grown("survival:cox", 3, rounds=5, columns=4)
    background, case = raw[:20], raw[50]

    def game(known: set[int]) -> float:
        mixed = background.copy()
        mixed[:, sorted(known)] = case[sorted(known)]
        return float(own.leaves.margin(mixed).mean())

    ours = InterventionalTables.prepare(own.leaves, background).values(case[None])[0]
    np.testing.assert_allclose(ours, _over_coalitions(game, 4), atol=1e-12)


def test_path_dependent_values_are_the_shapley_values_over_all_coalitions() -> None:
    own, raw = grown("survival:cox", 3, rounds=5, columns=4)
    table, case = own.leaves, raw[50]
    values = _single(case)[table.feature]
    met = ((values >= table.low) & (values < table.high)) | (np.isnan(values) & table.missing)

    def game(known: set[int]) -> float:
        share = np.where(np.isin(table.feature, sorted(known)), met, table.cover)
        return float(table.value @ share.prod(axis=1))

    ours = PathTables.prepare(table, 4).values(case[None])[0]
    np.testing.assert_allclose(ours, _over_coalitions(game, 4), atol=1e-12)


def test_trees_of_one_leaf_give_nobody_a_share() -> None:
    leaf = {
        "left_children": [-1],
        "right_children": [-1],
        "split_indices": [0],
        "split_conditions": [0.75],
        "default_left": [0],
        "sum_hessian": [3.0],
    }
    table, raw = leaf_table([leaf, leaf]), np.array([[0.0, np.nan], [1.0, 2.0]])
    for made in (PathTables.prepare(table, 2), InterventionalTables.prepare(table, raw)):
        assert made.expected == 1.5
        np.testing.assert_array_equal(made.values(raw), np.zeros((2, 2)))


def test_no_trees_give_nobody_a_share() -> None:
    made = PathTables.prepare(leaf_table([]), 3)
    assert made.expected == 0.0
    np.testing.assert_array_equal(made.values(np.zeros((2, 3))), np.zeros((2, 3)))


def test_a_row_that_is_its_own_background_has_no_values() -> None:
    own, raw = grown("survival:cox", 4)
    made = InterventionalTables.prepare(own.leaves, raw[:1])
    np.testing.assert_array_equal(made.values(raw[:1]), np.zeros((1, 6)))


def test_many_rows_have_the_values_that_each_has_alone() -> None:
    own, raw = grown("survival:cox", 4)
    made = PathTables.prepare(own.leaves, 6)
    many = np.tile(raw, (5, 1))
    np.testing.assert_array_equal(made.values(many), np.tile(made.values(raw), (5, 1)))


def test_tables_too_large_to_keep_are_built_anew_with_the_same_values(monkeypatch) -> None:
    own, raw = grown("survival:cox", 4)
    kept = PathTables.prepare(own.leaves, 6).values(raw)
    monkeypatch.setattr(tree_shapley, "_KEPT", 0)
    np.testing.assert_array_equal(PathTables.prepare(own.leaves, 6).values(raw), kept)


def test_a_leaf_that_depends_on_more_features_than_can_be_tabulated_is_refused() -> None:
    shape = (1, 13)
    table = LeafTable(
        value=np.ones(1),
        feature=np.arange(13)[None],
        low=np.zeros(shape),
        high=np.full(shape, np.inf),
        missing=np.zeros(shape, bool),
        cover=np.full(shape, 0.5),
    )
    with pytest.raises(ConfigError, match="13 features"):
        PathTables.prepare(table, 13)
    with pytest.raises(ConfigError, match="13 features"):
        InterventionalTables.prepare(table, np.zeros((2, 13)))


@st.composite
def _tables(draw: st.DrawFn) -> tuple[LeafTable, np.ndarray]:
    """Any leaves at all, not only those of trees, and rows on and between their bounds."""
    seed = draw(st.integers(0, 2**32 - 1))
    leaves, depth, features = draw(st.integers(1, 40)), draw(st.integers(1, 4)), draw(st.integers(4, 6))
    rng = np.random.default_rng(seed)
    shape = (leaves, depth)
    low = np.where(rng.random(shape) < 0.4, -np.inf, rng.integers(0, 3, shape))
    high = np.where(rng.random(shape) < 0.4, np.inf, rng.integers(2, 5, shape))
    table = LeafTable(
        value=rng.normal(size=leaves),
        feature=np.array([rng.permutation(features)[:depth] for _ in range(leaves)]),
        low=low,
        high=high,
        missing=rng.random(shape) < 0.5,
        cover=rng.random(shape),
    )
    raw = rng.integers(-1, 10, (12, features)) / 2.0
    raw[rng.random(raw.shape) < 0.25] = np.nan
    return table, raw


@given(_tables())
@settings(max_examples=60)
def test_values_of_any_leaves_add_up_to_their_margin_less_what_is_expected(
    given_: tuple[LeafTable, np.ndarray],
) -> None:
    table, raw = given_
    margin = table.margin(raw)
    for made in (PathTables.prepare(table, raw.shape[1]), InterventionalTables.prepare(table, raw[:5])):
        np.testing.assert_allclose(made.values(raw).sum(axis=1), margin - made.expected, atol=1e-10)
