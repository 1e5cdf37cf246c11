"""How modalities interact: bilinear in their vectors, shrunk by empirical Bayes, kept in few directions.

For each pair of modalities and each cause the products of the two vectors' entries are covariates whose
coefficients are normal about zero. Their variance maximises the marginal likelihood in the normal
approximation (MacKay 1992, Neural Computation 4:415), which is largest at zero unless the cases' likelihood
gains more than chance would give: then the pair does not interact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.head import HazardHead, modality_pairs
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure, negative_log_likelihood

Array = NDArray[np.float64]

LEAST_EVIDENCE = 3.0
"""Nats of marginal likelihood that a pair must gain for its interaction to be kept.

Strong evidence, as Kass and Raftery have it (1995, JASA 90:773); of several pairs chance alone gives one or
another a nat or two.
"""
LEAST_INFORMATION = 350.0
"""Information about a cause's intercept (about its events; cases of a measurement) for one to be sought.

With a few hundred patients the models of different folds put different scales and different entries into the
vectors, and products show what is of the folds: at 300 simulated patients (135 events) two cohorts of five
had an interaction that cost other patients hundreds of nats.
"""
SIMPLER_FIRST = 3.0
"""Nats by which many products must be likelier than one to be believed."""
LEAST_KEPT = 0.5
"""Of the likelihood that the normal approximation promises, the share that must be there.

Where a few cases have products far beyond all others', the approximation may promise much and cost more. A
shorter step is tried then, and after the last one the evidence is asked for once more.
"""
_VARIANCES = np.geomspace(1e-6, 10.0, 100)
_SWEEPS = 8
_LENGTHS = (1.0, 0.5, 0.25, 0.125)


@dataclass(frozen=True, slots=True)
class Interaction:
    """The bilinear part of a head.

    Attributes:
        factors: M arrays (width, rank), as in `HazardHead`.
        strengths: (pairs, causes, rank), likewise.
    """

    factors: tuple[Array, ...]
    strengths: Array

    @property
    def rank(self) -> int:
        """Directions that are used; 0 where no modalities interact."""
        return self.strengths.shape[2]


def fit_interaction(
    head: HazardHead, inputs: FusionInputs, exposure: Exposure, rank: int, shares: Array
) -> Interaction:
    """The interaction of every pair of modalities beside a fitted head without one.

    Args:
        head: Fitted to these cases, neutral in its recalibration.
        inputs: Out-of-fold evidence.
        exposure: What happened.
        rank: Most directions that are kept over all pairs and causes, those that move the log-hazard most.
        shares: (n,) how much each case counts: one over the number of its patient's cases, for what they
            have in common would otherwise speak several times.
    """
    causes = len(head.alpha)
    blocks = [
        _Block.of(inputs, pair, first, second)
        for pair, (first, second) in enumerate(modality_pairs(len(inputs.modalities)))
    ]
    weights = [np.zeros((causes, block.products.shape[1])) for block in blocks]
    deviation = head.deviation(inputs)
    for sweep in range(_SWEEPS if rank else 0):
        last = sweep == _SWEEPS - 1
        for block, own in zip(blocks, weights, strict=True):
            for cause in range(causes):
                joint = sum((b.products @ w.T for b, w in zip(blocks, weights, strict=True)), np.zeros(()))
                eta = head.alpha + deviation + np.asarray(joint)[:, :, None]
                near = _Approximation.at(eta, block, own[cause], exposure, inputs, cause, shares)
                if near.known < LEAST_INFORMATION:
                    continue
                best, nats = near.best()
                if last:
                    own[cause] *= nats - near.overstated() >= LEAST_EVIDENCE
                elif nats >= LEAST_EVIDENCE or own[cause].any():  # what was found settles
                    own[cause] = near.towards(best)
    return _in_few_directions(blocks, weights, inputs, rank)


@dataclass(frozen=True, slots=True)
class _Block:
    """The products of two modalities' vectors, each entry in units of its spread."""

    pair: int
    first: int
    second: int
    scales: tuple[Array, Array]
    products: Array

    @classmethod
    def of(cls, inputs: FusionInputs, pair: int, first: int, second: int) -> _Block:
        scales = _spread(inputs, first), _spread(inputs, second)
        left, right = inputs.vectors[first] / scales[0], inputs.vectors[second] / scales[1]
        products = (left[:, :, None] * right[:, None, :]).reshape(len(inputs), -1)
        return cls(pair, first, second, scales, products)

    def matrix(self, weights: Array) -> Array:
        """(width, width) W for the standardised vectors."""
        return weights.reshape(len(self.scales[0]), len(self.scales[1]))


def _spread(inputs: FusionInputs, place: int) -> Array:
    here = inputs.present[:, place]
    vector = inputs.vectors[place]
    spread = vector[here].std(axis=0) if here.any() else np.zeros(vector.shape[1])
    return np.where(spread > 1e-9, spread, np.inf)  # a constant direction cannot interact


@dataclass(frozen=True, slots=True)
class _Approximation:
    """The log-likelihood near what a block's coefficients are now, taken for quadratic.

    The products are taken apart from the intercept and from the evidence, which the head has fitted already
    (the efficient score).

    Attributes:
        weights: (products,) the coefficients now.
        score: (products,) slope at zero.
        information: (products, products) its curvature.
        known: The curvature along the intercept.
        gain: What the log-likelihood itself gains by (products,) other coefficients.
    """

    weights: Array
    score: Array
    information: Array
    known: float
    gain: Callable[[Array], float]

    @classmethod
    def at(
        cls,
        eta: Array,
        block: _Block,
        weights: Array,
        exposure: Exposure,
        inputs: FusionInputs,
        cause: int,
        shares: Array,
    ) -> _Approximation:
        """Of one cause at eta (n, causes, bins), which holds the coefficients' part."""
        questions = exposure.at_risk.shape[1]
        mean = exposure.mean(eta)[:, cause]
        at_risk = exposure.at_risk[:, cause if questions > 1 else 0]
        residual = shares * (exposure.happened[:, cause] - at_risk * mean).sum(axis=1)
        curvature = shares * (at_risk * exposure.spread(mean)).sum(axis=1)
        fitted = [np.ones(len(inputs)), *(evidence[:, cause].mean(axis=1) for evidence in inputs.evidence)]
        already = np.column_stack(fitted)
        weighed = curvature[:, None] * already
        back = np.linalg.lstsq(already.T @ weighed, weighed.T @ block.products, rcond=None)[0]
        apart = block.products - already @ back
        information = apart.T @ (curvature[:, None] * apart)
        now = negative_log_likelihood(eta, exposure)

        def gain(others: Array) -> float:
            moved = eta.copy()
            moved[:, cause] += (apart @ (others - weights))[:, None]
            return float(shares @ (now - negative_log_likelihood(moved, exposure)))

        score = apart.T @ residual + information @ weights
        return cls(weights, score, information, float(curvature.sum()), gain)

    def best(self) -> tuple[Array, float]:
        """The coefficients of the likelier story, the simpler first, and the nats gained over none."""
        many, nats = _many(self.score, self.information)
        one = _one(self.score, np.diag(self.information))
        return max(one, (many, nats - SIMPLER_FIRST), key=lambda each: each[1])

    def towards(self, best: Array) -> Array:
        """The coefficients as far towards others as the approximation holds; none where it never does."""
        for length in _LENGTHS:
            there = self.weights + length * (best - self.weights)
            promised = self._value(there) - self._value(self.weights)
            if self.gain(there) >= promised - (1.0 - LEAST_KEPT) * abs(promised):
                return there
        return np.zeros_like(best)

    def overstated(self) -> float:
        """By how many nats the approximation overstates what the coefficients now gain over none."""
        return self._value(self.weights) + self.gain(np.zeros_like(self.weights))

    def _value(self, weights: Array) -> float:
        return float(self.score @ weights - 0.5 * weights @ self.information @ weights)


def _many(score: Array, information: Array) -> tuple[Array, float]:
    """Coefficients where all products may matter, and the nats gained over none.

    They are shrunk once more in proportion to their first size, as a read-out's are.
    """
    first, evidence = _posterior(score, information)
    size = np.abs(first) / max(float(np.sqrt((first**2).mean())), 1e-12)
    second, _ = _posterior(size * score, size[:, None] * information * size)
    return size * second, evidence


def _one(score: Array, information: Array) -> tuple[Array, float]:
    """Coefficients where one product matters, each as likely as the others, and the nats gained over none."""
    spread = 1.0 + _VARIANCES[:, None] * information
    evidence = 0.5 * (_VARIANCES[:, None] * score**2 / spread - np.log(spread))
    best = evidence.argmax(axis=0)
    variance, nats = _VARIANCES[best], evidence.max(axis=0)
    top = float(nats.max())
    share = np.exp(nats - top)
    mean = variance * score / (1.0 + variance * information)
    return np.asarray(share / share.sum() * mean), top + float(np.log(share.mean()))


def _posterior(score: Array, information: Array) -> tuple[Array, float]:
    """The coefficients' posterior mean at the best variance, and the marginal likelihood gained over zero."""
    values, directions = np.linalg.eigh(information)
    values, along = np.maximum(values, 0.0), directions.T @ score
    spread = 1.0 + _VARIANCES[:, None] * values
    evidence = 0.5 * (_VARIANCES[:, None] * along**2 / spread - np.log(spread)).sum(axis=1)
    best = int(np.argmax(evidence))
    return np.asarray(directions @ (_VARIANCES[best] * along / spread[best])), float(max(evidence[best], 0.0))


def _in_few_directions(
    blocks: list[_Block], weights: list[Array], inputs: FusionInputs, rank: int
) -> Interaction:
    """The leading singular directions of all pairs' and causes' matrices."""
    causes = len(weights[0]) if weights else 1
    found: list[tuple[float, int, int, Array, Array]] = []
    for number, (block, own) in enumerate(zip(blocks, weights, strict=True)):
        for cause in range(causes):
            left, sizes, right = np.linalg.svd(block.matrix(own[cause]), full_matrices=False)
            found += [
                (float(size), number, cause, left[:, k], right[k])
                for k, size in enumerate(sizes)
                if size > 1e-9
            ]
    found = sorted(found, key=lambda each: -each[0])[:rank]
    factors = [np.zeros((vector.shape[1], len(found))) for vector in inputs.vectors]
    strengths = np.zeros((len(blocks), causes, len(found)))
    for place, (size, number, cause, left, right) in enumerate(found):
        block = blocks[number]
        factors[block.first][:, place] = left / block.scales[0]
        factors[block.second][:, place] = right / block.scales[1]
        strengths[number, cause, place] = size
    return Interaction(tuple(factors), strengths)
