"""The functions of the public interface that are more than a name for one inside."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from prognosis.cohort import Case, Cohort
from prognosis.comparison.answer import TreatmentAnswer
from prognosis.comparison.treat import treat_cases
from prognosis.evaluation.judging import evaluate_folds_of, held_out_fold
from prognosis.evaluation.measured import without_other_units
from prognosis.evaluation.results import EvaluationResult
from prognosis.explanation import AskedScale, Explanation, explain_case
from prognosis.fusion import FusionModel, ModelConfig, load_model, train_model
from prognosis.prediction.asking import latest_case
from prognosis.prediction.predictor import case_of
from prognosis.record import PatientRecord


def load(folder: str | Path, cache: str | Path | None = None) -> FusionModel:
    """Read a model folder.

    Args:
        folder: A model's.
        cache: A folder in which what the model needs of each imaging study is kept (derived patient data),
            so that a study is encoded once.

    Raises:
        BundleError: The folder is incomplete, altered or of another format.
        InputError: The cache cannot be used.
    """
    return load_model(folder, cache)


def train(cohort: Cohort, config: str | Path | ModelConfig | None = None) -> FusionModel:
    """Train a model on every case of a cohort; hold patients back before, to judge it.

    Args:
        cohort: Cases with labels.
        config: A configuration, or the path of one; without it, the settings that the task names.

    Raises:
        CohortError: The cohort is too small or has no usable modality.
        ConfigError: The configuration is not valid.
    """
    if not isinstance(config, ModelConfig):
        stated = cohort.task.model
        config = ModelConfig.load(config) if config else ModelConfig.from_statement(stated, cohort.task.name)
    return train_model(cohort, config)


def explain(
    model: FusionModel,
    record: PatientRecord,
    at: datetime | None = None,
    cause: str | None = None,
    scale: AskedScale = "log_hazard",
    horizon_days: float | None = None,
) -> Explanation:
    """Why the model predicts what it does for one patient.

    Args:
        model: A trained model.
        record: The patient's record; anything known after `at` is not read.
        at: The index time; the record's last fact by default.
        cause: Which cause; the task's first by default.
        scale: "log_hazard", exact in closed form, or "probability" that the cause has come by a horizon.
        horizon_days: Of the probability; the task's last horizon by default.

    Raises:
        InputError: The record is empty and no time is given, the time names no time zone, the cause is
            unknown, or the horizon is beyond what was observed in training.
    """
    return explain_case(model, case_of(record, at), cause, scale, horizon_days)


def treat(model: FusionModel, record: PatientRecord, at: datetime | None = None) -> TreatmentAnswer:
    """What each arm of the model's task would do for one patient, or why that is not said.

    Args:
        model: Trained on a task that states a treatment.
        record: The patient's record; anything known after `at` is not read.
        at: The index time; the task's last index by default, since at the last fact an arm may have begun.

    Raises:
        ScopeError: The model compares no arms.
        InputError: The record is empty and no time is given, or the time names no time zone.
    """
    case: Case = latest_case(model.task, record) if at is None else case_of(record, at)
    return treat_cases(model, [case])[0]


def evaluate(model: FusionModel, cohort: Cohort, seed: int = 0) -> EvaluationResult:
    """Judge a model on labelled cases of patients that did not train it.

    Of a measurement, cases whose last value is in a unit that the task does not name are left out, and
    counted among the result's `exclusions`.

    Raises:
        CohortError: A case's patient trained the model, or there is nothing to judge by.
    """
    return evaluate_folds_of([held_out_fold(model, without_other_units(cohort))], seed).result
