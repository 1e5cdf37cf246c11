"""The network is the hazard head of the model, and every subset of modalities is met in training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from prognosis.cohort.target import ONE_BIN, Target
from prognosis.fusion.config import TrainingConfig
from prognosis.fusion.end_to_end.network import LogHazards, Networks
from prognosis.fusion.end_to_end.objective import (
    Outcomes,
    kept_modalities,
    left_out_loss,
    ranking_loss,
    training_loss,
)
from prognosis.fusion.head import HazardHead
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import exposure_of, negative_log_likelihood
from tests.fusion.end_to_end.linear import BINS, CASES, NAMES, Linear, linear, target_of


def moved(seed: int = 3) -> Linear:
    """A training whose every weight is somewhere."""
    made = linear(seed)
    with torch.no_grad():
        for value in made.networks.parameters():
            value.add_(0.3 * torch.randn_like(value))
    return made


def as_inputs(made: Linear) -> FusionInputs:
    """What the readers say, as the fusion sees it."""
    present = made.outcomes.present.numpy()
    read = [reader(torch.arange(CASES)) for reader in made.network.readers.values()]
    here = present.astype(float).T
    evidence = [
        own.evidence.detach().double().numpy() * h[:, None, None] for own, h in zip(read, here, strict=True)
    ]
    vectors = [own.vector.detach().double().numpy() * h[:, None] for own, h in zip(read, here, strict=True)]
    return FusionInputs(NAMES, present, tuple(evidence), tuple(vectors), here.T, ((),) * CASES)


def as_head(made: Linear) -> HazardHead:
    """The network's head, as the fusion keeps it."""
    network = made.network
    first, last = network.first.detach().double().numpy(), network.last.detach().double().numpy()
    late = np.linspace(0.0, 1.0, network.bins)
    return HazardHead(
        network.alpha.detach().double().numpy(),
        first * (1.0 - late) + last * late,
        tuple(factor.detach().double().numpy() for factor in network.factors),
        network.strengths.detach().double().numpy(),
        np.zeros((8, 2, network.bins)),
        np.ones((8, 2)),
    )


def test_the_network_is_the_additive_bilinear_hazard() -> None:
    made = moved()
    eta = made.network(torch.arange(CASES), made.outcomes.present).joint.detach().numpy()
    np.testing.assert_allclose(eta, as_head(made).log_hazard(as_inputs(made)), atol=1e-5)


def test_a_modality_that_is_dropped_is_an_absent_one() -> None:
    made = moved()
    keep = made.outcomes.present & torch.tensor([True, False, True])
    eta = made.network(torch.arange(CASES), keep).joint.detach().numpy()
    without = as_inputs(made).keeping([True, False, True])
    np.testing.assert_allclose(eta, as_head(made).log_hazard(without), atol=1e-5)


def test_of_a_case_that_keeps_nothing_only_the_intercept_is_left() -> None:
    made = moved()
    nothing = torch.zeros(CASES, 3, dtype=torch.bool)
    eta = made.network(torch.arange(CASES), nothing).joint
    torch.testing.assert_close(eta, made.network.alpha.expand_as(eta), rtol=0.0, atol=0.0)


def test_the_loss_of_patients_left_out_is_the_likelihood_of_the_head() -> None:
    made = moved()
    target = target_of(3)
    each = negative_log_likelihood(as_head(made).log_hazard(as_inputs(made)), exposure_of(target))
    found = left_out_loss(Networks([made.network]), [torch.arange(30)], made.outcomes, 7)
    assert found == pytest.approx(float(each[:30].mean()), rel=1e-5)


def test_at_full_dropout_every_subset_is_drawn_alike_and_nothing_appears_that_a_case_lacks() -> None:
    torch.manual_seed(0)
    present = torch.ones(8000, 3, dtype=torch.bool)
    present[:, 2] = False
    keep = kept_modalities(present, 1.0)
    assert not keep[:, 2].any()
    subsets = (keep[:, :2] * torch.tensor([1, 2])).sum(dim=1).bincount(minlength=4)
    assert (subsets > 1800).all()  # of 2000 expected, five standard deviations below


def test_without_dropout_all_that_a_case_has_is_read() -> None:
    present = torch.rand(50, 3) < 0.5
    assert torch.equal(kept_modalities(present, 0.0), present)


def test_each_modality_answers_for_itself_and_moves_no_other() -> None:
    made = moved()
    rows, keep = torch.arange(CASES), made.outcomes.present
    settings = {"own_loss": 0.0, "modality_dropout": 0.0}
    plain = training_loss(made.network, rows, keep, made.outcomes, TrainingConfig(**settings))
    both = training_loss(
        made.network, rows, keep, made.outcomes, TrainingConfig(**settings | {"own_loss": 1.0})
    )
    alone = 0.0
    for place in range(3):
        answer = made.network(rows, keep & (torch.arange(3) == place))
        own = LogHazards(answer.own[place], ())
        exposure = exposure_of(target_of(3))
        each = negative_log_likelihood(own.joint.detach().double().numpy(), exposure)
        alone += float(each[keep[:, place].numpy()].sum())
    assert (both - plain).item() == pytest.approx(alone, rel=1e-4)


def test_ranking_asks_only_that_whoever_has_the_cause_first_stands_higher() -> None:
    target = Target(
        ("event",), np.array([1, 1, 0]), np.array([10.0, 20.0, 30.0]), np.array([0.0, 30.0]), True
    )
    outcomes = Outcomes.of(target, np.ones(3), np.ones((3, 1), dtype=bool))
    right = LogHazards(torch.tensor([2.0, 1.0, 0.0]).view(3, 1, 1), ())
    wrong = LogHazards(-right.joint, ())
    rows = torch.arange(3)
    apart = np.log1p(np.exp([-1.0, -2.0, -1.0])).mean() * 2.0  # three pairs, two cases that had the cause
    assert ranking_loss(right, rows, outcomes).item() == pytest.approx(apart, rel=1e-5)
    assert ranking_loss(wrong, rows, outcomes) > ranking_loss(right, rows, outcomes)
    shifted = LogHazards(right.joint + 5.0, ())
    assert ranking_loss(shifted, rows, outcomes).item() == pytest.approx(apart, rel=1e-4)


def test_a_finding_of_which_nothing_is_known_is_in_no_loss() -> None:
    marks = np.array([[1, 0], [0, 1], [1, -1], [0, -1]], dtype=np.int8)
    cause = np.array([1, 2, 1, 0])
    target = Target(("a", "b"), cause, np.full(4, 0.5), ONE_BIN, survival=False, marks=marks)
    outcomes = Outcomes.of(target, np.ones(4), np.ones((4, 1), dtype=bool))
    eta = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.5], [-1.0, 0.5]]).view(4, 2, 1)
    other = eta.clone()
    other[2:, 1] = -7.0
    rows = torch.arange(4)
    assert ranking_loss(LogHazards(eta, ()), rows, outcomes) == ranking_loss(
        LogHazards(other, ()), rows, outcomes
    )


def test_short_numbers_change_the_loss_little() -> None:
    made = moved()
    rows = torch.arange(CASES)
    exact = training_loss(made.network, rows, made.outcomes.present, made.outcomes, made.plan.config)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        short = training_loss(made.network, rows, made.outcomes.present, made.outcomes, made.plan.config)
    assert short.dtype == torch.float32
    assert short.item() == pytest.approx(exact.item(), rel=1e-2)
    assert made.network.bins == BINS
