"""Training: cross-fitted evidence, then the head on what was seen out of fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from prognosis.cohort import Cohort, Target
from prognosis.evidence.model_folder import patient_digest
from prognosis.fusion.arms import ArmFit, fit_arms
from prognosis.fusion.bounds import fit_bounds
from prognosis.fusion.class_sets import fit_sets
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.cross_fitting import CrossFitted, Progress, cross_fit
from prognosis.fusion.fitting import fit_head
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.measured import beside_levels, fit_measured, on_modelled_scale
from prognosis.fusion.model import FusionModel, Training
from prognosis.fusion.prior_shift import prior_shift, shifted
from prognosis.fusion.recalibration import recalibrate
from prognosis.fusion.replicates import bootstrap_head

BACKGROUND_CASES = 256


def train_model(
    cohort: Cohort,
    config: ModelConfig,
    on_progress: Progress | None = None,
    checkpoints: Path | None = None,
) -> FusionModel:
    """Train a model on every case of a cohort.

    Evidence is fitted on folds of patients, as `config.training.way` says; the head learns from evidence
    about patients that the evidence models had not seen. Hold patients back before calling this, to judge
    the model. Where the task states a treatment its arms are compared too; why they could not be is then part
    of the model, and no error.

    Args:
        cohort: Cases with labels.
        config: How to train.
        on_progress: Told (what, done, total).
        checkpoints: Folder in which a training end to end that was stopped finds where it was.

    Raises:
        CohortError: The cohort has too few patients or events, none of some cause, or no usable modality.
        CheckpointError: The folder holds the checkpoints of another training.
        ConfigError: Training end to end asks for a GPU that is not there, or its loss is no longer finite.
    """
    evidence = cross_fit(cohort, config, on_progress, checkpoints)
    model = train_on(cohort, config, evidence, on_progress)
    if cohort.task.treatment is None:
        return model
    arms = fit_arms(cohort, config, evidence, on_progress)
    return replace(model, arms=arms.model if isinstance(arms, ArmFit) else arms)


def train_on(
    cohort: Cohort, config: ModelConfig, evidence: CrossFitted, on_progress: Progress | None = None
) -> FusionModel:
    """Train a model on evidence that was fitted on the same cohort with the same settings; arms apart."""
    target, inputs, folds = evidence.target, evidence.inputs(), evidence.folds
    exposure = exposure_of(beside_levels(target, folds, cohort.patients), inputs)
    parameters = fit_head(inputs, exposure, config.fusion, cohort.patients)
    head = recalibrate(parameters.head(), inputs, exposure, np.ones(len(cohort)))
    replicates = bootstrap_head(
        parameters, inputs, exposure, cohort.patients, config.fusion.bootstrap, config.seed, on_progress
    )
    shift = prior_shift(cohort.task, target)
    head, replicates = shifted(head, replicates, shift)
    known = inputs, exposure, target, cohort.patients, folds
    bounds = fit_bounds(config.fusion, *known) if target.survival else {}
    exclusive = not target.survival and target.marks is None and target.values is None
    sets = fit_sets(config.fusion, *known, shift) if exclusive else None
    measured = None
    if target.values is not None:
        measured = fit_measured(config.fusion, inputs, exposure, target, cohort, folds)
        head, replicates = on_modelled_scale(head, replicates, target)
    return FusionModel(
        task=cohort.task,
        config=config,
        evidence={name: fitted.model for name, fitted in evidence.fitted.items()},
        head=head,
        edges=target.edges,
        replicates=replicates,
        background=_background(evidence.usual(), config.seed),
        training=_training(cohort, target, inputs, evidence.left_out),
        bounds=bounds,
        sets=sets,
        measured=measured,
    )


def _background(inputs: FusionInputs, seed: int) -> FusionInputs:
    rows = np.random.default_rng(seed).permutation(len(inputs))[:BACKGROUND_CASES]
    return inputs.take(np.sort(rows))


def _training(cohort: Cohort, target: Target, inputs: FusionInputs, left_out: Mapping[str, str]) -> Training:
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
