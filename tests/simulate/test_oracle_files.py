"""The oracle on disk says what it said in memory, and a folder without one is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prognosis.errors import SourceError
from prognosis.simulate import Dials, oracle_concordance, read_oracle, simulate_cohort, write_oracle


def test_an_oracle_read_back_is_the_one_written(tmp_path: Path) -> None:
    oracle = simulate_cohort(Dials(patients=60), 3).oracle
    write_oracle(oracle, tmp_path / "truth")
    again = read_oracle(tmp_path / "truth")
    assert again.patient_ids == oracle.patient_ids
    assert again.planted == oracle.planted
    assert again.horizons_days == oracle.horizons_days
    assert again.true_values.base == oracle.true_values.base
    for cause in ("progression", "death"):
        assert np.array_equal(again.true_values.values[cause], oracle.true_values.values[cause])
        assert np.array_equal(again.full(cause), oracle.full(cause))
        assert np.array_equal(again.observed(cause), oracle.observed(cause))
        assert np.array_equal(again.effect[cause], oracle.effect[cause])
        assert np.array_equal(again.chance_of_intensified, oracle.chance_of_intensified)
        assert np.array_equal(again.observed_effect[cause], oracle.observed_effect[cause])
        assert np.array_equal(again.incidence[cause], oracle.incidence[cause])
    for arm in ("standard", "intensified"):
        assert np.array_equal(again.incidence_by_arm[arm], oracle.incidence_by_arm[arm])
        assert np.array_equal(again.survival_by_arm[arm], oracle.survival_by_arm[arm])
        assert np.array_equal(again.mean_days_by_arm[arm], oracle.mean_days_by_arm[arm])
    assert oracle_concordance(again) == oracle_concordance(oracle)


def test_concordance_on_some_patients_uses_their_rows_alone() -> None:
    oracle = simulate_cohort(Dials(patients=200), 4).oracle
    rows = oracle.rows(oracle.patient_ids[100:])
    chosen = oracle_concordance(oracle, oracle.days[rows], oracle.cause[rows], rows=rows)
    assert chosen == oracle_concordance(oracle, rows=rows)
    assert chosen != oracle_concordance(oracle)


def test_a_folder_without_an_oracle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not hold a simulation's oracle"):
        read_oracle(tmp_path)
