"""Concordance: how often, of two people, the one with the higher risk has the event first.

Ties: two people whose events fall on the same day are not compared; a person censored on the day of
another's event is taken to outlive it; equal risks count one half.

Competing events, two choices. "event_free" (the default, Wolbers et al. 2009): someone who had another
cause can no longer have this one, and stays in the risk set as free of it for ever; this is the
concordance that fits a cumulative incidence. "censored": they leave the risk set, as a cause-specific
hazard sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.censoring import Censoring
from prognosis.survival.curves import Floats
from prognosis.survival.dominance import PairPlan, PairSums, plan_pairs, risk_ranks
from prognosis.survival.statistic import Sums, once

Competing = Literal["event_free", "censored"]


@dataclass(frozen=True, slots=True)
class Concordance:
    """A concordance and the weights of the pairs it is made of.

    Attributes:
        value: (concordant + tied_risk / 2) / all comparable pairs, 0 to 1; 0.5 is chance.
        concordant: Weight of pairs in which the higher risk had the event first.
        discordant: Weight of pairs in which the lower risk had it first.
        tied_risk: Weight of pairs with equal risks.
    """

    value: float
    concordant: float
    discordant: float
    tied_risk: float


@dataclass(frozen=True, slots=True)
class ConcordanceStatistic:
    """A prepared concordance of n people; a `RatioStatistic`."""

    plans: tuple[PairPlan, ...]

    def sums(self, weights: Floats) -> Sums:
        """Weight of concordant pairs (half of the tied ones), and of all comparable pairs."""
        pairs = self._add(weights)
        return Sums(pairs.lower + pairs.equal / 2.0, pairs.total)

    def counts(self, weights: Floats) -> Concordance:
        """The concordance for one weighting, with its pairs.

        Raises:
            CohortError: No two people can be compared.
        """
        pairs = self._add(weights.reshape(1, -1))
        concordant, tied, comparable = float(pairs.lower[0]), float(pairs.equal[0]), float(pairs.total[0])
        if comparable <= 0:
            raise CohortError("concordance", "no two cases can be compared", "use cases with more events")
        value = (concordant + tied / 2.0) / comparable
        return Concordance(value, concordant, comparable - concordant - tied, tied)

    def _add(self, weights: Floats) -> PairSums:
        each = [plan.sums(weights) for plan in self.plans]
        return PairSums(
            lower=np.sum([pairs.lower for pairs in each], axis=0),
            equal=np.sum([pairs.equal for pairs in each], axis=0),
            total=np.sum([pairs.total for pairs in each], axis=0),
        )


def harrell_statistic(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    *,
    of_cause: int = 1,
    competing: Competing = "event_free",
) -> ConcordanceStatistic:
    """Prepare Harrell's C (1982), every comparable pair weighing the same.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n,) any number that is higher for people expected to have the event sooner.
        of_cause: The cause asked about.
        competing: What another cause means; see the module.
    """
    return _prepare(days, cause, risk, np.ones_like(days), (of_cause, competing))


def uno_statistic(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    censoring: Censoring,
    tau: float,
    *,
    of_cause: int = 1,
    competing: Competing = "event_free",
) -> ConcordanceStatistic:
    """Prepare Uno's C (2011): pairs weighted by 1/G^2, events before `tau` only.

    Unlike Harrell's, its limit does not depend on how people were censored. A pair made of an event at
    t_i and a competing event at t_j <= t_i weighs 1/(G(t_i) G(t_j)) (Wolbers et al. 2014).

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n,) higher = sooner.
        censoring: Estimated on the training cases.
        tau: Days; events at or after it do not count.
        of_cause: The cause asked about.
        competing: What another cause means; see the module.
    """
    factor = np.where(days < tau, censoring.event_weight(days), 0.0)
    return _prepare(days, cause, risk, factor, (of_cause, competing))


def _prepare(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    factor: Floats,
    choice: tuple[int, Competing],
) -> ConcordanceStatistic:
    of_cause, competing = choice
    rank = risk_ranks(risk)
    event = cause == of_cause
    asked = np.where(event, factor, 0.0)
    stays = ~event if competing == "censored" else cause == 0
    # Descending days: an event meets those followed longer, and those who left on its day without one.
    later = plan_pairs(np.argsort(-days), days, rank, np.stack([stays, asked**2, ~stays]))
    other = (cause > 0) & ~event
    if competing == "censored" or not other.any():
        return ConcordanceStatistic((later,))
    # Ascending days: an event meets those who by its day had another cause.
    nobody = np.zeros_like(factor)
    earlier = plan_pairs(np.argsort(days), days, rank, np.stack([other * factor, asked, nobody]))
    return ConcordanceStatistic((later, earlier))


def harrell_c(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    *,
    of_cause: int = 1,
    competing: Competing = "event_free",
    weights: Floats | None = None,
) -> Concordance:
    """Harrell's C; see `harrell_statistic` for the arguments.

    Raises:
        CohortError: No two cases can be compared.
    """
    statistic = harrell_statistic(days, cause, risk, of_cause=of_cause, competing=competing)
    return statistic.counts(once(len(days)) if weights is None else weights)


def uno_c(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    censoring: Censoring,
    tau: float,
    *,
    of_cause: int = 1,
    competing: Competing = "event_free",
    weights: Floats | None = None,
) -> Concordance:
    """Uno's C; see `uno_statistic` for the arguments.

    Raises:
        CohortError: No two cases can be compared.
    """
    statistic = uno_statistic(days, cause, risk, censoring, tau, of_cause=of_cause, competing=competing)
    return statistic.counts(once(len(days)) if weights is None else weights)
