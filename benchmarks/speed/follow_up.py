"""A simulated follow-up as hospitals have it: whole days, half of it censored, risks with three decimals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """n people.

    Attributes:
        days: (n,) whole days of follow-up, so that many are tied.
        cause: (n,) 1 where the event was seen, 0 when censored.
        risk: (n,) higher = sooner; rounded, so that some are tied.
    """

    days: Floats
    cause: NDArray[np.int64]
    risk: Floats

    @property
    def event(self) -> NDArray[np.bool_]:
        """(n,) True where the event was seen."""
        return self.cause > 0


def follow_up(n: int, seed: int = 0) -> FollowUp:
    """Exponential event times under a log-hazard that the risk knows with noise; independent censoring."""
    rng = np.random.default_rng(seed)
    log_hazard = rng.normal(size=n)
    event_day = np.ceil(rng.exponential(700.0 * np.exp(-log_hazard)))
    last_day = np.ceil(rng.exponential(900.0, size=n))
    return FollowUp(
        days=np.minimum(event_day, last_day),
        cause=(event_day <= last_day).astype(np.int64),
        risk=np.round(log_hazard + rng.normal(size=n), 3),
    )
