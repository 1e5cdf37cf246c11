"""The likelihood of discrete competing risks: by hand, in numpy and in torch."""

from __future__ import annotations

import numpy as np
import torch

from prognosis.cohort import Target
from prognosis.fusion.head import cumulative_incidence
from prognosis.fusion.likelihood import exposure_of, negative_log_likelihood, torch_negative_log_likelihood

EDGES = np.array([0.0, 10.0, 30.0])


def target(cause: list[int], days: list[float]) -> Target:
    return Target(("a", "b"), np.array(cause), np.array(days), EDGES, survival=True)


def test_follow_up_spreads_over_the_bins_that_were_lived_through() -> None:
    exposure = exposure_of(target([1, 0, 2, 0, 0], [4.0, 15.0, 25.0, 10.0, 30.0]))
    expected = [[1.0, 0.0], [1.0, 0.25], [1.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    np.testing.assert_allclose(exposure.at_risk[:, 0], expected)
    assert exposure.happened.sum() == 2
    assert exposure.happened[0, 0, 0] == exposure.happened[2, 1, 1] == 1.0


def test_follow_up_beyond_the_last_edge_ends_in_the_last_bin() -> None:
    exposure = exposure_of(target([0, 1], [500.0, 500.0]))
    np.testing.assert_allclose(exposure.at_risk[:, 0], [[1.0, 1.0], [1.0, 1.0]])
    assert exposure.happened[1, 0, 1] == 1.0


def test_a_class_is_seen_whole_whatever_it_is() -> None:
    classes = Target(("ill",), np.array([0, 1]), np.array([0.5, 0.5]), np.array([0.0, 1.0]), survival=False)
    np.testing.assert_allclose(exposure_of(classes).at_risk[:, 0], [[1.0], [1.0]])


def test_exposure_of_some_cases_is_some_of_the_exposure() -> None:
    whole = exposure_of(target([1, 0, 2], [4.0, 15.0, 25.0]))
    part = whole.take(np.array([False, True, True]))
    np.testing.assert_array_equal(part.at_risk, whole.at_risk[1:])
    np.testing.assert_array_equal(part.happened, whole.happened[1:])


def test_the_likelihood_by_hand_is_the_product_of_survival_and_hazard() -> None:
    """Hazards .1 and .3 in the first bin (survival .6), .2 and .2 in the second (survival .6)."""
    hazards = np.array([[[0.1, 0.2], [0.3, 0.2]]])
    log_hazard = np.log(hazards / 0.6)
    cases = exposure_of(target([1, 2, 0], [4.0, 25.0, 20.0]))
    loss = negative_log_likelihood(np.repeat(log_hazard, 3, axis=0), cases)
    np.testing.assert_allclose(np.exp(-loss), [0.1, 0.6 * 0.2, 0.6 * 0.6**0.5])


def test_a_censored_likelihood_is_the_probability_of_no_event_by_then() -> None:
    log_hazard = np.random.default_rng(0).normal(-1, 1, (1, 2, 2))
    loss = negative_log_likelihood(log_hazard, exposure_of(target([0], [17.0])))
    incidence = cumulative_incidence(log_hazard, EDGES, np.array([17.0]))
    np.testing.assert_allclose(np.exp(-loss), 1.0 - incidence.sum(axis=1)[:, 0])


def test_numpy_and_torch_give_the_same_likelihood_even_for_extreme_hazards() -> None:
    rng = np.random.default_rng(1)
    cause, days = rng.integers(0, 3, 50).tolist(), rng.uniform(0.5, 40, 50).tolist()
    exposure = exposure_of(target(cause, days))
    log_hazard = rng.normal(0, 200, (50, 2, 2))
    tensors = (torch.tensor(part) for part in (log_hazard, exposure.at_risk, exposure.happened))
    loss = negative_log_likelihood(log_hazard, exposure)
    assert np.isfinite(loss).all()
    np.testing.assert_allclose(torch_negative_log_likelihood(*tensors).numpy(), loss, rtol=1e-10, atol=1e-9)


def test_the_likelihood_is_least_at_the_observed_rates() -> None:
    cases = exposure_of(target([1] * 3 + [2] * 2 + [0] * 5, [5.0] * 5 + [10.0] * 5))
    best = np.log(np.array([[[0.3, 0.1], [0.2, 0.1]]]) / np.array([0.5, 0.8]))

    def loss(log_hazard: np.ndarray) -> float:
        return float(negative_log_likelihood(np.repeat(log_hazard, 10, axis=0), cases).sum())

    for cause in range(2):
        for step in (-0.05, 0.05):
            moved = best.copy()
            moved[0, cause, 0] += step
            assert loss(moved) > loss(best)
