"""Every modality fitted across folds of patients: what any way of joining them learns from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, Target, cohort_target, patient_folds
from prognosis.errors import CohortError, ConfigError
from prognosis.evidence import FittedEvidence, Fitting
from prognosis.fusion.beside import fit_beside_others
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.inputs import FusionInputs, join_modalities
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.measured import beside_levels

Progress = Callable[[str, int, int], None]

LEAST_PATIENTS = 20
LEAST_CASES = 30
LEAST_EVENTS = 8
FOLDS = 3
MOST_FOLDS = 10


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """The fitted modalities of a training cohort.

    Attributes:
        target: What happened to each case, on the bins of the hazard.
        folds: (n,) fold of each case, whole patients.
        fitted: Each modality's models and what they say of the cases that they did not see.
        alone: The same of each modality's read-outs fitted by itself, as it would be if there were no other;
            the same objects where nothing was fitted beside the others (ADR 11). Empty after a training end
            to end that was resumed.
        left_out: Modalities of the configuration that too few cases had, with the reason.
    """

    target: Target
    folds: NDArray[np.int64]
    fitted: Mapping[str, FittedEvidence]
    alone: Mapping[str, FittedEvidence]
    left_out: Mapping[str, str]

    def inputs(self) -> FusionInputs:
        """The out-of-fold evidence of every case."""
        return join_modalities({name: evidence.out_of_fold for name, evidence in self.fitted.items()})

    def usual(self) -> FusionInputs:
        """The same, spread as widely as what the models that are kept say of other cases."""
        return join_modalities({name: evidence.usual for name, evidence in self.fitted.items()})

    def alone_inputs(self) -> FusionInputs:
        """The same of each modality fitted by itself.

        Raises:
            CohortError: Training was resumed, and these were not fitted.
        """
        if not self.alone:
            raise CohortError(
                "evidence of each modality by itself", "is not kept among checkpoints", "train without them"
            )
        return join_modalities({name: evidence.out_of_fold for name, evidence in self.alone.items()})


def cross_fit(
    cohort: Cohort,
    config: ModelConfig,
    on_progress: Progress | None = None,
    checkpoints: Path | None = None,
) -> CrossFitted:
    """Fit every modality of a configuration on folds of patients: each by itself, or all end to end.

    Args:
        cohort: Cases with labels.
        config: How to train.
        on_progress: Told (what, done, total).
        checkpoints: Folder in which a training end to end that was stopped finds where it was.

    Raises:
        CohortError: The cohort has too few patients or events, none of some cause, or no usable modality.
        CheckpointError: The folder holds the checkpoints of another training.
        ConfigError: Training end to end asks for a GPU that is not there, its loss is no longer finite, or
            the task asks for a measurement.
    """
    target = cohort_target(cohort, config.fusion.bins)
    left_out = {
        name: reason for name in config.modalities if (reason := _too_few(name, cohort.cases, target))
    }
    used = set(config.modalities) - set(left_out)
    count = config.folds or _default_folds(used, _patients_with_event(cohort, target))
    _check_size(cohort, target, count)
    folds = patient_folds(cohort.patients, target.cause, count, config.seed)
    names = [name for name in config.modalities if name in used]
    if not names:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise CohortError(
            f"cohort of task {cohort.task.name}",
            f"has no usable modality ({reasons})",
            "add sources or cases",
        )
    alone: dict[str, FittedEvidence] = {}
    read_outs = partial(_read_outs, names, cohort, target, folds, config, on_progress, alone)
    fitted: Mapping[str, FittedEvidence]
    if config.training.way == "end_to_end" and target.values is not None:
        raise ConfigError(
            f"training of task {cohort.task.name}",
            "end to end learns events, classes and findings, no measurement",
            "set training.way to read_outs",
        )
    if config.training.way == "end_to_end":
        from prognosis.fusion.end_to_end import fit_end_to_end

        fitted = fit_end_to_end(read_outs, names, cohort, target, folds, config, on_progress, checkpoints)
    else:
        fitted = read_outs()
    return CrossFitted(target, folds, fitted, alone, left_out)


def _read_outs(
    names: Sequence[str],
    cohort: Cohort,
    target: Target,
    folds: NDArray[np.int64],
    config: ModelConfig,
    on_progress: Progress | None,
    alone: dict[str, FittedEvidence],
) -> Mapping[str, FittedEvidence]:
    """Each modality by itself, put in `alone`, and, where there are several, once more beside the others."""
    fittings = {name: modality_fitting(name, cohort, target, folds, config, on_progress) for name in names}
    alone |= {name: fitting(None) for name, fitting in fittings.items()}
    if len(names) == 1 or not config.fusion.beside_others:
        return alone
    inputs = join_modalities({name: evidence.out_of_fold for name, evidence in alone.items()})
    levelled = beside_levels(target, folds, cohort.patients)
    exposure, weight = exposure_of(levelled, inputs), config.fusion.dropout_weight
    return fit_beside_others(fittings, alone, exposure, folds, cohort.patients, weight)


def modality_fitting(
    name: str,
    cohort: Cohort,
    target: Target,
    folds: NDArray[np.int64],
    config: ModelConfig,
    on_progress: Progress | None = None,
) -> Fitting:
    """Read one modality's data; what comes back fits its evidence across folds."""
    task, cases, seed = cohort.task, cohort.cases, config.seed
    if name == "clinical":
        from prognosis.evidence.clinical import CodeRoles, clinical_fitting

        codes = CodeRoles(task.excluded_codes, task.index.entry_codes, gathered=task.concepts)
        if task.measurement is not None:
            logarithm = task.measurement.scale == "log"
            codes = replace(codes, measured=frozenset(task.measurement.codes), as_logarithm=logarithm)
        return clinical_fitting(cases, target, folds, config.clinical, seed, codes, on_progress)
    if name == "text":
        from prognosis.evidence.text import text_fitting

        patterns = task.screening.sentence_patterns
        return text_fitting(cases, target, folds, config.text, seed, patterns, on_progress)
    from prognosis.evidence.imaging import imaging_fitting

    return imaging_fitting(cases, target, folds, config.imaging, seed, on_progress)


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
