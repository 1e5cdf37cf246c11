"""Leaf tables give XGBoost's margins and the shap package's interventional values."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xgboost

from prognosis.evidence.clinical.tree_tables import shapley_values
from prognosis.evidence.clinical.trees import Forest, forest


def _grown(objective: str, depth: int) -> tuple[Forest, np.ndarray]:
    rng = np.random.default_rng(depth)
    raw = rng.normal(size=(300, 6))
    raw[rng.random(raw.shape) < 0.2] = np.nan
    risk = np.nan_to_num(raw[:, 0]) + np.nan_to_num(raw[:, 1]) * (np.nan_to_num(raw[:, 2]) > 0.0)
    days = rng.exponential(np.exp(-risk))
    label = days * np.where(rng.random(300) < 0.7, 1.0, -1.0) if "cox" in objective else risk > 0.2
    settings = {"objective": objective, "max_depth": depth, "eta": 0.2, "nthread": 1, "verbosity": 0}
    return forest(xgboost.train(settings, xgboost.DMatrix(raw, label=label), 25)), raw


@pytest.mark.parametrize("objective", ["survival:cox", "binary:logistic"])
@pytest.mark.parametrize("depth", [2, 4])
def test_margins_equal_those_of_xgboost_up_to_a_constant(objective: str, depth: int) -> None:
    own, raw = _grown(objective, depth)
    theirs = own.booster.predict(xgboost.DMatrix(raw), output_margin=True)
    difference = own.margin(raw) - theirs
    np.testing.assert_allclose(difference, difference[0], atol=1e-5)


@pytest.mark.parametrize("depth", [2, 4])
def test_shapley_values_equal_those_of_the_shap_package(depth: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shap = pytest.importorskip("shap")
    own, raw = _grown("survival:cox", depth)
    background, cases = raw[:60], raw[60:90]
    ours = shapley_values(own.leaves, cases, own.leaves.meets(background))
    single = background.astype(np.float32).astype(float)
    explainer = shap.TreeExplainer(own.booster, data=single, feature_perturbation="interventional")
    theirs = explainer.shap_values(cases.astype(np.float32).astype(float), check_additivity=False)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_shapley_values_add_up_to_the_margin_less_its_background_mean() -> None:
    own, raw = _grown("survival:cox", 4)
    values = shapley_values(own.leaves, raw[60:], own.leaves.meets(raw[:60]))
    expected = own.margin(raw[60:]) - own.margin(raw[:60]).mean()
    np.testing.assert_allclose(values.sum(axis=1), expected, atol=1e-12)
