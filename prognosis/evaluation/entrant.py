"""What the benchmark asks of any method, ours or a peer's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from prognosis.cohort.case import Case, Cohort
from prognosis.survival.curves import Floats


class Predictor(Protocol):
    """A fitted method."""

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """(n, K, len(days)) probability of each of the task's K causes by each of `days`, 0 to 1.

        Args:
            cases: Cases that did not train the method; their labels are not read.
            days: Increasing, > 0.
        """
        ...


Fit = Callable[[Cohort], Predictor]
"""Learn from a cohort of labelled cases."""
