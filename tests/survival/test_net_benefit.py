"""Net benefit: its definition, and what it says of treating everyone or no one."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.survival.net_benefit import decision_curve, net_benefit
from prognosis.survival.statistic import once

DAYS = np.array([1.0, 2.0, 3.0, 8.0, 9.0, 9.0])
CAUSE = np.array([1, 1, 2, 0, 0, 1])
RISK = np.array([0.9, 0.2, 0.6, 0.7, 0.1, 0.3])


def test_without_censoring_it_counts_true_and_false_positives() -> None:
    """Above 0.5: one event, one competing death and one survivor of six; odds of the threshold are 1."""
    assert net_benefit(DAYS, CAUSE, RISK, 5.0, 0.5)(once(6))[0] == pytest.approx((1 - 2 * 1.0) / 6)


def test_treating_no_one_is_worth_nothing() -> None:
    assert net_benefit(DAYS, CAUSE, np.zeros(6), 5.0, 0.2)(once(6))[0] == 0.0


def test_treating_everyone_is_worth_nothing_at_the_prevalence() -> None:
    prevalence = 2 / 6
    assert net_benefit(DAYS, CAUSE, np.ones(6), 5.0, prevalence)(once(6))[0] == pytest.approx(0.0)


def test_perfect_risks_are_worth_the_prevalence_at_any_threshold() -> None:
    perfect = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    for threshold in (0.1, 0.5, 0.9):
        assert net_benefit(DAYS, CAUSE, perfect, 5.0, threshold)(once(6))[0] == pytest.approx(2 / 6)


def test_censoring_leaves_the_net_benefit_about_where_it_was() -> None:
    rng = np.random.default_rng(2)
    n = 10_000
    rate = np.exp(rng.normal(-1.5, 1.0, n))
    time, end = rng.exponential(1.0 / rate), rng.exponential(6.0, n)
    risk = 1.0 - np.exp(-2.0 * rate)
    full = net_benefit(time, np.ones(n, dtype=np.int64), risk, 2.0, 0.3)(once(n))[0]
    seen = net_benefit(np.minimum(time, end), (time <= end).astype(np.int64), risk, 2.0, 0.3)(once(n))[0]
    assert seen == pytest.approx(full, abs=0.01)
    assert full > 0.05


def test_a_decision_curve_starts_with_treating_everyone_and_ends_with_treating_no_one() -> None:
    found = decision_curve(DAYS, CAUSE, RISK, 5.0, (0.05, 0.5, 0.95))
    assert found.model[0] == found.treat_all[0] == pytest.approx(2 / 6 - 4 / 6 * 0.05 / 0.95)
    assert found.model[1] > found.treat_all[1]
    assert found.model[2] == found.treat_none[2] == 0.0
