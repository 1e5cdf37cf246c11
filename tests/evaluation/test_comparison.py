"""The corrected resampled t-test of Nadeau and Bengio."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from prognosis.errors import CohortError
from prognosis.evaluation.comparison import nadeau_bengio

DIFFERENCES = np.array([0.02, 0.01, 0.03, -0.01, 0.02])


def test_with_no_test_cases_it_is_the_plain_t_test() -> None:
    found = nadeau_bengio(DIFFERENCES, training=100, held_out=0)
    plain = stats.ttest_1samp(DIFFERENCES, 0.0)
    assert found.p_value == pytest.approx(plain.pvalue)
    assert found.difference.low == pytest.approx(plain.confidence_interval().low)


def test_overlapping_training_sets_widen_the_interval() -> None:
    plain = nadeau_bengio(DIFFERENCES, training=100, held_out=0).difference
    corrected = nadeau_bengio(DIFFERENCES, training=80, held_out=20).difference
    ratio = (corrected.high - corrected.low) / (plain.high - plain.low)
    assert ratio == pytest.approx(np.sqrt((1 / 5 + 1 / 4) / (1 / 5)))
    assert corrected.value == plain.value


def test_folds_that_all_agree_exactly_leave_no_doubt() -> None:
    assert nadeau_bengio(np.full(5, 0.5), 80, 20).p_value == 0.0
    assert nadeau_bengio(np.zeros(5), 80, 20).p_value == 1.0


def test_one_fold_is_refused() -> None:
    with pytest.raises(CohortError, match="two folds"):
        nadeau_bengio(np.array([0.1]), 80, 20)
