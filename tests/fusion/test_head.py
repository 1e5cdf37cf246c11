"""From evidence to cumulative incidence: monotone, at most one in sum, and softmax for a class."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax

from prognosis.fusion.head import cause_hazards, cumulative_incidence, modality_pairs, subset_number
from tests.fusion.synthetic import head_of, inputs_of

EDGES = np.array([0.0, 10.0, 30.0, 100.0])
log_hazards = arrays(np.float64, (2, 3, 3), elements=st.floats(-800, 800))
asked_days = st.lists(st.floats(0.0, 500.0), min_size=2, max_size=12).map(lambda days: np.array(sorted(days)))


@given(log_hazard=log_hazards, days=asked_days)
def test_incidence_never_falls_and_the_causes_sum_to_at_most_one(
    log_hazard: np.ndarray, days: np.ndarray
) -> None:
    incidence = cumulative_incidence(log_hazard, EDGES, days)
    assert np.isfinite(incidence).all()
    assert (incidence >= 0.0).all()
    assert (incidence.sum(axis=1) <= 1.0 + 1e-12).all()
    assert (np.diff(incidence, axis=2) >= -1e-12).all()


@given(log_hazard=log_hazards)
def test_nothing_has_happened_at_the_index_and_nothing_more_is_known_beyond_the_last_edge(
    log_hazard: np.ndarray,
) -> None:
    incidence = cumulative_incidence(log_hazard, EDGES, np.array([0.0, 100.0, 5000.0]))
    assert (incidence[:, :, 0] == 0.0).all()
    assert (incidence[:, :, 1] == incidence[:, :, 2]).all()


@given(log_hazard=log_hazards)
def test_hazards_of_a_bin_and_survival_are_a_softmax(log_hazard: np.ndarray) -> None:
    surviving = np.zeros_like(log_hazard[:, :1])
    expected = softmax(np.concatenate([surviving, log_hazard], axis=1), axis=1)[:, 1:]
    np.testing.assert_allclose(cause_hazards(log_hazard), expected, rtol=1e-9, atol=1e-300)


@given(log_odds=arrays(np.float64, (4, 3, 1), elements=st.floats(-20, 20)))
def test_a_class_is_the_special_case_of_one_bin(log_odds: np.ndarray) -> None:
    incidence = cumulative_incidence(log_odds, np.array([0.0, 1.0]), np.array([1.0]))[:, :, 0]
    reference = np.zeros((4, 1))
    expected = softmax(np.concatenate([reference, log_odds[:, :, 0]], axis=1), axis=1)[:, 1:]
    np.testing.assert_allclose(incidence, expected, atol=1e-10)


def test_incidence_by_hand_for_one_cause_in_two_bins() -> None:
    log_hazard = np.log(np.array([[[0.2 / 0.8, 0.5 / 0.5]]]))
    days = np.array([0.0, 10.0, 20.0, 30.0])
    incidence = cumulative_incidence(log_hazard, np.array([0.0, 10.0, 30.0]), days)[0, 0]
    np.testing.assert_allclose(incidence, [0.0, 0.2, 1.0 - 0.8 * np.sqrt(0.5), 0.6], atol=1e-12)


def test_two_causes_share_a_bin_in_proportion_to_their_hazards() -> None:
    log_hazard = np.log(np.array([[[0.1 / 0.6], [0.3 / 0.6]]]))
    incidence = cumulative_incidence(log_hazard, np.array([0.0, 8.0]), np.array([3.0, 8.0]))[0]
    np.testing.assert_allclose(incidence[:, 1], [0.1, 0.3], atol=1e-12)
    np.testing.assert_allclose(incidence[1], 3.0 * incidence[0], atol=1e-12)


def test_raising_the_log_hazard_of_a_cause_raises_its_incidence_and_lowers_the_others() -> None:
    base = np.random.default_rng(0).normal(-1.0, 1.0, (5, 2, 3))
    higher = base.copy()
    higher[:, 0] += 0.7
    before, after = (cumulative_incidence(eta, EDGES, np.array([100.0]))[:, :, 0] for eta in (base, higher))
    assert (after[:, 0] > before[:, 0]).all()
    assert (after[:, 1] < before[:, 1]).all()


def test_the_deviation_is_the_sum_of_weighted_evidence_and_of_pairwise_interactions() -> None:
    head, inputs = head_of(1), inputs_of(6, 1)
    expected = sum(head.beta[place] * evidence for place, evidence in enumerate(inputs.evidence))
    for first, second in modality_pairs(3):
        matrix = head.interaction_matrix(first, second)
        joint = np.einsum("ni,kij,nj->nk", inputs.vectors[first], matrix, inputs.vectors[second])
        expected = expected + joint[:, :, None]
    np.testing.assert_allclose(head.deviation(inputs), expected, atol=1e-12)


def test_the_interaction_of_two_modalities_is_the_same_from_either_side() -> None:
    head = head_of(2)
    np.testing.assert_array_equal(
        head.interaction_matrix(2, 0), head.interaction_matrix(0, 2).transpose(0, 2, 1)
    )


def test_each_subset_of_modalities_has_its_own_number_and_its_own_recalibration() -> None:
    masks = np.array(list(product([False, True], repeat=3)))
    assert sorted(subset_number(masks)) == list(range(8))
    assert list(subset_number(np.array([[True, False, False], [False, False, True]]))) == [1, 4]
    head, inputs = head_of(3), inputs_of(40, 3)
    row = 7
    subset = subset_number(inputs.present)[row]
    expected = head.alpha + head.shift[subset] + head.scale[subset][:, None] * head.deviation(inputs)[row]
    np.testing.assert_allclose(head.log_hazard(inputs)[row], expected)


def test_a_patient_of_whom_nothing_is_known_gets_the_average_hazard_and_its_shift() -> None:
    head = head_of(4)
    nothing = inputs_of(1).keeping([False, False, False])
    np.testing.assert_allclose(head.log_hazard(nothing)[0], head.alpha + head.shift[0])


@pytest.mark.parametrize("modalities", [1, 2, 3, 4])
def test_every_pair_of_modalities_is_counted_once(modalities: int) -> None:
    pairs = modality_pairs(modalities)
    assert len(set(pairs)) == len(pairs) == modalities * (modalities - 1) // 2
