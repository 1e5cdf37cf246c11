"""The same contrasts by packages that share no code with ours, lifelines and scipy, without covariates."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment import ArmCases, Estimate, FollowUp, Response
from prognosis.treatment.estimate import estimate, ratio_estimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_DRAWS = 200


def restricted_mean(days: Floats, event: Bools, tau: float) -> tuple[float, float]:
    """Area under the curve of lifelines up to tau, and its variance by Greenwood from the same table."""
    table = _kaplan_meier(days, event).event_table
    at = table.index.to_numpy(dtype=float)
    died, at_risk = table["observed"].to_numpy(dtype=float), table["at_risk"].to_numpy(dtype=float)
    own = (died > 0) & (at <= tau)
    at, died, at_risk = at[own], died[own], at_risk[own]
    survival = np.concatenate([[1.0], np.cumprod(1.0 - died / at_risk)])
    widths = np.diff(np.concatenate([[0.0], at, [tau]]))
    areas = survival * widths
    beyond = np.cumsum(areas[::-1])[::-1][1:]
    left = at_risk - died
    steps = np.divide(died, at_risk * left, out=np.zeros_like(died), where=left > 0)
    return float(areas.sum()), float((beyond**2 * steps).sum())


def mean_difference(cases: ArmCases, followed: FollowUp, arm: str, reference: str, tau: float) -> Estimate:
    """Days of the first tau gained; with patients drawn again where they have two cases."""
    first, second = (_rows(cases, name) for name in (arm, reference))
    means = [restricted_mean(followed.days[own], followed.own[own], tau) for own in (first, second)]
    gap = means[0][0] - means[1][0]
    if not clustered(cases):
        return estimate(gap, float(np.sqrt(means[0][1] + means[1][1])))
    rng, drawn = np.random.default_rng(0), []
    names, member = np.unique(cases.patients, return_inverse=True)
    of_patient = [np.flatnonzero(member == place) for place in range(len(names))]
    for _ in range(_DRAWS):
        rows = np.concatenate([of_patient[place] for place in rng.integers(0, len(names), len(names))])
        again = [rows[cases.arm[rows] == cases.arms.index(name)] for name in (arm, reference)]
        each = [restricted_mean(followed.days[own], followed.own[own], tau)[0] for own in again]
        drawn.append(each[0] - each[1])
    return estimate(gap, float(np.std(drawn, ddof=1)))


def cox_ratio(
    cases: ArmCases, followed: FollowUp, arm: str, reference: str, *, by_patient: bool = True
) -> Estimate:
    """Cox's hazard ratio by lifelines of two arms, other causes as censoring.

    Args:
        cases: Who was given which arm.
        followed: What came of it.
        arm: The arm asked about.
        reference: The other one.
        by_patient: Whether a patient's cases move together in the interval, where some have two.
    """
    import pandas as pd
    from lifelines import CoxPHFitter

    rows = _rows(cases, arm) | _rows(cases, reference)
    treated = _rows(cases, arm)[rows].astype(float)
    table = pd.DataFrame({"days": followed.days[rows], "event": followed.own[rows], "arm": treated})
    cluster = None
    if clustered(cases) and by_patient:
        table["patient"], cluster = cases.patients[rows], "patient"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, on the way in which lifelines copies
        fitted = CoxPHFitter().fit(table, "days", "event", cluster_col=cluster)
    return ratio_estimate(float(np.exp(fitted.params_["arm"])), float(fitted.standard_errors_["arm"]))


def curve(days: Floats, event: Bools, at: Floats) -> Floats:
    """Kaplan-Meier incidence by lifelines at some days."""
    return 1.0 - _kaplan_meier(days, event).survival_function_at_times(at).to_numpy(dtype=float)


def response_difference(cases: ArmCases, response: Response, arm: str, reference: str) -> Estimate:
    """The plain difference of two arms' means by scipy, with Welch's interval."""
    from scipy.stats import ttest_ind

    first, second = (response.value[_rows(cases, name) & response.known] for name in (arm, reference))
    found = ttest_ind(first, second, equal_var=False)
    low, high = found.confidence_interval(0.95)
    gap = float(first.mean() - second.mean())
    error = float(np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second)))
    return Estimate(gap, error, float(low), float(high))


def clustered(cases: ArmCases) -> bool:
    """Whether any patient has more than one case."""
    return len(set(cases.patients)) < len(cases)


def _rows(cases: ArmCases, name: str) -> Bools:
    return np.asarray(cases.arm == cases.arms.index(name))


def _kaplan_meier(days: Floats, event: Bools):  # noqa: ANN202  lifelines has no types
    from lifelines import KaplanMeierFitter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KaplanMeierFitter().fit(days, event)
