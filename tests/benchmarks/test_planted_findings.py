"""The cohort of two planted findings says what its films show, or nothing."""

from __future__ import annotations

import numpy as np

from benchmarks.planted_findings import cohort_of, truth
from prognosis.cohort import cohort_target


def test_what_is_stated_of_a_simulated_film_is_what_was_planted_in_it() -> None:
    cohort = cohort_of(patients=60, seed=0, unknown=0.3)
    target = cohort_target(cohort)
    planted = np.array([truth(case) for case in cohort.cases])
    np.testing.assert_array_equal(target.happened, planted & target.answered)
    assert 0.5 < target.answered.mean() < 0.95
