"""Convex weights between two members of one modality, chosen on cases that neither has seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evidence.readout import FEWEST_EVENTS, cause_log_likelihood

Floats = NDArray[np.float64]

EVENTS_PER_FEATURE = 10.0
_GRID = np.linspace(0.0, 1.0, 11)


def convex_weights(
    first: Floats, second: Floats, target: Target, features: int = 0, weights: Floats | None = None
) -> Floats:
    """(causes,) the share of the second member that makes the out-of-fold likelihood highest.

    With fewer than ten events per feature the share is shrunk toward the first member in proportion: no
    method beats Cox regression significantly on 34 data sets (Burk et al., arXiv 2406.04098), so the linear
    member must be allowed to win.

    Args:
        first: (n, causes) out-of-fold evidence of the member to fall back on.
        second: (n, causes) out-of-fold evidence of the other.
        target: What happened to each case.
        features: Features that the second member may use; 0 for no shrinkage.
        weights: (n,) case weights; None for ones.
    """
    return np.array(
        [
            convex_weight(first[:, place], second[:, place], target, place, features, weights)
            for place in range(len(target.causes))
        ]
    )


def convex_weight(
    first: Floats, second: Floats, target: Target, place: int, features: int, weights: Floats | None
) -> float:
    """The share for one cause of evidence (n,); see `convex_weights`."""
    events = int(target.happened[:, place].sum())
    if events < FEWEST_EVENTS:
        return 0.0
    likelihood = [
        cause_log_likelihood(target, place, (1.0 - share) * first + share * second, weights)
        for share in _GRID
    ]
    return float(_GRID[int(np.argmax(likelihood))]) * trust(events, features)


def trust(events: int, features: int) -> float:
    """The share of its weight that a member keeps which may use that many features; 0 to 1."""
    if events < FEWEST_EVENTS:
        return 0.0
    return min(1.0, events / (EVENTS_PER_FEATURE * features)) if features else 1.0


def convex_weights_by_fold(
    first: Floats,
    second: Floats,
    target: Target,
    folds: NDArray[np.int64],
    features: int = 0,
    weights: Floats | None = None,
) -> Floats:
    """(folds, causes) shares, each chosen without the cases of its own fold."""
    rows = []
    for fold in range(int(folds.max()) + 1):
        kept = folds != fold
        own = None if weights is None else weights[kept]
        rows.append(convex_weights(first[kept], second[kept], target.take(kept), features, own))
    return np.array(rows)
