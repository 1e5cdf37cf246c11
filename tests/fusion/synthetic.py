"""Evidence with a known hazard behind it, without any evidence model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Target
from prognosis.cohort.target import event_quantile_edges
from prognosis.fusion.head import HazardHead, modality_pairs
from prognosis.fusion.inputs import FusionInputs

Array = NDArray[np.float64]


def inputs_of(
    cases: int, seed: int = 0, widths: tuple[int, ...] = (2, 3, 2), causes: int = 2
) -> FusionInputs:
    """Standard normal evidence and vectors, each modality of a case absent one time in four."""
    rng = np.random.default_rng(seed)
    present = rng.random((cases, len(widths))) < 0.75
    evidence = tuple(rng.normal(size=(cases, causes, 1)) * here[:, None, None] for here in present.T)
    vectors = tuple(
        rng.normal(size=(cases, width)) * here[:, None] for width, here in zip(widths, present.T, strict=True)
    )
    names = ("clinical", "text", "imaging")[: len(widths)]
    distance = rng.random((cases, len(widths))) * present
    return FusionInputs(names, present, evidence, vectors, distance, ((),) * cases)


def head_of(
    seed: int = 0, widths: tuple[int, ...] = (2, 3, 2), causes: int = 2, bins: int = 4, rank: int = 2
) -> HazardHead:
    """A head with random parameters, recalibration included."""
    rng = np.random.default_rng(seed)
    modalities = len(widths)
    return HazardHead(
        alpha=rng.normal(-1.5, 1.0, (causes, bins)),
        beta=rng.uniform(0.0, 1.5, (modalities, causes, bins)),
        factors=tuple(rng.normal(size=(width, rank)) for width in widths),
        strengths=rng.normal(size=(len(modality_pairs(modalities)), causes, rank)),
        shift=rng.normal(0.0, 0.2, (2**modalities, causes, bins)),
        scale=rng.uniform(0.5, 1.5, (2**modalities, causes)),
    )


def exponential_target(log_rate: Array, seed: int = 0, bins: int = 6) -> Target:
    """One cause at a constant rate of exp(log_rate) a year, censored at up to two years."""
    rng = np.random.default_rng(1000 + seed)
    event_days = rng.exponential(365.0 / np.exp(log_rate))
    censored_days = rng.uniform(30.0, 730.0, len(log_rate))
    days, event = np.minimum(event_days, censored_days), event_days <= censored_days
    edges = event_quantile_edges(days, event, bins)
    return Target(("event",), event.astype(np.int64), days, edges, survival=True)
