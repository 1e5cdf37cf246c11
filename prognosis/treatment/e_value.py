"""How strong an unmeasured confounder would have to be to explain an effect away: the E-value.

VanderWeele and Ding, Ann Intern Med 2017;167:268: on the scale of risk ratios, the least association that
such a confounder must have with both the arm and the outcome, beside everything that was allowed for. For a
difference of restricted means there is none here: the published approximation is for means of a normal
outcome, which days cut at a horizon are not. Its risk ratio at the horizon has one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prognosis.errors import CohortError
from prognosis.treatment.estimate import Estimate

RARE = 0.15
"""Share of cases with the event by the end of follow-up from which a hazard ratio is no risk ratio."""


@dataclass(frozen=True, slots=True)
class EValue:
    """E-values, each at least 1; the larger, the harder to explain away.

    Attributes:
        value: For the estimate.
        limit: For the end of its interval that is nearer to no effect; 1 when the interval holds no effect.
    """

    value: float
    limit: float


def e_value_of_risk_ratio(ratio: Estimate) -> EValue:
    """The E-value of a risk ratio.

    Raises:
        CohortError: The ratio is not above 0.
    """
    if not (ratio.low > 0.0 and ratio.value > 0.0):
        raise CohortError("E-value", "is of a ratio of 0 or less", "give a ratio above 0")
    if not ratio.excludes(1.0):
        return EValue(_e(ratio.value), 1.0)
    return EValue(_e(ratio.value), _e(ratio.low if ratio.value > 1.0 else ratio.high))


def e_value_of_hazard_ratio(ratio: Estimate, share_with_event: float) -> EValue:
    """The E-value of a hazard ratio, brought to the scale of risk ratios where the event is common.

    Args:
        ratio: The hazard ratio.
        share_with_event: Of cases by the end of follow-up, 0 to 1; from 0.15 the event is common.

    Raises:
        CohortError: The ratio is not above 0.
    """
    if share_with_event < RARE:
        return e_value_of_risk_ratio(ratio)
    value, low, high = (_common(x) for x in (ratio.value, ratio.low, ratio.high))
    return e_value_of_risk_ratio(Estimate(value, ratio.standard_error, low, high, ratio.level))


def _e(ratio: float) -> float:
    above = max(ratio, 1.0 / ratio)
    return float(above + np.sqrt(above * (above - 1.0)))


def _common(ratio: float) -> float:
    """VanderWeele's risk ratio of a hazard ratio when the event is common (table 2 of the paper)."""
    return float((1.0 - 0.5 ** np.sqrt(ratio)) / (1.0 - 0.5 ** np.sqrt(1.0 / ratio)))
