"""A subset of modalities gets an intercept of its own, which may change over follow-up, and a slope."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.fusion.head import HazardHead, cause_hazards, straight
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure, exposure_of, negative_log_likelihood
from prognosis.fusion.optimiser import minimise
from prognosis.fusion.recalibration import SHRINKAGE, recalibrate
from tests.fusion.synthetic import exponential_target, inputs_of

CASES, BINS = 600, 6


def two_modalities(cases: int = CASES) -> FusionInputs:
    inputs = inputs_of(cases, widths=(1, 1), causes=1)
    return replace(inputs, present=np.ones_like(inputs.present))


def additive(inputs: FusionInputs) -> np.ndarray:
    return sum(evidence[:, 0, 0] for evidence in inputs.evidence)


def at_its_word(bins: int = BINS) -> HazardHead:
    """One cause of two modalities, whose evidence is taken as it is; no interaction, no recalibration."""
    one = np.ones((2, 1, bins))
    factors = (np.zeros((1, 0)), np.zeros((1, 0)))
    whole, none = np.ones((4, 1)), np.zeros((4, 1, bins))
    return HazardHead(np.full((1, bins), -2.0), one, factors, np.zeros((1, 1, 0)), none, whole)


def drawn(head: HazardHead, inputs: FusionInputs) -> Exposure:
    """Whether and when each case's event comes if the head is right, and all are watched to the end."""
    hazard = cause_hazards(head.log_hazard(inputs))
    comes = np.random.default_rng(5).random(hazard.shape) < hazard
    before = np.cumsum(comes, axis=2) - comes
    return Exposure((before == 0).astype(np.float64), (comes & (before == 0)).astype(np.float64))


def ends(values: np.ndarray) -> list[float]:
    return values[0, [0, -1]].tolist()


def test_a_head_that_is_too_sure_is_repaired_and_the_fit_is_never_made_worse() -> None:
    inputs = two_modalities()
    exposure = exposure_of(exponential_target(0.5 * additive(inputs)))
    head = minimise(inputs, exposure, np.ones(CASES)).head()
    sure = replace(head, beta=head.beta * 3.0, alpha=head.alpha + 0.5)
    repaired = recalibrate(sure, inputs, exposure, np.ones(CASES))
    assert repaired.scale[3, 0] == pytest.approx(1.0 / 3.0, abs=0.12)
    assert repaired.shift[3, 0].mean() == pytest.approx(-0.5, abs=0.2)
    losses = [negative_log_likelihood(h.log_hazard(inputs), exposure).sum() for h in (head, repaired, sure)]
    assert losses[1] < losses[2]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


def test_a_subset_whose_average_hazard_falls_is_told_so_and_one_whose_hazard_lasts_is_not() -> None:
    inputs = inputs_of(20000, widths=(1, 1), causes=1)
    head = at_its_word()
    shift, scale = head.shift.copy(), head.scale.copy()
    shift[1] = straight(np.array([0.4]), np.array([-0.4]), BINS)
    scale[1] = 0.7
    exposure = drawn(replace(head, shift=shift, scale=scale), inputs)
    weights = np.ones(len(inputs))
    exact = inputs.present[:, 0] & ~inputs.present[:, 1]
    found = recalibrate(head, inputs.take(exact), exposure.take(exact), weights[exact])
    assert ends(found.shift[1]) == pytest.approx([0.4, -0.4], abs=0.15)
    assert found.scale[1, 0] == pytest.approx(0.7, abs=0.1)
    other = inputs.present[:, 1]
    found = recalibrate(head, inputs.take(other), exposure.take(other), weights[other])
    assert ends(found.shift[3]) == pytest.approx([0.0, 0.0], abs=0.1)
    assert found.scale[3, 0] == pytest.approx(1.0, abs=0.1)


def test_evidence_that_misleads_is_ignored_and_never_reversed() -> None:
    inputs = two_modalities(2000)
    head = at_its_word()
    exposure = drawn(replace(head, scale=-head.scale), inputs)
    found = recalibrate(head, inputs, exposure, np.ones(2000))
    assert found.scale[3, 0] == 0.0
    assert (found.scale >= 0.0).all()


def test_a_few_events_speak_for_no_trend() -> None:
    inputs = two_modalities(40)
    head = at_its_word()
    falling = np.broadcast_to(straight(np.array([0.5]), np.array([-0.5]), BINS), head.shift.shape)
    found = recalibrate(head, inputs, drawn(replace(head, shift=falling), inputs), np.ones(40))
    trend = np.abs(found.shift[..., -1] - found.shift[..., 0])
    assert trend.max() < 0.5


def test_with_one_bin_intercept_and_slope_solve_the_shrunk_score_equations_of_one_of_each() -> None:
    inputs = two_modalities()
    exposure = exposure_of(exponential_target(0.5 * additive(inputs), bins=1))
    head = at_its_word(bins=1)
    found = recalibrate(head, inputs, exposure, np.ones(CASES))
    residual = exposure.at_risk * exposure.mean(found.log_hazard(inputs)) - exposure.happened
    assert residual.sum() == pytest.approx(-2.0 * SHRINKAGE * found.shift[3, 0, 0], abs=0.05)
    along = (residual * head.deviation(inputs)).sum()
    assert along == pytest.approx(-2.0 * SHRINKAGE * (found.scale[3, 0] - 1.0), abs=0.05)


def test_a_subset_that_nobody_shows_keeps_a_neutral_recalibration() -> None:
    inputs = two_modalities().keeping([True, False])
    exposure = exposure_of(exponential_target(inputs.evidence[0][:, 0, 0]))
    head = minimise(inputs, exposure, np.ones(CASES)).head()
    repaired = recalibrate(head, inputs, exposure, np.ones(CASES))
    for subset in (2, 3):
        assert (repaired.shift[subset] == 0.0).all()
        assert (repaired.scale[subset] == 1.0).all()
    assert (repaired.scale >= 0.0).all()


def test_a_slope_counts_whoever_can_be_masked_to_the_subset_and_an_intercept_those_who_show_it_more() -> None:
    inputs = inputs_of(6000, widths=(1, 1), causes=1)
    head = at_its_word()
    shift = head.shift.copy()
    shift[1] = 0.8  # who lacks the other modality fares worse
    exposure = drawn(replace(head, shift=shift), inputs)
    found = recalibrate(head, inputs, exposure, np.ones(6000))
    able = inputs.present[:, 0]
    alike = inputs.take(able).keeping([True, False])
    as_shown = recalibrate(head, alike, exposure.take(able), np.ones(int(able.sum())))
    assert found.scale[1, 0] == pytest.approx(as_shown.scale[1, 0], abs=1e-6)
    assert found.shift[1].mean() > as_shown.shift[1].mean() + 0.1
