"""Antolini's concordance: at each event, did the person it happened to have the highest predicted risk?

Where Harrell's and Uno's C need one number a person, this one reads the whole predicted curve: a person with
an event at t is compared, by the risk predicted for day t, with everyone known to be free of it by then
(Antolini, Boracchi and Biganzoli, Stat Med 2005;24:3927). When no two curves cross it is Harrell's C.

Pairs and ties are those of `concordance`: events of the cause on one day are not compared with each other, a
person censored on the day of an event outlives it, a competing event is "event_free" or "censored", equal
risks count one half. (Antolini et al. count equal risks as discordant, which punishes a model for answering
two identical patients alike.) Risks of one day closer than a billionth of that day's range are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.concordance import Competing
from prognosis.survival.curves import Floats
from prognosis.survival.statistic import Sums, once

RiskAt = Callable[[Floats], Floats]
"""From (D,) increasing days to (n, D) predicted cumulative incidences of one cause by those days."""

_BLOCK_ELEMENTS = 4_000_000
_TIED = 1e-9


@dataclass(frozen=True, slots=True)
class AntoliniStatistic:
    """A prepared time-dependent concordance of n people; a `RatioStatistic`.

    Comparable pairs are rebuilt in blocks of events, so that memory stays bounded, and each block is
    multiplied with all case weights at once.

    Attributes:
        risk_at: The predictions, rows in the original order.
        order: (n,) people, those who stay free of the event longest first.
        rows: (E,) the people with the event, by increasing day.
        days: (E,) the days of their events.
        rivals: (E,) each is compared with the first `rivals` people of `order`.
    """

    risk_at: RiskAt
    order: NDArray[np.intp]
    rows: NDArray[np.intp]
    days: Floats
    rivals: NDArray[np.intp]

    def sums(self, weights: Floats) -> Sums:
        """Weight of concordant pairs (half of the tied ones), and of all comparable pairs."""
        ordered = np.ascontiguousarray(weights[:, self.order], dtype=np.float64)
        own = weights[:, self.rows]
        running = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(ordered, axis=1)], axis=1)
        comparable: Floats = (own * running[:, self.rivals]).sum(axis=1)
        concordant = np.zeros(len(weights))
        for block in self._blocks():
            wins = self._wins(block)
            concordant += (own[:, block] * (ordered[:, : wins.shape[1]] @ wins.T)).sum(axis=1)
        return Sums(concordant, comparable)

    def _blocks(self) -> Iterator[slice]:
        size = max(1, _BLOCK_ELEMENTS // max(1, len(self.order)))
        for first in range(0, len(self.rows), size):
            yield slice(first, min(first + size, len(self.rows)))

    def _wins(self, block: slice) -> Floats:
        """(events, people) 1 where the event's risk is the higher, one half where equal, else 0."""
        rows, rivals = self.rows[block], self.rivals[block]
        days, column = np.unique(self.days[block], return_inverse=True)
        risk = np.ascontiguousarray(self.risk_at(days).T)
        own = risk[column, rows]
        tolerance = (_TIED * np.ptp(risk, axis=1))[column]
        gap = own[:, None] - risk[:, self.order[: int(rivals.max())]][column]
        wins = 0.5 * ((gap > tolerance[:, None]).astype(np.float64) + (gap >= -tolerance[:, None]))
        wins[np.arange(wins.shape[1]) >= rivals[:, None]] = 0.0
        return wins


def antolini_statistic(
    days: Floats,
    cause: NDArray[np.int64],
    risk_at: RiskAt,
    *,
    tau: float = np.inf,
    of_cause: int = 1,
    competing: Competing = "event_free",
) -> AntoliniStatistic:
    """Prepare Antolini's time-dependent concordance.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk_at: Predicted cumulative incidences of `of_cause` (or 1 - survival); asked only for days of
            events before `tau`.
        tau: Days; events at or after it do not count.
        of_cause: The cause asked about.
        competing: What another cause means; see the module.
    """
    other = (cause > 0) & (cause != of_cause)
    stays = cause != of_cause if competing == "censored" else cause == 0
    _, rank = np.unique(days, return_inverse=True)
    outlives = 2 * rank + stays
    if competing == "event_free":
        outlives = np.where(other, 2 * len(days), outlives)
    order = np.argsort(-outlives, kind="stable")
    rows = np.flatnonzero((cause == of_cause) & (days < tau))
    rows = rows[np.argsort(days[rows], kind="stable")]
    rivals = np.searchsorted(-outlives[order], -2 * rank[rows], side="left")
    return AntoliniStatistic(risk_at, order, rows, days[rows], rivals)


def antolini_c(
    days: Floats,
    cause: NDArray[np.int64],
    risk_at: RiskAt,
    *,
    tau: float = np.inf,
    of_cause: int = 1,
    competing: Competing = "event_free",
    weights: Floats | None = None,
) -> float:
    """Antolini's C, 0 to 1, 0.5 being chance; arguments as in `antolini_statistic`.

    Raises:
        CohortError: No two cases can be compared.
    """
    statistic = antolini_statistic(days, cause, risk_at, tau=tau, of_cause=of_cause, competing=competing)
    sums = statistic.sums(once(len(days)) if weights is None else weights.reshape(1, -1))
    if sums.denominator[0] <= 0:
        raise CohortError("concordance", "no two cases can be compared", "use cases with more events")
    return float(sums.ratio()[0])
