from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from tests.simulated import Simulated


@pytest.mark.parametrize("modality", ["clinical", "text", "imaging"])
def test_the_tokens_of_the_model_that_did_not_see_a_case_sum_to_its_out_of_fold_evidence(
    small: Simulated, modality: str
) -> None:
    fitted, folds = small.evidence.fitted[modality], small.evidence.folds
    rows = [int(np.flatnonzero(fitted.out_of_fold.present & (folds == fold))[0]) for fold in np.unique(folds)]
    for row in rows:
        tokens = fitted.by_fold[folds[row]].tokens(small.cohort.cases[row])
        summed = np.sum([token.evidence for token in tokens], axis=0)
        vector = np.sum([token.vector for token in tokens], axis=0)
        np.testing.assert_allclose(summed, fitted.out_of_fold.evidence[row], atol=1e-6)
        np.testing.assert_allclose(vector, fitted.out_of_fold.vector[row], atol=1e-6)
        kept = np.sum([token.vector for token in fitted.model.tokens(small.cohort.cases[row])], axis=0)
        assert np.abs(kept - vector).max() > 1e-3  # the model that is kept has seen the case
