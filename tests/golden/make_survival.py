"""Write survival.json: values of scikit-survival and lifelines that our statistics are tested against.

Run by hand where both are installed (scikit-survival is GPL, so nothing of the project imports it):

    python tests/golden/make_survival.py
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter, NelsonAalenFitter, datasets
from numpy.typing import NDArray
from sksurv.metrics import (
    brier_score,
    concordance_index_censored,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.nonparametric import CensoringDistributionEstimator, cumulative_incidence_competing_risks
from sksurv.util import Surv

HERE = Path(__file__).parent
PACKAGED = {
    # file of lifelines/datasets: time, event, columns of the risk with their weights
    "gbsg2.csv": ("time", "cens", {"pnodes": 0.1, "progrec": -0.002}),
    "rossi.csv": ("week", "arrest", {"prio": 0.1, "age": -0.05}),
    "larynx.csv": ("time", "death", {"Stage_II": 0.2, "Stage_III": 0.6, "Stage_IV": 1.7}),
    "kidney_transplant.csv": ("time", "death", {"age": 0.05}),
}


def simulated(name: str, n: int, causes: int, step: float, censored: float, seed: int) -> dict[str, Any]:
    """A small cohort kept in the file itself; `step` rounds times and risks, and so makes ties."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n)
    time = rng.exponential(np.exp(3.0 - 0.6 * risk))
    cause = np.where(rng.random(n) < censored, 0, rng.integers(1, causes + 1, n))
    days = np.maximum(np.ceil(time / step) * step, step) if step else np.round(time + 0.01, 6)
    return {
        "name": name,
        "days": days.tolist(),
        "cause": cause.tolist(),
        "risk": np.round(risk, 1 if step else 6).tolist(),
    }


def packaged(file: str) -> dict[str, Any]:
    """Days, cause and a fixed linear risk of a cohort that lifelines carries."""
    time, event, weights = PACKAGED[file]
    frame = pd.read_csv(Path(datasets.__file__).parent / file)
    frame = frame[frame[time] > 0]
    risk = sum(weight * frame[column] for column, weight in weights.items())
    return {
        "name": file,
        "days": frame[time].astype(float).tolist(),
        "cause": frame[event].astype(int).tolist(),
        "risk": risk.round(6).tolist(),
    }


def expected(cohort: dict[str, Any]) -> dict[str, Any]:
    """What the two packages say of one cohort."""
    days, cause = np.array(cohort["days"]), np.array(cohort["cause"])
    risk, event = np.array(cohort["risk"]), np.array(cohort["cause"]) == 1
    times = np.quantile(days[event], [0.25, 0.5, 0.75])
    tau = float(np.quantile(days[event], 0.8))
    outcome = Surv.from_arrays(event, days)
    # Events past the last horizon do not matter to an AUC, but scikit-survival wants a weight for them.
    early = Surv.from_arrays(event & (days <= times[-1]), days)
    survival = np.exp(-np.outer(np.exp((risk - risk.mean()) / risk.std() / 2), times / np.median(days)))
    harrell = concordance_index_censored(event, days, risk)
    nelson = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(days, event)
    return {
        "times": times.tolist(),
        "tau": tau,
        "harrell": [float(value) for value in harrell[:4]],
        "uno": float(concordance_index_ipcw(outcome, outcome, risk, tau=tau)[0]),
        "auc": cumulative_dynamic_auc(outcome, early, risk, times)[0].tolist(),
        "brier": brier_score(outcome, outcome, survival, times)[1].tolist(),
        "ibs": float(integrated_brier_score(outcome, outcome, survival, times)),
        "kaplan_meier": KaplanMeierFitter().fit(days, event).predict(times).tolist(),
        "nelson_aalen": nelson.predict(times).tolist(),
        "aalen_johansen": cumulative_incidences(days, cause, times),
        "censoring": CensoringDistributionEstimator().fit(outcome).predict_proba(times).tolist(),
    }


def cumulative_incidences(
    days: NDArray[np.float64], cause: NDArray[np.int64], times: NDArray[np.float64]
) -> list[list[float]]:
    """Of each cause; scikit-survival's estimator wants at least two causes."""
    if cause.max() == 1:
        return [(1.0 - KaplanMeierFitter().fit(days, cause).predict(times)).tolist()]
    known, incidence = cumulative_incidence_competing_risks(cause, days)
    return incidence[1:, np.searchsorted(known, times, side="right") - 1].tolist()


def main() -> None:
    """Write the file."""
    warnings.simplefilter("ignore")
    inside = [
        simulated("continuous", 60, 1, 0.0, 0.3, 1),
        simulated("weekly", 80, 1, 7.0, 0.4, 2),
        simulated("mostly censored", 120, 1, 1.0, 0.8, 3),
        simulated("competing", 90, 2, 3.0, 0.3, 4),
        simulated("three causes, tied", 100, 3, 10.0, 0.2, 5),
    ]
    cohorts = [cohort | {"expected": expected(cohort)} for cohort in inside]
    cohorts += [{"name": file, "expected": expected(packaged(file))} for file in PACKAGED]
    (HERE / "survival.json").write_text(json.dumps(cohorts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
