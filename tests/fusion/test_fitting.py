"""What the fit finds: weights of evidence, and an interaction where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.fusion.config import FusionConfig
from prognosis.fusion.fitting import fit_head
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.optimiser import Parameters, minimise
from prognosis.fusion.replicates import bootstrap_head
from tests.fusion.synthetic import exponential_target, inputs_of

CONFIG = FusionConfig(bins=6, dropout_weight=0.3, bootstrap=2)
CASES = 1200


def two_modalities(seed: int = 0) -> FusionInputs:
    inputs = inputs_of(CASES, seed, widths=(1, 1), causes=1)
    return replace(
        inputs,
        present=np.ones_like(inputs.present),
        vectors=tuple(np.random.default_rng(seed + place).normal(size=(CASES, 1)) for place in (7, 8)),
    )


def fitted(inputs: FusionInputs, log_rate: np.ndarray) -> Parameters:
    return fit_head(inputs, exposure_of(exponential_target(log_rate)), CONFIG)


def additive(inputs: FusionInputs) -> np.ndarray:
    return sum(evidence[:, 0, 0] for evidence in inputs.evidence)


def test_a_strong_planted_interaction_is_found_and_has_the_right_sign() -> None:
    inputs = two_modalities()
    joint = inputs.vectors[0][:, 0] * inputs.vectors[1][:, 0]
    found = fitted(inputs, 0.5 * additive(inputs) + 1.2 * joint)
    assert found.strengths.shape == (1, 1, 1)
    assert found.head().interaction_matrix(0, 1)[0, 0, 0] == pytest.approx(1.2, abs=0.2)


def test_none_is_sought_where_few_have_an_event() -> None:
    inputs = two_modalities()
    joint = inputs.vectors[0][:, 0] * inputs.vectors[1][:, 0]
    target = exponential_target(0.5 * additive(inputs) + 1.2 * joint)
    few = np.arange(200)
    exposure = exposure_of(target).take(few)
    assert not fit_head(inputs.take(few), exposure, CONFIG).strengths.size


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_interaction_is_chosen_where_there_is_none(seed: int) -> None:
    inputs = two_modalities(seed)
    found = fitted(inputs, 0.8 * additive(inputs))
    assert found.strengths.shape == (1, 1, 0)
    assert not found.head().interaction_matrix(0, 1).any()


@pytest.mark.parametrize("seed", [0, 11, 13])
def test_an_event_of_one_of_few_patients_far_beyond_all_others_is_no_interaction(seed: int) -> None:
    """With rare events and entries that are near zero in 99 of 100 the normal approximation believes it."""
    rng = np.random.default_rng(seed)
    inputs = inputs_of(CASES, seed, widths=(4, 3), causes=1)
    far = rng.random((CASES, 1)) < 0.01
    vectors = (
        rng.normal(size=(CASES, 4)),
        np.where(far, rng.normal(size=(CASES, 3)), 0.02 * rng.normal(size=(CASES, 3))),
    )
    inputs = replace(inputs, present=np.ones_like(inputs.present), vectors=vectors)
    found = fitted(inputs, 0.8 * additive(inputs) - 2.5)
    assert not found.head().interaction_matrix(0, 1).any()


def test_evidence_is_weighed_by_what_it_is_worth_and_misleading_evidence_is_ignored_not_reversed() -> None:
    inputs = two_modalities()
    truth = 0.9 * inputs.evidence[0][:, 0, 0] - 0.7 * inputs.evidence[1][:, 0, 0]
    found = fitted(inputs, truth)
    weight = found.head().beta[:, 0]
    assert (weight[0] > 0.4).all()
    np.testing.assert_allclose(weight[1], 0.0, atol=1e-8)


def test_evidence_that_turns_around_with_time_is_never_reversed_in_any_bin() -> None:
    inputs = two_modalities()
    target = exponential_target(additive(inputs))
    early = target.bin_of() < target.bins // 2
    turned = [own * np.where(early, 1.0, -1.0)[:, None, None] for own in inputs.evidence]
    misled = replace(inputs, evidence=tuple(turned))
    found = minimise(misled, exposure_of(target), np.ones(CASES))
    assert (found.head().beta >= 0.0).all()


def test_a_single_modality_or_rank_zero_never_interacts() -> None:
    one = inputs_of(CASES, widths=(2,), causes=1)
    found = fitted(one, 0.8 * one.evidence[0][:, 0, 0])
    assert found.strengths.size == 0
    two = two_modalities()
    exposure = exposure_of(exponential_target(additive(two)))
    none = fit_head(two, exposure, CONFIG.model_copy(update={"rank": 0}))
    assert none.strengths.size == 0


def test_a_direction_in_which_nobody_differs_cannot_interact() -> None:
    inputs = two_modalities()
    still = replace(inputs, vectors=(np.zeros((CASES, 1)), inputs.vectors[1]))
    found = fitted(still, 0.8 * additive(still))
    assert found.strengths.shape == (1, 1, 0)


def test_of_many_pairs_of_directions_the_one_that_interacts_is_found_and_the_rest_stay_near_zero() -> None:
    inputs = inputs_of(3000, 4, widths=(6, 3, 5), causes=1)
    joint = inputs.vectors[0][:, 2] * inputs.vectors[2][:, 4]
    target = exponential_target(0.7 * additive(inputs) + 0.5 * joint)
    head = fit_head(inputs, exposure_of(target), CONFIG).head()
    found = head.interaction_matrix(0, 2)[0]
    assert found[2, 4] == pytest.approx(0.5, abs=0.12)
    found[2, 4] = 0.0
    assert np.abs(found).max() < 0.15
    assert not head.interaction_matrix(0, 1).any()


def test_what_a_patient_s_cases_have_in_common_is_no_interaction() -> None:
    found = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        once = inputs_of(250, seed, widths=(6, 4), causes=1)
        repeated = np.repeat(np.arange(250), 6)
        inputs = once.take(repeated)
        rate = (additive(once) + rng.normal(0.0, 1.5, 250))[repeated]
        exposure = exposure_of(exponential_target(0.6 * rate, seed))
        found += fit_head(inputs, exposure, CONFIG, repeated.astype(str)).strengths.shape[2]
    assert found == 0


def test_with_one_bin_the_head_is_a_logistic_regression() -> None:
    inputs = two_modalities()
    target = exponential_target(additive(inputs), bins=1)
    found = minimise(inputs, exposure_of(target), np.ones(CASES))
    assert found.alpha.shape == (1, 1)
    np.testing.assert_allclose(found.first, found.last, atol=1e-6)


def test_replicates_spread_around_the_head_that_masked_copies_moved_and_a_patient_is_drawn_whole() -> None:
    inputs = two_modalities()
    exposure = exposure_of(exponential_target(1.5 * additive(inputs)))
    start = fit_head(inputs, exposure, CONFIG.model_copy(update={"dropout_weight": 5.0}))
    told: list[tuple[str, int, int]] = []
    patients = np.repeat(np.arange(CASES // 2).astype(str), 2)
    replicates = bootstrap_head(
        start, inputs, exposure, patients, 20, 0, lambda what, done, total: told.append((what, done, total))
    )
    assert len(replicates) == 20
    assert told[-1][1:] == (20, 20)
    head, observed = start.head(), minimise(inputs, exposure, np.ones(CASES)).head()
    spread = replicates.beta.std(axis=0)
    assert (spread > 0.0).all()
    assert (np.abs(replicates.beta.mean(axis=0) - head.beta) < spread).all()
    assert (np.abs(observed.beta - head.beta) > spread).any()
