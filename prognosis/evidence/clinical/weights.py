"""Convex weights of the members of the clinical stack, by the integrated Brier score out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.survival.censoring import estimate_censoring

Floats = NDArray[np.float64]

_STEEPEST = 3.0
_TOWARD_EQUAL = 0.02  # in shares of the Brier score without evidence: a plain average is hard to beat
_ENOUGH_EVENTS = 200.0  # beyond which the cases themselves say more and more of what each member is worth


@dataclass(frozen=True, slots=True)
class CauseOutcome:
    """One cause on the grid of bins, the other causes censored; the hazard is constant within a bin.

    Attributes:
        exposure: (n, B) share of each bin lived through free of the event and under observation.
        happened: (n, B) 1 in the bin of the event.
        known: (n, B - 1) weight of the case's state at each inner edge; 0 where it is not known.
        over: (n, B - 1) True where the event came by the inner edge.
        spans: (B - 1,) share of the integral that each inner edge stands for.
        weights: (n,) case weights, mean 1.
        offset: (n, 1) log-hazard known from elsewhere, beside which the members are judged.
    """

    exposure: Floats
    happened: Floats
    known: Floats
    over: NDArray[np.bool_]
    spans: Floats
    weights: Floats
    offset: Floats

    def survival(self, evidence: Floats) -> Floats:
        """(n, B - 1) probability of no event by each inner edge, with Breslow's hazard in each bin.

        Args:
            evidence: (n, B or 1) log-hazard.
        """
        ratio = np.exp(np.clip(evidence + self.offset, -30.0, 30.0)) * np.ones((1, self.exposure.shape[1]))
        own = self.weights[:, None]
        at_risk = (own * self.exposure * ratio).sum(axis=0)
        hazard = (own * self.happened).sum(axis=0) / np.maximum(at_risk, 1e-300)
        return np.asarray(np.exp(-np.cumsum(ratio * hazard, axis=1)[:, :-1]))

    def brier(self, evidence: Floats) -> float:
        """Integrated Brier score between the first and the last inner edge; lower is better."""
        error = self.known * (self.over - (1.0 - self.survival(evidence))) ** 2
        return float(self.weights @ (error @ self.spans)) / float(self.weights.sum())

    def slope(self, evidence: Floats) -> float:
        """The factor, 0 to 3, at which the evidence has the highest partial likelihood."""
        wide = evidence * np.ones((1, self.exposure.shape[1]))
        own = self.weights[:, None]
        count = (own * self.happened).sum(axis=0)
        at = 1.0
        for _ in range(30):
            ratio = own * self.exposure * np.exp(np.clip(at * wide + self.offset, -30.0, 30.0))
            total = np.maximum(ratio.sum(axis=0), 1e-300)
            mean = (ratio * wide).sum(axis=0) / total
            spread = (ratio * wide**2).sum(axis=0) / total - mean**2
            gradient = float((own * self.happened * wide).sum() - count @ mean)
            step = float(np.clip(gradient / max(float(count @ spread), 1e-9), -1.0, 1.0))
            at = float(np.clip(at + step, 0.0, _STEEPEST))
            if abs(step) < 1e-8:
                break
        return at


def cause_outcome(target: Target, place: int, weights: Floats, offset: Floats) -> CauseOutcome:
    """The outcome of one cause.

    Args:
        target: What happened to each case.
        place: Which cause, from 0.
        weights: (n,) case weights.
        offset: (n,) log-hazard known from elsewhere.
    """
    event = target.happened[:, place]
    last = target.bin_of()
    bins = np.arange(target.bins)
    part = np.clip((target.days - target.edges[last]) / np.diff(target.edges)[last], 0.0, 1.0)
    exposure = (bins < last[:, None]).astype(float)
    exposure[np.arange(len(last)), last] = part
    happened = ((bins == last[:, None]) & event[:, None]).astype(float)
    inner = target.edges[1:-1]
    censoring = estimate_censoring(target.days, event)
    over = (target.days[:, None] <= inner) & event[:, None]
    free = target.days[:, None] > inner
    known = over * censoring.event_weight(target.days)[:, None] + free * censoring.free_weight(inner)
    return CauseOutcome(exposure, happened, known, over, _spans(inner), weights, offset[:, None])


def _spans(inner: Floats) -> Floats:
    """Weights of the trapezoid rule, in all 1; a single edge counts alone."""
    if len(inner) < 2:
        return np.ones(len(inner))
    halves = np.diff(inner) / 2.0
    spans = np.append(halves, 0.0) + np.append(0.0, halves)
    return np.asarray(spans / spans.sum())


def member_weights(
    members: Sequence[Floats], outcome: CauseOutcome, usable: NDArray[np.bool_], trust: float
) -> Floats:
    """(M,) factor of each member's evidence: its slope times a convex weight, in all 1.

    Where the first member misled out of fold, nothing can be given back to it: then they are `trust` in all.

    Slopes bring the members to one scale; how steep the whole is, the fusion decides. (A slope chosen without
    a fold leans against that fold's own, so that a second one on all folds together comes out too flat.)

    The weights minimise the integrated Brier score plus a small penalty on unequal shares, which fades with
    the number of events beyond 200. What goes to other members than the first is then shrunk by `trust`.

    Args:
        members: M arrays (n, B or 1) of out-of-fold evidence, the first one to fall back on.
        outcome: What happened.
        usable: (M,) False for a member that learned nothing of this cause.
        trust: 0 to 1.
    """
    from scipy.optimize import minimize

    slopes = np.array([outcome.slope(own) if ok else 0.0 for own, ok in zip(members, usable, strict=True)])
    here = [place for place, slope in enumerate(slopes) if slope > 0.0]
    factors = np.zeros(len(members))
    if not here:
        return factors
    wide = np.stack([slopes[m] * members[m] * np.ones((1, outcome.exposure.shape[1])) for m in here])
    equal = np.full(len(here), 1.0 / len(here))
    level = max(outcome.brier(np.zeros((1, 1))), 1e-12)
    penalty = _TOWARD_EQUAL * min(1.0, _ENOUGH_EVENTS / max(float(outcome.happened.sum()), 1.0))

    def loss(shares: Floats) -> float:
        own = outcome.brier(np.tensordot(shares, wide, axes=1)) / level
        return own + penalty * float(((shares - equal) ** 2).sum())

    solved = minimize(
        loss,
        equal,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * len(here),
        constraints={"type": "eq", "fun": lambda shares: shares.sum() - 1.0},
        options={"maxiter": 60, "ftol": 1e-7},
    )
    shares = np.clip(solved.x, 0.0, 1.0)
    shares /= shares.sum()
    shares[np.array(here) > 0] *= trust
    if here[0] == 0:
        shares[0] += 1.0 - shares.sum()
    weighed = shares * slopes[here]
    total = 1.0 if here[0] == 0 else trust
    factors[here] = total * weighed / max(float(weighed.sum()), 1e-12)
    return factors
