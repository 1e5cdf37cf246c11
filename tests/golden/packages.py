"""What published packages say of a cohort; only `make_survival` imports this.

Packages differ in their conventions; each function says which of ours it is comparable with. A package
without competing risks is asked about cause 1 with other causes censored, or about the event of any cause.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
import torch
from dcurves import dca
from lifelines import KaplanMeierFitter, NelsonAalenFitter
from lifelines.utils import restricted_mean_survival_time
from pycox.evaluation.concordance import concordance_td
from pycox.evaluation.ipcw import binomial_log_likelihood
from sksurv.metrics import (
    brier_score,
    concordance_index_censored,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.nonparametric import CensoringDistributionEstimator
from sksurv.util import Surv
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from SurvivalEVAL.evaluations.calibration import aj_calibration_per_event, d_calibration
from SurvivalEVAL.evaluations.discrimination import concordance_time_dependent
from torchsurv.metrics.cindex import ConcordanceIndex

from tests.golden.cohorts import Cohort, Floats

THRESHOLDS = (0.05, 0.2, 0.5, 0.8)


def values(cohort: Cohort) -> dict[str, Any]:
    """Every value that a package gives; None where it raises."""
    asked: dict[str, Callable[[Cohort], Any]] = {
        "sksurv": scikit_survival,
        "sksurv_brier": scikit_survival_brier,
        "sksurv_auc": scikit_survival_auc,
        "lifelines": lifelines,
        "statsmodels": statsmodels_curves,
        "statsmodels_calibration": statsmodels_calibration,
        "pycox": pycox,
        "survivaleval": survivaleval,
        "torchsurv": torchsurv,
        "dcurves": decision_curves,
    }
    found: dict[str, Any] = {}
    for name, ask in asked.items():
        try:
            found[name] = ask(cohort)
        except (ValueError, IndexError, ZeroDivisionError):
            found[name] = None
    return found


def single(cohort: Cohort, times: Floats) -> Floats:
    """(n, T) the predicted survival of one event, whatever the causes."""
    return 1.0 - cohort.incidence(times, causes=1)[:, 0]


def scikit_survival(cohort: Cohort) -> dict[str, Any]:
    """Other causes censored; events weighted by G(t) where ours has G(t-)."""
    event = cohort.cause == 1
    outcome = Surv.from_arrays(event, cohort.days)
    censoring = CensoringDistributionEstimator().fit(outcome)
    return {
        "harrell": [float(v) for v in concordance_index_censored(event, cohort.days, cohort.risk)[:4]],
        "uno": float(concordance_index_ipcw(outcome, outcome, cohort.risk, tau=cohort.tau())[0]),
        "uncensored": censoring.predict_proba(cohort.times()).tolist(),
    }


def scikit_survival_brier(cohort: Cohort) -> dict[str, Any]:
    """As above."""
    times = cohort.times()
    outcome = Surv.from_arrays(cohort.cause == 1, cohort.days)
    survival = single(cohort, times)
    return {
        "brier": brier_score(outcome, outcome, survival, times)[1].tolist(),
        "ibs": float(integrated_brier_score(outcome, outcome, survival, times)),
    }


def scikit_survival_auc(cohort: Cohort) -> list[float | None]:
    """As above, None without an event by then; later events do not matter, but must be given a weight."""
    times, event = cohort.times(), cohort.cause == 1
    outcome = Surv.from_arrays(event, cohort.days)
    early = Surv.from_arrays(event & (cohort.days <= times[-1]), cohort.days)
    found = cumulative_dynamic_auc(outcome, early, cohort.risk, times)[0]
    return [None if np.isnan(value) else float(value) for value in found]


def lifelines(cohort: Cohort) -> dict[str, Any]:
    """Events of any cause."""
    event, times = cohort.cause > 0, cohort.times()
    fitted = KaplanMeierFitter().fit(cohort.days, event)
    hazard = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(cohort.days, event)
    return {
        "event_free": fitted.predict(times).tolist(),
        "hazard": hazard.predict(times).tolist(),
        "restricted_mean": float(restricted_mean_survival_time(fitted, t=cohort.tau())),
    }


def statsmodels_curves(cohort: Cohort) -> dict[str, Any]:
    """Aalen-Johansen of each cause, and Greenwood's standard error of Kaplan-Meier (any cause)."""
    times = cohort.times()
    curves = CumIncidenceRight(cohort.days, cohort.cause)
    at = np.searchsorted(curves.times, times, side="right") - 1
    survival = SurvfuncRight(cohort.days, (cohort.cause > 0).astype(int))
    place = np.searchsorted(survival.surv_times, times, side="right") - 1
    return {
        "incidence": [np.where(at >= 0, curve[at], 0.0).tolist() for curve in curves.cinc],
        "standard_error": np.where(place >= 0, survival.surv_prob_se[place], 0.0).tolist(),
    }


def statsmodels_calibration(cohort: Cohort) -> dict[str, Any]:
    """IPCW logistic regressions, on the log-odds and on a natural cubic spline of them.

    The spline is in the basis of Hastie et al., Elements of Statistical Learning 2009, eqs. 5.4 and 5.5:
    another basis of the same functions as ours.
    """
    times = cohort.times()
    horizon = float(times[len(times) // 2])
    risk = cohort.incidence(np.array([horizon]))[:, 0, 0]
    outcome = (cohort.days <= horizon) & (cohort.cause == 1)
    weight = _known(cohort, horizon)
    kept = np.clip(risk, 1e-6, 1.0 - 1e-6)
    odds = np.log(kept / (1.0 - kept))
    if np.ptp(odds) < 1e-9:
        raise ValueError("all risks are equal")
    slope = _logistic(np.column_stack([np.ones_like(odds), odds]), outcome, weight)
    knots = np.quantile(odds, [0.05, 0.35, 0.65, 0.95])
    if len(np.unique(knots)) < 4:
        return {"slope": float(slope.params[1]), "distances": None}

    def rising(knot: float) -> Floats:
        cubes = np.maximum(odds - knot, 0.0) ** 3 - np.maximum(odds - knots[-1], 0.0) ** 3
        return cubes / (knots[-1] - knot)

    curved = [rising(knot) - rising(knots[-2]) for knot in knots[:-2]]
    smooth = _logistic(np.column_stack([np.ones_like(odds), odds, *curved]), outcome, weight)
    gap = np.abs(smooth.fittedvalues - risk)
    return {
        "slope": float(slope.params[1]),
        "distances": [float(gap.mean()), float(np.quantile(gap, 0.5)), float(np.quantile(gap, 0.9))],
    }


def _logistic(design: Floats, outcome: Any, weight: Floats) -> Any:
    family = sm.families.Binomial()
    fitted = sm.GLM(outcome.astype(float), design, family=family, freq_weights=weight).fit(
        maxiter=200, tol=1e-13
    )
    if not fitted.converged or np.ptp(np.abs(fitted.fittedvalues - 0.5)) > 0.5 - 1e-7:
        raise ValueError("the regression does not converge, or separates the outcomes")
    return fitted


def _known(cohort: Cohort, t: float) -> Floats:
    """Graf's weights from lifelines' reverse Kaplan-Meier; a day's events are moved before its censorings."""
    censored = cohort.cause == 0
    later = KaplanMeierFitter().fit(np.where(censored, cohort.days + 1e-7, cohort.days), censored)
    before = later.predict(cohort.days).to_numpy()
    free = float(later.predict(t + 1e-6))
    return np.where(cohort.days > t, 1.0 / free, np.where(censored, 0.0, 1.0 / before))


def pycox(cohort: Cohort) -> dict[str, Any]:
    """Other causes censored. Its Antolini C counts equal risks as discordant; it is weighted as ours is."""
    event, times = (cohort.cause == 1).astype(int), cohort.times()
    at = np.unique(cohort.days)
    curve = np.ascontiguousarray(single(cohort, at).T)
    place = np.searchsorted(at, cohort.days)
    chance = KaplanMeierFitter().fit(cohort.days + 1e-7 * (event == 0), event == 0)
    grid = np.concatenate([[0.0], at])
    uncensored = np.tile(chance.predict(grid + 1e-6).to_numpy()[:, None], (1, len(cohort.days)))
    scores, _ = binomial_log_likelihood(
        times,
        cohort.days,
        event,
        np.ascontiguousarray(single(cohort, times).T),
        uncensored,
        times,
        grid,
        reduce=False,
    )
    return {
        "antolini": float(concordance_td(cohort.days, event, curve, place, "antolini")),
        "nbll": (-scores.mean(axis=1)).tolist(),
    }


def survivaleval(cohort: Cohort) -> dict[str, Any]:
    """Antolini's C with other causes censored; D-calibration of any cause; AJ-calibration of cause 1."""
    event, times = cohort.cause == 1, cohort.times()
    at = cohort.days[event]
    risk = 1.0 - single(cohort, np.unique(at))[:, np.searchsorted(np.unique(at), at)]
    every = cohort.incidence(np.unique(cohort.days)).sum(axis=1)
    own = 1.0 - every[np.arange(len(cohort.days)), np.searchsorted(np.unique(cohort.days), cohort.days)]
    statistic, p_value, _ = d_calibration(own, (cohort.cause > 0).astype(int))
    curves = cohort.incidence(times)[:, 0]
    return {
        "antolini": float(
            concordance_time_dependent(risk, cohort.days, event.astype(int), ties="Risk", tau=cohort.tau())[0]
        ),
        "d_calibration": [float(statistic), float(p_value)],
        "aj_calibration": [
            float(
                aj_calibration_per_event(
                    curves, times, cohort.days, cohort.cause, 1, alpha=power, min_prop_at_risk=0.0
                )
            )
            for power in (1.0, 2.0)
        ],
    }


def torchsurv(cohort: Cohort) -> float:
    """Harrell's C, other causes censored."""
    marker, event = torch.tensor(cohort.risk), torch.tensor(cohort.cause == 1)
    return float(ConcordanceIndex()(marker, event, torch.tensor(cohort.days)))


def decision_curves(cohort: Cohort) -> dict[str, list[float | None]]:
    """Net benefit of the event of any cause; none where nobody acted on is followed long enough."""
    times = cohort.times()
    horizon = float(times[len(times) // 2])
    table = pd.DataFrame(
        {
            "day": cohort.days,
            "event": cohort.cause > 0,
            "model": 1.0 - single(cohort, np.array([horizon]))[:, 0],
        }
    )
    found = dca(table, "event", ["model"], list(THRESHOLDS), time=horizon, time_to_outcome_col="day")
    by_model = {name: rows.sort_values("threshold")["net_benefit"] for name, rows in found.groupby("model")}
    return {
        name: [None if pd.isna(value) else float(value) for value in by_model[name]]
        for name in ("model", "all")
    }
