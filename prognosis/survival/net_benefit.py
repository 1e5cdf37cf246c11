"""Net benefit: is acting on the predicted risk worth more than treating everyone, or no one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.survival.curves import Floats, incidence_at
from prognosis.survival.statistic import Statistic, once


@dataclass(frozen=True, slots=True)
class NetBenefits:
    """Net benefit over thresholds: of acting on the predictions, on everyone and on no one.

    Attributes:
        thresholds: (H,) the risks from which one would act, above 0 and below 1.
        model: (H,) acting on those whose predicted risk is at least the threshold.
        treat_all: (H,) acting on everyone.
    """

    thresholds: Floats
    model: Floats
    treat_all: Floats

    @property
    def treat_none(self) -> Floats:
        """(H,) acting on no one: 0 at every threshold, the zero that the others are measured from."""
        return np.zeros_like(self.thresholds)


def net_benefit(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    time: float,
    threshold: float,
    of_cause: int = 1,
) -> Statistic:
    """True positives less false positives, each of those weighed by the odds of the threshold, per case.

    Under censoring the events among those above the threshold are estimated by Aalen-Johansen within that
    group (Vickers et al., BMC Med Inform Decis Mak 2008;8:53). Treating no one is worth 0; `risk` of 1 for
    everyone gives the worth of treating everyone.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n,) predicted risk of `of_cause` by `time`.
        time: The horizon in days.
        threshold: The risk from which one would act, above 0 and below 1.
        of_cause: The cause asked about.

    Returns:
        The statistic for (R, n) case weights; higher is better, at most the prevalence of the event.
    """
    acted_on = risk >= threshold
    harm = threshold / (1.0 - threshold)

    def benefit(weights: Floats) -> Floats:
        share: Floats = weights[:, acted_on].sum(axis=1) / weights.sum(axis=1)
        if not acted_on.any():
            return share
        observed = incidence_at(days[acted_on], cause[acted_on], of_cause, time, weights[:, acted_on])
        value: Floats = share * (observed - (1.0 - observed) * harm)
        return value

    return benefit


def decision_curve(
    days: Floats,
    cause: NDArray[np.int64],
    risk: Floats,
    time: float,
    thresholds: Sequence[float],
    of_cause: int = 1,
) -> NetBenefits:
    """Net benefit at each threshold (Vickers and Elkin 2006); otherwise as `net_benefit`.

    Args:
        days: (n,) follow-up, > 0.
        cause: (n,) 0 when censored, else 1 to K.
        risk: (n,) predicted risk of `of_cause` by `time`.
        time: The horizon in days.
        thresholds: Above 0 and below 1.
        of_cause: The cause asked about.
    """
    all_cases = once(len(days))
    steps = np.array(thresholds, dtype=np.float64)
    model = [net_benefit(days, cause, risk, time, each, of_cause)(all_cases)[0] for each in thresholds]
    observed = incidence_at(days, cause, of_cause, time, all_cases)[0]
    treat_all = observed - (1.0 - observed) * steps / (1.0 - steps)
    return NetBenefits(steps, np.array(model, dtype=np.float64), treat_all)
