"""D-calibration: of all people, one tenth should have their event in each tenth of their own predicted curve.

If S(t | x) is right, S(T | x) at a person's own event time is uniform on (0, 1), whatever x is (Haider et
al., JMLR 2020;21(85)). Someone censored at c with S(c) = s would have had the event at some probability below
s, uniformly, and is spread over the bins accordingly: 1/(B s) to each bin below, the rest to the bin of s.

The spreading pulls the counts towards uniform, so with heavy censoring the test misses what it should find
(Simonsen and Waagepetersen, BMC Med Res Methodol 2025;25:236): a high p-value is no proof of calibration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.curves import Floats


@dataclass(frozen=True, slots=True)
class DistributionCalibration:
    """Pearson's test that the people are spread evenly over the bins.

    Attributes:
        people: (B,) people in each bin of survival probability at the event, from 0 to 1; fractions where
            censored people are spread.
        statistic: Pearson's chi-squared on B - 1 degrees of freedom; 0 is even.
        p_value: Chance of a statistic at least as large if the predicted curves are right.
    """

    people: Floats
    statistic: float
    p_value: float

    @property
    def misplaced(self) -> float:
        """The share of people who would have to change bins to be spread evenly, 0 to 1; 0 is right."""
        share = self.people / self.people.sum()
        return float(np.abs(share - 1.0 / len(share)).sum() / 2.0)


def spread_over_bins(survival: Floats, event: NDArray[np.bool_], bins: int = 10) -> Floats:
    """(n, bins) how much of each person belongs to each bin [k/B, (k + 1)/B); rows sum to 1.

    Args:
        survival: (n,) predicted probability of no event by the end of each person's own follow-up.
        event: (n,) True where the follow-up ended with the event.
        bins: B, the number of bins; the last one includes 1.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    own = np.clip(np.searchsorted(edges, survival, side="right") - 1, 0, bins - 1)
    placed = np.zeros((len(survival), bins))
    placed[np.arange(len(survival)), own] = 1.0
    censored = ~event & (survival > 0)
    below = np.clip(survival[censored, None] - edges[:-1], 0.0, np.diff(edges))
    placed[censored] = below / survival[censored, None]
    return placed


def distribution_calibration(
    survival: Floats, event: NDArray[np.bool_], *, bins: int = 10, weights: Floats | None = None
) -> DistributionCalibration:
    """D-calibration of predicted survival curves (with competing risks: of surviving every cause).

    Args:
        survival: (n,) predicted probability of no event by the end of each person's own follow-up, 0 to 1.
            Follow-up beyond the last predicted day is cut there, and the person taken as censored.
        event: (n,) True where the follow-up ended with the event.
        bins: The number of bins, at least 2.
        weights: (n,) non-negative case weights; 1 each when None.

    Raises:
        CohortError: Fewer than two bins, or nobody to put in them.
    """
    weight = np.ones(len(survival)) if weights is None else weights
    if bins < 2 or weight.sum() <= 0:
        raise CohortError("D-calibration", "needs two bins and one person", "use more bins or more cases")
    from scipy.special import chdtrc

    people = weight @ spread_over_bins(survival, event, bins)
    expected = weight.sum() / bins
    statistic = float(((people - expected) ** 2 / expected).sum())
    return DistributionCalibration(people, statistic, float(chdtrc(bins - 1, statistic)))
