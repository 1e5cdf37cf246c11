"""A joint training of random features, without any evidence model: milliseconds a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from prognosis.cohort import Target
from prognosis.cohort.target import event_quantile_edges
from prognosis.fusion.config import TrainingConfig
from prognosis.fusion.end_to_end.loop import Plan
from prognosis.fusion.end_to_end.network import JointNetwork, Networks
from prognosis.fusion.end_to_end.objective import Outcomes
from prognosis.fusion.end_to_end.parts import LinearReader

CASES = 120
BINS = 4
NAMES = ("clinical", "text", "imaging")


@dataclass(frozen=True, slots=True)
class Linear:
    """What a training needs."""

    networks: Networks
    outcomes: Outcomes
    plan: Plan

    @property
    def network(self) -> JointNetwork:
        """That of the first fold, which leaves out the first half of the cases."""
        return next(iter(self.networks))


def target_of(seed: int = 0, cases: int = CASES) -> Target:
    """Two causes and censoring, at random."""
    rng = np.random.default_rng(seed)
    days, cause = rng.exponential(300.0, cases), rng.integers(0, 3, cases)
    edges = event_quantile_edges(days, cause > 0, BINS)
    return Target(("progression", "death"), cause, days, edges, survival=True)


def linear(seed: int = 0, **settings: Any) -> Linear:
    """Three modalities, a quarter of each absent; one feature of each tells of the first cause."""
    rng = np.random.default_rng(seed)
    target = target_of(seed)
    present = rng.random((CASES, len(NAMES))) < 0.75
    early = (target.cause == 1) & (target.days < 300.0)
    read = []
    for here in present.T:
        features = rng.normal(size=(CASES, 5)) + early[:, None] * [1.0, 0, 0, 0, 0]
        base, scores = rng.normal(size=(CASES, 2, 1)) * 0.1, rng.normal(size=(CASES, 2))
        read.append((base * here[:, None, None], features * here[:, None], scores * here[:, None]))
    first = np.arange(CASES) < CASES // 2
    torch.manual_seed(seed)
    networks = []
    for left_out in (first, ~first):
        readers = {name: LinearReader(*own, ~left_out) for name, own in zip(NAMES, read, strict=True)}
        networks.append(JointNetwork(readers, np.full((2, target.bins), -1.5), rank=2))
    config = TrainingConfig(**{"epochs": 6, "batch": 10, "device": "cpu", **settings})
    halves = torch.arange(CASES).split(CASES // 2)
    plan = Plan(halves[::-1], halves, seed, config)
    return Linear(Networks(networks), Outcomes.of(target, np.ones(CASES), present), plan)


def weights_of(networks: Networks) -> dict[str, bytes]:
    """The networks' weights, bit for bit."""
    return {name: value.numpy().tobytes() for name, value in networks.state_dict().items()}
