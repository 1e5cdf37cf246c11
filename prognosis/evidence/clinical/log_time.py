"""How far log survival times spread, under censoring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_time_spread(days: Floats, event: NDArray[np.bool_], weights: Floats) -> float:
    """Maximum-likelihood standard deviation of log time when it is normal, the same for everyone.

    XGBoost's accelerated-failure-time loss wants this number beforehand.

    Args:
        days: (n,) follow-up, > 0.
        event: (n,) True where it ended with the event.
        weights: (n,) case weights.
    """
    from scipy.optimize import minimize
    from scipy.stats import norm

    log_days = np.log(days)

    def loss(values: Floats) -> float:
        spread = np.exp(values[1])
        z = (log_days - values[0]) / spread
        each = np.where(event, norm.logpdf(z) - values[1], norm.logsf(z))
        return -float(weights @ each) / float(weights.sum())

    start = np.array([np.average(log_days, weights=weights), np.log(max(float(log_days.std()), 0.1))])
    bounds = [(None, None), (np.log(0.1), np.log(10.0))]
    return float(np.exp(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x[1]))
