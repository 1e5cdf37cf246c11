"""Trees and the linear member of the clinical evidence are told against one population, and add up."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.evidence.clinical.model import ClinicalEvidence
from tests.simulated import Simulated


@pytest.fixture(scope="module")
def clinical(small: Simulated) -> ClinicalEvidence:
    evidence = small.model.evidence["clinical"]
    assert isinstance(evidence, ClinicalEvidence)
    return evidence


def test_both_members_are_zero_over_the_background(clinical: ClinicalEvidence) -> None:
    rows, columns = clinical.background, clinical.columns
    both, spread = [], []
    for fold in clinical.folds:
        whole = fold.evidence(rows, columns, rows)
        linear = fold.linear_by_column(rows, columns).sum(axis=1)[:, :, None]
        trees = whole - linear
        assert np.abs(trees.mean(axis=0)).max() < 1e-9
        both.append(whole.mean(axis=0))
        spread.append(whole.std(axis=0))
    assert np.abs(np.mean(both, axis=0)).max() < 0.25 * np.mean(spread)


def test_the_tokens_of_both_members_sum_to_the_evidence_that_is_fused(
    small: Simulated, clinical: ClinicalEvidence
) -> None:
    cases = small.cohort.cases[:12]
    summed = clinical.summarise(cases)
    trees = [table for fold in clinical.folds for table in fold.weighed_tables()]
    assert trees
    assert any(fold.factors[0].any() for fold in clinical.folds)
    for tokens, evidence, vector in zip(
        clinical.tokens_of(cases), summed.evidence, summed.vector, strict=True
    ):
        assert np.sum([token.evidence for token in tokens], axis=0) == pytest.approx(evidence, abs=1e-9)
        assert np.sum([token.vector for token in tokens], axis=0) == pytest.approx(vector, abs=1e-9)
