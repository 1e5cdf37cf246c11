"""Whether treating those ranked first gains more than treating at random: Qini and AUTOC.

Yadlowsky, Fleming, Shah, Brunskill and Wager, J Am Stat Assoc 2025;120:38, on doubly robust scores. With
TOC(q) the mean effect among the share q ranked first, less the mean effect of all, AUTOC is its mean over q
and the Qini coefficient the mean of q TOC(q). Both are 0 for a ranking that says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.bootstrap import replicate_values
from prognosis.treatment.estimate import Estimate, estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RankingValue:
    """What a ranking by predicted effect is worth, in the unit of the scores.

    Attributes:
        autoc: Area under the curve of targeting; finds an effect that few patients have.
        qini: Qini coefficient; finds an effect that many have.
        shares: (Q,) shares of patients treated, 0 to 1.
        gains: (Q,) mean effect per patient of the whole when only the first share is treated.
    """

    autoc: Estimate
    qini: Estimate
    shares: Floats
    gains: Floats


def ranking_value(
    predicted: Floats,
    difference: Floats,
    patients: NDArray[np.str_],
    *,
    replicates: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> RankingValue:
    """Judge a ranking by predicted effects.

    Standard errors are those of patients drawn again. Cases of equal prediction share their mean.

    Of predictions out of fold only an interval above 0 is a finding. Where a fold's effects happen to be
    large, the other folds' are small, and so is what they predict for it: a model that tells no patients
    apart lies below 0 on average, and its interval far more often than one time in forty (Wager, "Sequential
    validation of treatment heterogeneity", arXiv 2405.05534). Ranked within folds it would lie about 0, but
    the folds' dependence, which the bootstrap does not know, would then put too many intervals above 0.

    Args:
        predicted: (n,) effect predicted out of fold; the largest is ranked first.
        difference: (n,) scores under the arm less those under the reference.
        patients: (n,) the patient of each case.
        replicates: Bootstrap samples.
        seed: Of the draws.
        level: Coverage of intervals.
    """
    order = np.argsort(-predicted, kind="stable")
    ordered = predicted[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=np.inf) != 0)
    scores = difference[order]

    def area(kind: int) -> Estimate:
        def of(weights: Floats) -> Floats:
            return _areas(weights[:, order], scores, starts)[kind]

        drawn = replicate_values(of, patients, replicates, seed)
        return estimate(float(of(once)[0]), float(drawn.std(ddof=1)), level)

    once = np.ones((1, len(scores)))
    shares = np.linspace(0.0, 1.0, 21)
    upto = np.concatenate([[0.0], np.cumsum(_levelled(once, scores, starts)[0])]) / len(scores)
    gains = np.interp(shares, np.arange(len(scores) + 1) / len(scores), upto)
    return RankingValue(
        area(0),
        area(1),
        shares,
        gains,
    )


def _areas(weights: Floats, scores: Floats, starts: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """(R,) AUTOC and Qini coefficient under (R, n) weights of cases in order of their rank."""
    total = weights.sum(axis=1, keepdims=True)
    share = np.cumsum(weights, axis=1) / total
    gained = np.cumsum(_levelled(weights, scores, starts), axis=1) / total
    above = gained - share * gained[:, -1:]
    each = weights / total
    toc = np.divide(above, share, out=np.zeros_like(above), where=share > 0)
    return (each * toc).sum(axis=1), (each * above).sum(axis=1)


def _levelled(weights: Floats, scores: Floats, starts: NDArray[np.intp]) -> Floats:
    """(R, n) weighted scores, the cases of one rank sharing their mean."""
    weighed = weights * scores
    if len(starts) == len(scores):
        return weighed
    size = np.diff(np.append(starts, len(scores)))
    own = np.add.reduceat(weights, starts, axis=1)
    mean = np.divide(np.add.reduceat(weighed, starts, axis=1), own, out=np.zeros_like(own), where=own > 0)
    return np.asarray(weights * np.repeat(mean, size, axis=1))
