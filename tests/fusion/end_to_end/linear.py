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
from prognosis.fusion.end_to_end.network import JointNetwork
from prognosis.fusion.end_to_end.objective import Outcomes
from prognosis.fusion.end_to_end.parts import LinearReader

CASES = 120
BINS = 4
NAMES = ("clinical", "text", "imaging")


@dataclass(frozen=True, slots=True)
class Linear:
    """What a training needs."""

    network: JointNetwork
    outcomes: Outcomes
    plan: Plan


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
    learn = np.arange(CASES) >= 30
    early = (target.cause == 1) & (target.days < 300.0)
    readers = {}
    for place, name in enumerate(NAMES):
        here = present[:, place, None]
        features = (rng.normal(size=(CASES, 5)) + early[:, None] * [1.0, 0, 0, 0, 0]) * here
        base, scores = rng.normal(size=(CASES, 2, 1)) * 0.1 * here[:, :, None], rng.normal(size=(CASES, 2))
        readers[name] = LinearReader(base, features, scores * here, learn)
    torch.manual_seed(seed)
    network = JointNetwork(readers, np.full((2, len(target.edges) - 1), -1.5), rank=2)
    config = TrainingConfig(**{"epochs": 6, "batch": 15, "device": "cpu", **settings})
    rows = torch.arange(CASES)
    plan = Plan(rows[30:], rows[:30], (seed, 0), config)
    return Linear(network, Outcomes.of(target, np.ones(CASES), present), plan)


def weights_of(network: JointNetwork) -> dict[str, bytes]:
    """The network's weights, bit for bit."""
    return {name: value.numpy().tobytes() for name, value in network.state_dict().items()}
