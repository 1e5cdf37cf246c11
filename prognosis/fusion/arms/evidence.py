"""Evidence of the choice of an arm, and of what an arm adds, by the machinery that reads the event's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, Target
from prognosis.cohort.arms import ArmCohort
from prognosis.cohort.target import ONE_BIN
from prognosis.errors import CohortError
from prognosis.evidence import FittedEvidence
from prognosis.fusion.arms.model import as_assigned
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.cross_fitting import LEAST_CASES, Progress, modality_fitting
from prognosis.fusion.inputs import FusionInputs, join_modalities

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Fitted = Mapping[str, FittedEvidence]


def fit_assignment(
    compared: ArmCohort,
    names: tuple[str, ...],
    folds: Ints,
    config: ModelConfig,
    on_progress: Progress | None,
) -> Fitted:
    """What each modality says of the arm that a case was given; nothing where chance alone gave it.

    The arms are classes, the first of them the reference; records hold no more than the choice may depend on.

    Args:
        compared: The cases.
        names: Modalities that the event's evidence reads.
        folds: (n,) folds by patient.
        config: How evidence is made.
        on_progress: Told (what, done, total).
    """
    if compared.treatment.assignment == "randomised":
        return {}
    arms = compared.treatment.names
    cases = tuple(as_assigned(case, compared.treatment) for case in compared.cohort.cases)
    target = Target(arms[1:], compared.arm, np.full(len(cases), 0.5), ONE_BIN, survival=False)
    cohort = Cohort(compared.cohort.task, cases)
    return _fitted(cohort, target, names, folds, config, on_progress)


def fit_effect(
    compared: ArmCohort,
    arm: str,
    difference: Floats,
    names: tuple[str, ...],
    folds: Ints,
    config: ModelConfig,
    on_progress: Progress | None,
) -> Fitted:
    """What each modality says of how much an arm adds to the reference.

    The difference of a case's doubly robust scores has its effect as mean; it is learned as a measurement.

    Args:
        compared: The cases.
        arm: Whose effect.
        difference: (n,) scores under the arm less those under the reference.
        names: Modalities that the event's evidence reads.
        folds: (n,) folds by patient.
        config: How evidence is made.
        on_progress: Told (what, done, total).
    """
    centre, spread = float(difference.mean()), float(difference.std())
    if not spread > 0.0:
        return {}
    cases = len(difference)
    target = Target(
        (f"effect of {arm}",),
        np.ones(cases, dtype=np.int64),
        np.full(cases, 0.5),
        ONE_BIN,
        survival=False,
        values=(difference - centre) / spread,
        centre=centre,
        spread=spread,
    )
    return _fitted(compared.cohort, target, names, folds, config, on_progress)


def out_of_fold(fitted: Fitted) -> FusionInputs | None:
    """What the fitted modalities say of the cases that they did not see; None without one."""
    if not fitted:
        return None
    return join_modalities({name: own.out_of_fold for name, own in fitted.items()})


def _fitted(
    cohort: Cohort,
    target: Target,
    names: tuple[str, ...],
    folds: Ints,
    config: ModelConfig,
    on_progress: Progress | None,
) -> Fitted:
    found = {}
    for name in names:
        if _cases_with(name, cohort) < LEAST_CASES:
            continue
        try:
            found[name] = modality_fitting(name, cohort, target, folds, config, on_progress)(None)
        except CohortError:
            continue  # nothing in it differs between cases, or it cannot be read: it says nothing
    return found


def _cases_with(name: str, cohort: Cohort) -> int:
    records = [case.record for case in cohort.cases]
    if name == "clinical":
        return sum(bool(record.events) or record.birth_date is not None for record in records)
    return sum(bool(record.notes if name == "text" else record.studies) for record in records)
