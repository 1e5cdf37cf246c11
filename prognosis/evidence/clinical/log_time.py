"""Log survival times that are normal about a line in what is known, under censoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LogTime:
    """Where log time lies before anything more is learned.

    Attributes:
        centre: (n,) its mean for each case.
        spread: Its standard deviation, the same for everyone.
    """

    centre: Floats
    spread: float


def log_time(days: Floats, event: NDArray[np.bool_], weights: Floats, offset: Floats) -> LogTime:
    """Maximum likelihood of normal log times whose mean falls along a line in a log-hazard that is known.

    XGBoost's accelerated-failure-time loss wants the spread beforehand, and starts from the centre.

    Args:
        days: (n,) follow-up, > 0.
        event: (n,) True where it ended with the event.
        weights: (n,) case weights.
        offset: (n,) log-hazard known from elsewhere; zeros for none.
    """
    from scipy.optimize import minimize
    from scipy.stats import norm

    log_days = np.log(days)
    slopes = [(None, None)] if offset.any() else [(0.0, 0.0)]

    def loss(values: Floats) -> float:
        spread = np.exp(values[1])
        z = (log_days - values[0] - values[2] * offset) / spread
        each = np.where(event, norm.logpdf(z) - values[1], norm.logsf(z))
        return -float(weights @ each) / float(weights.sum())

    start = np.array([np.average(log_days, weights=weights), np.log(max(float(log_days.std()), 0.1)), 0.0])
    bounds = [(None, None), (np.log(0.1), np.log(10.0)), *slopes]
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    return LogTime(found[0] + found[2] * offset, float(np.exp(found[1])))
