"""What the parts of a whole say against one another, and a shrinkage that keeps a read-out from saying it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STRENGTH = 10.0
_OVERLOOKED = 1.0  # of a standardised feature's variance: sampling alone brings parts apart by less


def shrink_contradiction(parts: Floats, weights: Floats) -> Floats:
    """(p, p) symmetric: features multiplied by it, under a ridge, are shrunk where their parts cancel.

    A read-out of a sum is told part by part, and a direction of the features in which parts vary and the sum
    does not (a patient who stands a little to one side moves the heart's shadow from one zone into another)
    costs it nothing: whatever is said of one part is taken back by another. The ridge's penalty |w|^2 becomes
    w' M w, where M is one but for such directions, and there grows by 10 times what the variances of the
    parts sum to beyond the variance of the sum, less that of one feature. A ridge in features F of penalty
    w' M w is the plain one in F M^(-1/2) (Hastie, Tibshirani and Friedman 2009, The Elements of Statistical
    Learning, section 3.4).

    Args:
        parts: (n, parts, p) in units of the standardised features, which are their sum; finite.
        weights: (n,) of the cases, with a mean of 1.
    """
    share = weights / weights.sum()
    about = parts - np.einsum("n,nrd->rd", share, parts)
    apart = sum(_covariance(about[:, place], share) for place in range(parts.shape[1]))
    beyond, directions = np.linalg.eigh(apart - _covariance(about.sum(axis=1), share))
    penalty = 1.0 + _STRENGTH * np.maximum(beyond - _OVERLOOKED, 0.0)
    return np.asarray((directions / np.sqrt(penalty)) @ directions.T)


def _covariance(about: Floats, share: Floats) -> Floats:
    return np.asarray((about * share[:, None]).T @ about)
