"""What the network is trained to lower: Cox's likelihood in Poisson form, softmax's, sigmoids', squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST = 8.0  # |log-hazard| beyond which a pull no longer grows
_LARGEST_ERROR = 3.0  # spreads of a measurement, likewise


def breslow_exposure(
    days: NDArray[np.float64], event: NDArray[np.bool_], log_hazard: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) baseline cumulative hazard of one cause at each case's follow-up (Breslow 1974).

    Args:
        days: (n,) follow-up.
        event: (n,) True where this cause occurred; any other end is censoring.
        log_hazard: (n,) relative log-hazard of each case.
    """
    times = np.unique(days[event])
    if not len(times):
        return np.zeros(len(days))
    order = np.argsort(days)
    at_risk_from = np.cumsum(np.exp(log_hazard[order])[::-1])[::-1]
    at_risk = at_risk_from[np.searchsorted(days[order], times, side="left")]
    deaths = np.bincount(np.searchsorted(times, days[event]), minlength=len(times))
    cumulative = np.concatenate([[0.0], np.cumsum(deaths / at_risk)])
    return cumulative[np.searchsorted(times, days, side="right")]


def poisson_cox_loss(log_hazard: Tensor, exposure: Tensor, event: Tensor) -> Tensor:
    """Mean over cases of sum_k [ exposure_k exp(g_k) - event_k g_k ].

    With the exposure at its Breslow estimate this is the Cox partial likelihood (up to a constant) written as
    a sum over cases, so batches of any size give unbiased gradients: the martingale residuals (Laird and
    Olivier, JASA 1981).

    Args:
        log_hazard: (n, causes).
        exposure: (n, causes) baseline cumulative hazard at the end of follow-up.
        event: (n, causes) 1 where the cause occurred.
    """
    bounded = log_hazard.clamp(-_LARGEST, _LARGEST)
    return (exposure * bounded.exp() - event * bounded).sum(dim=1).mean()


def class_loss(log_odds: Tensor, intercept: Tensor, event: Tensor, answered: Tensor) -> Tensor:
    """Mean over cases of the negative log-likelihood of a class, or of all findings that are known of it.

    One question: softmax over the classes, the reference class with log-odds zero. A question a finding:
    binary cross-entropy of each, left out where it is not known.

    Args:
        log_odds: (n, causes).
        intercept: (causes,).
        event: (n, causes) 1 for the class that is true, for a finding that is present.
        answered: (n, 1) or (n, causes) 1 where the question has an answer.
    """
    import torch

    total = log_odds + intercept
    grouped = total.reshape(*answered.shape, -1)
    normaliser = torch.logsumexp(torch.cat([torch.zeros_like(grouped[:, :, :1]), grouped], dim=2), dim=2)
    return ((answered * normaliser).sum(dim=1) - (event * total).sum(dim=1)).mean()


def squared_loss(expected: Tensor, values: Tensor) -> Tensor:
    """Half the mean squared error of a measurement, (n, 1) both; pulls are bounded as Huber's are."""
    import torch

    return torch.nn.functional.huber_loss(expected, values, delta=_LARGEST_ERROR)
