"""The discrete-time competing-risks likelihood that the fusion is fitted by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Exposure:
    """A target on the grid of bins.

    Attributes:
        at_risk: (n, B) share of each bin that a case lived through under observation, 1 in its event's bin.
        happened: (n, K, B) 1 where the cause happened.
    """

    at_risk: Array
    happened: Array

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Exposure:
        """The exposure of the cases at `rows`."""
        return Exposure(self.at_risk[rows], self.happened[rows])


def exposure_of(target: Target) -> Exposure:
    """Spread each case's follow-up over the bins.

    A censored case is at risk for the part of its last bin that it was seen in (cumulative hazard linear
    within a bin), so that wide bins do not bias the hazard.
    """
    cases, bins = len(target), target.bins
    last = target.bin_of()
    at_risk = (np.arange(bins) < last[:, None]).astype(np.float64)
    rows = np.arange(cases)
    widths = np.diff(target.edges)
    part = np.clip((target.days - target.edges[last]) / widths[last], 0.0, 1.0)
    event = target.cause > 0
    at_risk[rows, last] = np.where(event | (not target.survival), 1.0, part)
    happened = np.zeros((cases, len(target.causes), bins))
    happened[rows[event], target.cause[event] - 1, last[event]] = 1.0
    return Exposure(at_risk, happened)


def negative_log_likelihood(log_hazard: Array, exposure: Exposure) -> Array:
    """(n,) each case's negative log-likelihood under log-odds (n, K, B)."""
    top = np.maximum(log_hazard.max(axis=1), 0.0)
    log_total = top + np.log(np.exp(-top) + np.exp(log_hazard - top[:, None]).sum(axis=1))
    spent = (exposure.at_risk * log_total).sum(axis=1)
    return np.asarray(spent - (exposure.happened * log_hazard).sum(axis=(1, 2)))


def torch_negative_log_likelihood(log_hazard: Tensor, at_risk: Tensor, happened: Tensor) -> Tensor:
    """The same for tensors, differentiable: log_hazard (n, K, B) -> (n,)."""
    import torch

    surviving = torch.zeros_like(log_hazard[:, :1])
    log_total = torch.logsumexp(torch.cat([surviving, log_hazard], dim=1), dim=1)
    return (at_risk * log_total).sum(dim=1) - (happened * log_hazard).sum(dim=(1, 2))
