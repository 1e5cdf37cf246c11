"""Negative binomial log-likelihood under censoring: how surprising the outcomes were, given the risks.

Beside the Brier score it is the other proper score of Graf et al. (Stat Med 1999;18:2529): the squared error
is replaced by -log of the probability given to what happened, with the same inverse-probability weights and
the same mean over all cases. A confident error costs far more than in the Brier score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.brier import had_event, integrate, known_state_weights
from prognosis.survival.censoring import Censoring
from prognosis.survival.curves import Floats

LEAST_PROBABILITY = 1e-7
"""Risks are kept this far from 0 and 1 (as pycox does): one impossible outcome would cost infinity."""


def nbll_contributions(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    times: Floats,
    censoring: Censoring,
    of_cause: int = 1,
) -> Floats:
    """(n, T) each case's weighted surprise in nats; the mean over cases is the score.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n, T) predicted cumulative incidence of `of_cause` at `times`, 0 to 1.
        times: (T,) days.
        censoring: Estimated on the training cases.
        of_cause: The cause asked about; having had another one by then counts as not having had this one.
    """
    kept = np.clip(risk, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
    surprise = -np.where(had_event(days, cause, times, of_cause), np.log(kept), np.log1p(-kept))
    return known_state_weights(days, cause, times, censoring) * surprise


def nbll(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    times: Floats,
    censoring: Censoring,
    of_cause: int = 1,
) -> Floats:
    """(T,) negative binomial log-likelihood at each time; lower is better. Arguments as above."""
    scores: Floats = nbll_contributions(days, cause, risk, times, censoring, of_cause).mean(axis=0)
    return scores


def integrated_nbll(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    times: Floats,
    censoring: Censoring,
    of_cause: int = 1,
) -> float:
    """Its mean over the grid, by the trapezoid rule; lower is better. Arguments as above."""
    return float(integrate(nbll(days, cause, risk, times, censoring, of_cause), times))
