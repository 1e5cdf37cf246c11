"""`prognosis train`: a task and its sources to a model folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prognosis.cli.cards import bundle_card
from prognosis.cli.console import Bars, print_json, stderr
from prognosis.cli.loading import Loaded, cohort_json, load_cohort
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Task
from prognosis.evaluation.judging import evaluate_folds_of, held_out_fold
from prognosis.fusion import FusionModel, ModelConfig, save_model, train_model

TRAINING_PART = "train"
VALIDATION_PART = "validation"


def run_train(
    task_path: Path,
    sources: Sequence[str],
    out: Path,
    config_path: Path | None,
    settings: Sequence[str],
    *,
    json_output: bool,
) -> None:
    """Train on the sources' cases and write the model folder.

    Where a source fixes its own split, only its training part is learnt from and its validation part is
    judged; otherwise every case is learnt from, and `evaluate --cv` judges.
    """
    task = Task.load(task_path)
    config = model_config(config_path, settings, task)
    loaded = load_cohort(sources, task)
    started = time.monotonic()
    model, metrics = train_and_judge(loaded.cohort, config)
    metrics = {**metrics, "fit_seconds": round(time.monotonic() - started, 1), "cohort": summary(loaded)}
    model = save_model(model, out, bundle_card(model, metrics), metrics)
    for name, reason in model.training.left_out.items():
        stderr.print(f"[yellow]note[/]: {name} is left out: {reason}")
    stderr.print(f"wrote {out} ({model.model_id}) in {metrics['fit_seconds']} s")
    if json_output:
        print_json({"model": str(out), "model_id": model.model_id, **metrics})


def train_and_judge(cohort: Cohort, config: ModelConfig) -> tuple[FusionModel, dict[str, Any]]:
    """Train on a cohort, or on its training part; what its validation part says, where it has one."""
    parts = {case.part for case in cohort.cases}
    training = cohort.where(lambda case: case.part == TRAINING_PART) if TRAINING_PART in parts else cohort
    with Bars() as bars:
        model = train_model(training, config, bars)
    if VALIDATION_PART not in parts:
        return model, {}
    validation = cohort.where(lambda case: case.part == VALIDATION_PART)
    result = evaluate_folds_of([held_out_fold(model, validation, training)], config.seed).result
    found = result.to_json()
    for name, value in sorted(result.result.metrics.items()):
        stderr.print(f"validation {name}: {value.value:.3f} ({value.low:.3f} to {value.high:.3f})", highlight=False)
    return model, {"validation": found}


def summary(loaded: Loaded) -> dict[str, Any]:
    """Counts of the cohort for the model's metrics, without references to single resources."""
    counts = cohort_json(loaded)
    counts["quarantined"] = len(counts["quarantined"])
    return counts
