"""How much each person moves an estimate of cumulative incidence: the infinitesimal jackknife.

The derivative of the estimate in a person's case weight, at weights of one. Its squares sum to a variance
(for Kaplan-Meier, Greenwood's); summed within patients first, to one that allows for several cases a patient.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.curves import Floats, life_table


def incidence_influence(days: Floats, cause: NDArray[np.int64], of_cause: int, times: Floats) -> Floats:
    """(n, T) derivative of the Aalen-Johansen estimate at `times` in each person's weight; columns sum to 0.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        of_cause: The cause asked about.
        times: (T,) days.
    """
    return _influence(days, cause, of_cause, lambda event: (event[:, None] <= times).astype(np.float64))


def days_lost_influence(days: Floats, cause: NDArray[np.int64], of_cause: int, tau: float) -> Floats:
    """(n,) the same for the area under the Aalen-Johansen curve from 0 to `tau`; arguments as above."""
    return _influence(days, cause, of_cause, lambda event: np.clip(tau - event, 0.0, None)[:, None])[:, 0]


def _influence(
    days: Floats, cause: NDArray[np.int64], of_cause: int, worth: Callable[[Floats], Floats]
) -> Floats:
    """(n, T) influence on the sum, over jumps of the curve at u, of jump times `worth(u)` (J, T).

    A person's own event of the cause adds S(u-)/Y(u); any event of theirs takes from others the chance of
    getting further, and time at risk without one gives it back (Lin, Stat Med 1997;16:901, section 2).
    """
    table = life_table(days, np.where(cause == of_cause, 1, np.where(cause > 0, 2, 0)), 2)
    hazard = table.events.sum(axis=0) / table.at_risk
    own_hazard = table.events[0] / table.at_risk
    free_before = np.concatenate([[1.0], np.cumprod(1.0 - hazard)[:-1]])
    # Nobody is left after a hazard of 1, so nobody's chance of getting further can change.
    left = table.at_risk * (1.0 - hazard)
    per_event = np.divide(1.0, left, out=np.zeros_like(left), where=hazard < 1.0)
    worths = worth(table.days)
    jumps = worths * (free_before * own_hazard)[:, None]
    gained = worths * (free_before / table.at_risk)[:, None]
    lost = (jumps.sum(axis=0) - np.cumsum(jumps, axis=0)) * per_event[:, None]
    expected = np.cumsum(gained * own_hazard[:, None] - lost * hazard[:, None], axis=0)
    row = np.searchsorted(table.days, days)
    event = (cause > 0)[:, None]
    influence: Floats = gained[row] * (cause == of_cause)[:, None] - lost[row] * event - expected[row]
    return influence
