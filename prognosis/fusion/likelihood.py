"""The discrete-time competing-risks likelihood that the fusion is fitted by.

A case has one question, whose K causes exclude one another (softmax), or K questions of one finding each
(sigmoids): log-odds (n, K, B) fall into Q = 1 or K groups, and a group's likelihood has the same form.

All are exponential families: at_risk A(eta) - happened eta, whose mean is A'. A measurement is one too, with
A(eta) = eta^2 / 2: `happened` is the value and `at_risk` one, both over the variance of the error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.fusion.head import cause_hazards
from prognosis.fusion.inputs import FusionInputs

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]

_SMALLEST_VARIANCE = 1e-6  # of an error, as a part of the values' own


@dataclass(frozen=True, slots=True)
class Exposure:
    """A target on the grid of bins.

    Attributes:
        at_risk: (n, Q, B) share of each bin that a case lived through under observation, 1 in its event's
            bin; 0 for a finding of which nothing is known.
        happened: (n, K, B) 1 where the cause happened.
        gaussian: True for a measurement, whose eta (n, 1, 1) is its mean.
    """

    at_risk: Array
    happened: Array
    gaussian: bool = False

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Exposure:
        """The exposure of the cases at `rows`."""
        return Exposure(self.at_risk[rows], self.happened[rows], self.gaussian)

    def mean(self, eta: Array) -> Array:
        """(n, K, B) what is expected of `happened`, a unit of `at_risk`, at eta: hazards, or the value."""
        return eta if self.gaussian else cause_hazards(eta, self.at_risk.shape[1])

    def spread(self, mean: Array) -> Array:
        """How fast `mean` grows with its own eta: the variance of one trial at a mean."""
        return np.ones_like(mean) if self.gaussian else mean * (1.0 - mean)


def exposure_of(target: Target, inputs: FusionInputs | None = None) -> Exposure:
    """Spread each case's follow-up over the bins; of a measurement, weigh its value.

    A censored case is at risk for the part of its last bin that it was seen in (cumulative hazard linear
    within a bin), so that wide bins do not bias the hazard.

    Args:
        target: What happened.
        inputs: Out-of-fold evidence, from which the variance of a measurement's error is taken: what least
            squares on the modalities' sums leaves. Without it, that of the values themselves.
    """
    if target.values is not None:
        precision = 1.0 / _error_variance(target.values, inputs)
        weights = np.full((len(target), 1, 1), precision)
        return Exposure(weights, precision * target.values[:, None, None], gaussian=True)
    cases, bins = len(target), target.bins
    last = target.bin_of()
    at_risk = (np.arange(bins) < last[:, None]).astype(np.float64)
    rows = np.arange(cases)
    widths = np.diff(target.edges)
    part = np.clip((target.days - target.edges[last]) / widths[last], 0.0, 1.0)
    event = target.cause > 0
    at_risk[rows, last] = np.where(event | (not target.survival), 1.0, part)
    happened = target.happened[:, :, None] & (np.arange(bins) == last[:, None, None])
    return Exposure(at_risk[:, None] * target.answered[:, :, None], happened.astype(np.float64))


def _error_variance(values: Array, inputs: FusionInputs | None) -> float:
    columns = [np.ones(len(values))]
    columns += [] if inputs is None else [evidence[:, 0, 0] for evidence in inputs.evidence]
    design = np.column_stack(columns)
    residual = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return max(float((residual**2).mean()), _SMALLEST_VARIANCE)


def average_log_odds(exposure: Exposure, weights: Array | None = None) -> Array:
    """(K, B) log-odds of each cause against surviving the bin for the average case; half an event is added.

    Of a measurement, its mean.

    Args:
        exposure: Of n cases.
        weights: (n,) weight of each case; None for ones.
    """
    weights = np.ones(len(exposure.at_risk)) if weights is None else weights
    if exposure.gaussian:
        value = np.einsum("n,nkb->kb", weights, exposure.happened)
        return np.asarray(value / np.einsum("n,nqb->qb", weights, exposure.at_risk))
    happened = np.einsum("n,nkb->kb", weights, exposure.happened) + 0.5
    at_risk = np.einsum("n,nqb->qb", weights, exposure.at_risk)
    grouped = happened.reshape(len(at_risk), -1, happened.shape[1])
    surviving = np.maximum(at_risk + 1.0 - grouped.sum(axis=1), 0.5)
    return np.asarray(np.log(grouped / surviving[:, None])).reshape(happened.shape)


def negative_log_likelihood(log_hazard: Array, exposure: Exposure) -> Array:
    """(n,) each case's negative log-likelihood under log-odds (n, K, B), or means; up to a constant."""
    if exposure.gaussian:
        each = 0.5 * exposure.at_risk * log_hazard**2 - exposure.happened * log_hazard
        return np.asarray(each.sum(axis=(1, 2)))
    cases, questions, bins = exposure.at_risk.shape
    grouped = log_hazard.reshape(cases, questions, -1, bins)
    top = np.maximum(grouped.max(axis=2), 0.0)
    log_total = top + np.log(np.exp(-top) + np.exp(grouped - top[:, :, None]).sum(axis=2))
    spent = (exposure.at_risk * log_total).sum(axis=(1, 2))
    return np.asarray(spent - (exposure.happened * log_hazard).sum(axis=(1, 2)))


def torch_negative_log_likelihood(
    log_hazard: Tensor, at_risk: Tensor, happened: Tensor, *, gaussian: bool = False
) -> Tensor:
    """The same for tensors, differentiable: log_hazard (n, K, B) -> (n,)."""
    import torch

    if gaussian:
        return (0.5 * at_risk * log_hazard.square() - happened * log_hazard).sum(dim=(1, 2))

    cases, questions, bins = at_risk.shape
    grouped = log_hazard.reshape(cases, questions, -1, bins)
    surviving = torch.zeros_like(grouped[:, :, :1])
    log_total = torch.logsumexp(torch.cat([surviving, grouped], dim=2), dim=2)
    return (at_risk * log_total).sum(dim=(1, 2)) - (happened * log_hazard).sum(dim=(1, 2))
