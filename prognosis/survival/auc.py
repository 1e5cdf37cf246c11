"""Areas under the ROC curve, weighted: for classes and for "event by t" under censoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.survival.brier import had_event, known_state_weights
from prognosis.survival.censoring import Censoring
from prognosis.survival.concordance import Competing
from prognosis.survival.curves import Floats
from prognosis.survival.dominance import risk_ranks
from prognosis.survival.statistic import Sums, once


@dataclass(frozen=True, slots=True)
class AucStatistic:
    """Weighted share of (case, control) pairs in which the case has the higher risk; ties one half.

    Attributes:
        order: (n,) rows by increasing risk.
        group: (n,) number of the distinct risk of each ordered row.
        case: (n,) weight of each ordered row as a case.
        control: (n,) weight of each ordered row as a control.
    """

    order: NDArray[np.int64]
    group: NDArray[np.int64]
    case: Floats
    control: Floats

    def sums(self, weights: Floats) -> Sums:
        """See `RatioStatistic`."""
        ordered = weights[:, self.order]
        case, control = ordered * self.case, ordered * self.control
        starts = np.flatnonzero(np.diff(self.group, prepend=-1))
        running = np.cumsum(control, axis=1)
        group_control = np.add.reduceat(control, starts, axis=1)
        group_end = running[:, np.append(starts[1:], len(self.group)) - 1]
        middle = (group_end - group_control / 2.0)[:, self.group]
        return Sums((case * middle).sum(axis=1), case.sum(axis=1) * running[:, -1])


def auc_statistic(risk: Floats, case_weight: Floats, control_weight: Floats) -> AucStatistic:
    """Prepare a weighted AUC.

    Args:
        risk: (n,) higher = more likely a case.
        case_weight: (n,) weight as a case, 0 for others.
        control_weight: (n,) weight as a control, 0 for others.
    """
    ranks = risk_ranks(risk)
    order = np.argsort(ranks, kind="stable")
    group = ranks[order]
    return AucStatistic(order, group, case_weight[order], control_weight[order])


def dynamic_auc_statistic(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    time: float,
    censoring: Censoring,
    *,
    of_cause: int = 1,
    competing: Competing = "event_free",
) -> AucStatistic:
    """Prepare the cumulative/dynamic AUC at `time`: event by then, against not (yet).

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n,) risk by `time`; higher = sooner.
        time: The horizon in days.
        censoring: Estimated on the training cases.
        of_cause: The cause asked about.
        competing: "event_free" keeps people with another cause by `time` as controls (Blanche et al.
            2013, definition ii); "censored" leaves them out.
    """
    times = np.array([time])
    weight = known_state_weights(days, cause, times, censoring)[:, 0]
    case = had_event(days, cause, times, of_cause)[:, 0]
    free = days > time
    control = ~case if competing == "event_free" else free
    return auc_statistic(risk, weight * case, weight * control)


def dynamic_auc(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    time: float,
    censoring: Censoring,
    *,
    of_cause: int = 1,
    competing: Competing = "event_free",
) -> float:
    """Cumulative/dynamic AUC at `time`, 0 to 1; arguments as in `dynamic_auc_statistic`.

    Raises:
        CohortError: There is no event by `time`, or nobody followed past it.
    """
    statistic = dynamic_auc_statistic(
        days, cause, risk, time, censoring, of_cause=of_cause, competing=competing
    )
    sums = statistic.sums(once(len(days)))
    if sums.denominator[0] <= 0:
        raise CohortError(
            f"AUC at {time:g} days", "needs events by then and follow-up past it", "choose another horizon"
        )
    return float(sums.ratio()[0])
