"""What came of each case: a follow-up that may be censored, or a response that may be missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Time to the event asked about, to a competing one, or to the end of observation.

    Attributes:
        days: (n,) follow-up in days, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        of_cause: The cause asked about; every other one competes with it.

    Raises:
        CohortError: A follow-up is not above 0.
    """

    days: Floats
    cause: Ints
    of_cause: int = 1

    def __post_init__(self) -> None:
        if not (np.isfinite(self.days).all() and (self.days > 0).all()):
            raise CohortError("follow-up", "is not above 0 days in every case", "leave such cases out")

    def __len__(self) -> int:
        return len(self.days)

    @property
    def own(self) -> Bools:
        """(n,) True where the event asked about ended the follow-up."""
        return self.cause == self.of_cause

    @property
    def competing(self) -> Bools:
        """(n,) True where another cause did."""
        return (self.cause > 0) & ~self.own

    def take(self, rows: NDArray[np.intp] | Bools) -> FollowUp:
        """The follow-up of the cases at `rows`."""
        return FollowUp(self.days[rows], self.cause[rows], self.of_cause)

    def until(self, tau: float) -> FollowUp:
        """The follow-up cut at `tau` days: whoever got further is seen free of events there."""
        cause = np.where(self.days <= tau, self.cause, 0)
        return FollowUp(np.minimum(self.days, tau), cause, self.of_cause)


@dataclass(frozen=True, slots=True)
class Response:
    """A response assessed once: 0 or 1, or an ordered grade as a number; higher is better.

    Attributes:
        value: (n,) the response; whatever stands where it is not known is never read.
        known: (n,) True where it was assessed.
    """

    value: Floats
    known: Bools

    def __len__(self) -> int:
        return len(self.value)

    @property
    def binary(self) -> bool:
        """True when every known response is 0 or 1."""
        return bool(np.isin(self.value[self.known], (0.0, 1.0)).all())

    def at_least(self, grade: float) -> Response:
        """Whether the grade was reached: an ordered response as a binary one."""
        return Response(np.where(self.known, self.value >= grade, 0.0).astype(np.float64), self.known)

    def take(self, rows: NDArray[np.intp] | Bools) -> Response:
        """The responses of the cases at `rows`."""
        return Response(self.value[rows], self.known[rows])
