"""Leaf tables give XGBoost's margins."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xgboost

from prognosis.evidence.clinical.tree_tables import leaf_table
from tests.evidence.clinical.grown import grown


@pytest.mark.parametrize("objective", ["survival:cox", "binary:logistic"])
@pytest.mark.parametrize("depth", [2, 4])
def test_margins_equal_those_of_xgboost_up_to_a_constant(objective: str, depth: int) -> None:
    own, raw = grown(objective, depth)
    theirs = own.booster.predict(xgboost.DMatrix(raw), output_margin=True)
    difference = own.leaves.margin(raw) - theirs
    np.testing.assert_allclose(difference, difference[0], atol=1e-5)


def test_the_margin_of_many_rows_is_that_of_each_alone() -> None:
    own, raw = grown("survival:cox", 4)
    many = np.tile(raw, (4, 1))
    alone = np.concatenate([own.leaves.margin(row[None]) for row in raw])
    np.testing.assert_allclose(own.leaves.margin(many), np.tile(alone, 4), atol=1e-12)


def test_a_value_at_a_threshold_goes_right_and_a_missing_one_where_the_split_says() -> None:
    tree = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [0, 0, 0],
        "split_conditions": [1.5, -1.0, 2.0],
        "default_left": [1, 0, 0],
        "sum_hessian": [4.0, 1.0, 3.0],
    }
    table = leaf_table([tree])
    np.testing.assert_array_equal(table.margin(np.array([[1.25], [1.5], [np.nan]])), [-1.0, 2.0, -1.0])
    np.testing.assert_allclose(table.cover, [[0.25], [0.75]])


def test_two_splits_on_one_feature_are_one_interval_whose_covers_multiply() -> None:
    tree = {
        "left_children": [1, -1, 3, -1, -1],
        "right_children": [2, -1, 4, -1, -1],
        "split_indices": [1, 0, 1, 0, 0],
        "split_conditions": [0.0, 1.0, 5.0, 2.0, 3.0],
        "default_left": [0, 0, 0, 0, 0],
        "sum_hessian": [8.0, 2.0, 6.0, 3.0, 3.0],
    }
    table = leaf_table([tree])
    assert table.feature.shape == (3, 1)
    np.testing.assert_array_equal(table.low[:, 0], [-np.inf, 0.0, 5.0])
    np.testing.assert_array_equal(table.high[:, 0], [0.0, 5.0, np.inf])
    np.testing.assert_array_equal(table.missing[:, 0], [False, False, True])
    np.testing.assert_allclose(table.cover[:, 0], [0.25, 0.375, 0.375])


def test_the_trees_of_one_class_of_many_make_a_table_of_their_own() -> None:
    rng = np.random.default_rng(3)
    raw = rng.normal(size=(200, 4))
    label = rng.integers(0, 3, 200)
    settings = {
        "objective": "multi:softprob",
        "num_class": 3,
        "max_depth": 3,
        "nthread": 1,
        "base_score": 0.0,
    }
    booster = xgboost.train(settings, xgboost.DMatrix(raw, label=label), 6)
    model = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]
    theirs = booster.predict(xgboost.DMatrix(raw), output_margin=True)
    for place in range(3):
        trees = [tree for tree, own in zip(model["trees"], model["tree_info"], strict=True) if own == place]
        difference = leaf_table(trees).margin(raw) - theirs[:, place]
        np.testing.assert_allclose(difference, difference[0], atol=1e-5)
