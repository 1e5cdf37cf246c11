"""The columns' Shapley values of trained clinical evidence add up to it, missing values included."""

from __future__ import annotations

import numpy as np

from prognosis.evidence.clinical import ClinicalConfig, TreeSettings, fit_clinical
from prognosis.evidence.clinical.windows import window_table
from tests.evidence.clinical.cohorts import planted_cohort


def test_the_columns_of_every_patient_add_up_to_the_log_hazard_within_a_millionth() -> None:
    cases, target = planted_cohort()
    config = ClinicalConfig(trees=TreeSettings(rounds=30, patience=10))
    model = fit_clinical(cases, target, np.arange(len(cases)) % 4, config, 0, frozenset()).model
    assert any(fold.weighed_tables() for fold in model.folds)  # trees take part
    others, _ = planted_cohort(seed=1)
    values = window_table(others, model.vocabulary, model.columns).values
    assert np.isnan(values).any()
    whole = model.summarise(others).evidence
    np.testing.assert_allclose(model.by_column(values).sum(axis=1), whole, rtol=0.0, atol=1e-6)
