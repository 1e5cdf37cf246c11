"""Training: cross-fitted evidence, then the head on what was seen out of fold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, Target, cohort_target, patient_folds
from prognosis.errors import CohortError
from prognosis.evidence import FittedEvidence
from prognosis.evidence.model_folder import patient_digest
from prognosis.fusion.bounds import fit_bounds
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.fitting import fit_head
from prognosis.fusion.inputs import FusionInputs, join_modalities
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.model import FusionModel, Training
from prognosis.fusion.prior_shift import prior_shift, shifted
from prognosis.fusion.recalibration import recalibrate
from prognosis.fusion.replicates import bootstrap_head

Progress = Callable[[str, int, int], None]

LEAST_PATIENTS = 20
LEAST_CASES = 30
LEAST_EVENTS = 8
BACKGROUND_CASES = 256
FOLDS = 3
MOST_FOLDS = 10


def train_model(cohort: Cohort, config: ModelConfig, on_progress: Progress | None = None) -> FusionModel:
    """Train a model on every case of a cohort.

    Each modality is fitted on folds of patients; the head learns from evidence about patients that the
    evidence models had not seen. Hold patients back before calling this, to judge the model.

    Args:
        cohort: Cases with labels.
        config: How to train.
        on_progress: Told (what, done, total).

    Raises:
        CohortError: The cohort has too few patients or events, none of some cause, or no usable modality.
    """
    target = cohort_target(cohort, config.fusion.bins)
    left_out = {
        name: reason for name in config.modalities if (reason := _too_few(name, cohort.cases, target))
    }
    used = set(config.modalities) - set(left_out)
    count = config.folds or _default_folds(used, _patients_with_event(cohort, target))
    _check_size(cohort, target, count)
    folds = patient_folds(cohort.patients, target.cause, count, config.seed)
    fitted: dict[str, FittedEvidence] = {}
    for name in config.modalities:
        if name not in left_out:
            fitted[name] = fit_modality(name, cohort, target, folds, config, on_progress)
    if not fitted:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise CohortError(
            f"cohort of task {cohort.task.name}",
            f"has no usable modality ({reasons})",
            "add sources or cases",
        )
    inputs = join_modalities({name: evidence.out_of_fold for name, evidence in fitted.items()})
    exposure = exposure_of(target)
    parameters = fit_head(inputs, exposure, config.fusion, folds, config.seed)
    head = recalibrate(parameters.head(), inputs, exposure, np.ones(len(cohort)))
    replicates = bootstrap_head(
        parameters, inputs, exposure, cohort.patients, config.fusion.bootstrap, config.seed, on_progress
    )
    head, replicates = shifted(head, replicates, prior_shift(cohort.task, target))
    bounds = (
        fit_bounds(parameters, inputs, exposure, target, cohort.patients, folds) if target.survival else {}
    )
    return FusionModel(
        task=cohort.task,
        config=config,
        evidence={name: evidence.model for name, evidence in fitted.items()},
        head=head,
        edges=target.edges,
        replicates=replicates,
        background=_background(inputs, config.seed),
        training=_training(cohort, target, inputs, left_out),
        bounds=bounds,
    )


def fit_modality(
    name: str,
    cohort: Cohort,
    target: Target,
    folds: NDArray[np.int64],
    config: ModelConfig,
    on_progress: Progress | None = None,
) -> FittedEvidence:
    """Fit one modality's evidence across folds."""
    task, cases, seed = cohort.task, cohort.cases, config.seed
    if name == "clinical":
        from prognosis.evidence.clinical import fit_clinical

        return fit_clinical(cases, target, folds, config.clinical, seed, task.excluded_codes, on_progress)
    if name == "text":
        from prognosis.evidence.text import fit_text

        patterns = task.screening.sentence_patterns
        return fit_text(cases, target, folds, config.text, seed, patterns, on_progress)
    from prognosis.evidence.imaging import fit_imaging

    return fit_imaging(cases, target, folds, config.imaging, seed, on_progress)


def _patients_with_event(cohort: Cohort, target: Target) -> int:
    return len(set(cohort.patients[target.cause > 0]))


def _default_folds(used: set[str], events: int) -> int:
    """More folds where few patients have an event and a fit is quick; see `ModelConfig.folds`."""
    return MOST_FOLDS if used == {"clinical"} and 2 * MOST_FOLDS <= events < 200 else FOLDS


def _check_size(cohort: Cohort, target: Target, folds: int) -> None:
    reference = f"cohort of task {cohort.task.name}"
    patients = len(set(cohort.patients))
    if patients < LEAST_PATIENTS:
        raise CohortError(reference, f"has {patients} patients", f"train on at least {LEAST_PATIENTS}")
    events, least = _patients_with_event(cohort, target), max(LEAST_EVENTS, folds)
    if events < least:
        raise CohortError(reference, f"has {events} patients with an event", f"use at least {least}")
    for place, cause in enumerate(target.causes):
        if not target.happened[:, place].any():
            raise CohortError(
                reference, f"no case had {cause}", "leave the cause out of the task, or add cases that had it"
            )


def _too_few(name: str, cases: tuple[Case, ...], target: Target) -> str:
    """Why a modality cannot be learnt from these cases, or ""."""
    holds: dict[str, Callable[[Case], bool]] = {
        "clinical": lambda case: bool(case.record.events) or case.record.birth_date is not None,
        "text": lambda case: bool(case.record.notes),
        "imaging": lambda case: bool(case.record.studies),
    }
    here = np.array([holds[name](case) for case in cases])
    events = int((target.cause[here] > 0).sum())
    if not here.any():
        return "no case has it"
    if here.sum() < LEAST_CASES or events < LEAST_EVENTS:
        return f"only {int(here.sum())} cases with {events} events have it"
    return ""


def _background(inputs: FusionInputs, seed: int) -> FusionInputs:
    rows = np.random.default_rng(seed).permutation(len(inputs))[:BACKGROUND_CASES]
    return inputs.take(np.sort(rows))


def _training(cohort: Cohort, target: Target, inputs: FusionInputs, left_out: dict[str, str]) -> Training:
    nothing = int((target.cause == 0).sum()) if target.marks is None else 0
    counts = dict(zip(target.causes, target.happened.sum(axis=0).tolist(), strict=True))
    return Training(
        cases=len(cohort),
        events={name: count for name, count in {"none": nothing, **counts}.items() if count},
        modality_cases={
            name: int(inputs.present[:, place].sum()) for place, name in enumerate(inputs.modalities)
        },
        left_out=left_out,
        patients=frozenset(patient_digest(patient) for patient in cohort.patients),
    )
