"""The evaluation of a time-to-event model: metrics, protocol and counts in one result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evaluation.held_out import HeldOut, JudgingDays, judging_days
from prognosis.evaluation.results import EvaluationResult, Protocol
from prognosis.evaluation.survival_metrics import prepare_survival
from prognosis.survival.curves import Floats

REPLICATES = 1000


def evaluate_survival(
    cif: Floats,
    days_grid: Floats,
    target: Target,
    training_target: Target,
    clusters: NDArray[np.str_],
    horizons: Sequence[float],
    seed: int,
    replicates: int = REPLICATES,
) -> EvaluationResult:
    """Judge predicted cumulative incidences of cases that did not train the model.

    Args:
        cif: (n, K, T) probability of each cause by each day, 0 to 1.
        days_grid: (T,) increasing days > 0; must reach `judging_days(target, horizons).days[-1]`.
        target: What happened to the n cases.
        training_target: What happened to the cases that trained the model.
        clusters: (n,) the patient of each case.
        horizons: Days of AUC, Brier score and calibration.
        seed: Of the bootstrap.
        replicates: Number of bootstrap samples.

    Raises:
        CohortError: There are too few events, or the predictions end too early.
    """
    part = HeldOut(cif, days_grid, target, training_target, clusters)
    return evaluate_folds([part], judging_days(target, horizons), seed, replicates)


def evaluate_folds(
    parts: Sequence[HeldOut],
    judged: JudgingDays,
    seed: int,
    replicates: int = REPLICATES,
    task: str = "",
) -> EvaluationResult:
    """Judge the held-out predictions of several folds together; see `survival_metrics`.

    Args:
        parts: One element a fold, none sharing a patient with another.
        judged: The days at which they are judged, the same for every model compared.
        seed: Of the bootstrap.
        replicates: Number of bootstrap samples.
        task: The task's name, for the result.

    Raises:
        CohortError: The predictions end before the last day judged.
    """
    prepared = prepare_survival(parts, judged)
    cause = np.concatenate([part.target.cause for part in parts])
    return EvaluationResult(
        task=task,
        n=len(cause),
        patients=len(np.unique(prepared.clusters)),
        events={
            name: int((cause == number).sum()) for number, name in enumerate(parts[0].target.causes, start=1)
        },
        protocol=survival_protocol(judged, len(parts), seed, replicates),
        result=prepared.bootstrap(replicates, seed),
        calibration=prepared.calibration,
        decisions=prepared.decisions,
        tests=prepared.tests,
    )


def survival_protocol(
    judged: JudgingDays, folds: int, seed: int, replicates: int, *, censoring_apart: bool = True
) -> Protocol:
    """How the metrics of `evaluate_folds` are made, in words and numbers.

    Args:
        judged: The days at which predictions are judged.
        folds: Number of folds.
        seed: Of the bootstrap.
        replicates: Number of bootstrap samples.
        censoring_apart: Censoring is learnt from the training cases; else from those that are judged.
    """
    learnt_from = "training" if censoring_apart else "judged"
    return Protocol(
        level=0.95,
        replicates=replicates,
        seed=seed,
        strata=folds,
        horizons_days=judged.horizons,
        tau_days=judged.tau,
        grid_days=(float(judged.grid[0]), float(judged.grid[-1])),
        grid_points=len(judged.grid),
        risk="expected days lost by tau: the area under the cumulative incidence",
        competing="a competing event stays in the risk set as free of the event (Wolbers 2009)",
        ties="equal risks count one half; events on the same day are not compared",
        censoring=f"reverse Kaplan-Meier of the {learnt_from} cases, left limit at events",
    )
