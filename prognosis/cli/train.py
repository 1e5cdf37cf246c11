"""`prognosis train`: a task and its sources to a model folder."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape

from prognosis.cli.cards import bundle_card, evidence_of
from prognosis.cli.console import Bars, print_json, stderr
from prognosis.cli.loading import Loaded, cohort_json, load_cohort
from prognosis.cli.masks import train_masks
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Task
from prognosis.cohort.lint import codes_never_seen
from prognosis.evaluation.judging import evaluate_folds_of, held_out_fold
from prognosis.evaluation.results import EvaluationResult
from prognosis.evidence.manifest import states_a_model
from prognosis.evidence.model_folder import refuse_other_files
from prognosis.fusion import FusionModel, ModelConfig, save_model, train_model
from prognosis.fusion.arms import ArmsRefused
from prognosis.outputs.model_card import model_card

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
    checkpoints: Path | None = None,
) -> None:
    """Train on the sources' cases and write the model folder.

    Where a source fixes its own split, only its training part is learnt from and its validation part is
    judged; otherwise every case is learnt from, and `evaluate --cv` judges. A training end to end that was
    stopped goes on from its checkpoints when the same command is run again; they are removed in the end.
    """
    task = Task.load(task_path)
    config = model_config(config_path, settings, task)
    refuse_other_files(out)
    if states_a_model(out):
        told = f"note: {out} holds an earlier model, which this training replaces when it ends"
        stderr.print(told, markup=False, highlight=False, soft_wrap=True)
    loaded = load_cohort(sources, task)
    if task.asks_for_masks:
        train_masks(loaded, config, out, json_output=json_output)
        return
    for problem in codes_never_seen(task, loaded.records).values():
        stderr.print(f"[yellow]note[/]: {escape(problem)}", highlight=False)
    started = time.monotonic()
    end_to_end = config.training.way == "end_to_end"
    checkpoints = checkpoints or out.with_name(f"{out.name}.checkpoints")
    trained = train_and_judge(loaded.cohort, config, checkpoints if end_to_end else None)
    seconds = round(time.monotonic() - started, 1)
    judged = trained.judged
    card = bundle_card(
        trained.model,
        trained.cohort,
        loaded.quarantine,
        evidence_of(task),
        judged,
        f"the validation part of the source, {judged.n} cases" if judged else "",
        shlex.join(["prognosis", *sys.argv[1:]]),
    )
    metrics: dict[str, Any] = {"fit_seconds": seconds, "cohort": summary(loaded)}
    if judged is not None:
        metrics["validation"] = judged.to_json()
    model = save_model(trained.model, out, model_card(card), metrics)
    if end_to_end:
        from prognosis.fusion.end_to_end.start import forget

        forget(checkpoints)
    for name, reason in model.training.left_out.items():
        stderr.print(f"[yellow]note[/]: {name} is left out: {escape(reason)}")
    if isinstance(model.arms, ArmsRefused):
        stderr.print(f"[yellow]note[/]: arms are not compared: {escape(model.arms.because)}")
    stderr.print(f"wrote {out} ({model.model_id}) in {seconds} s", markup=False)
    if json_output:
        print_json({"model": str(out), "model_id": model.model_id, **metrics})


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, the cohort that trained it, and how it did on the source's own validation part."""

    model: FusionModel
    cohort: Cohort
    judged: EvaluationResult | None


def train_and_judge(cohort: Cohort, config: ModelConfig, checkpoints: Path | None = None) -> Trained:
    """Train on a cohort, or on its training part and judge on its validation part, where it has them.

    Args:
        cohort: Cases with labels.
        config: How to train.
        checkpoints: Of a training end to end.
    """
    parts = {case.part for case in cohort.cases}
    training = cohort.where(lambda case: case.part == TRAINING_PART) if TRAINING_PART in parts else cohort
    with Bars() as bars:
        model = train_model(training, config, bars, checkpoints)
    if VALIDATION_PART not in parts:
        return Trained(model, training, None)
    validation = cohort.where(lambda case: case.part == VALIDATION_PART)
    result = evaluate_folds_of([held_out_fold(model, validation, training)], config.seed).result
    for name, value in sorted(result.result.metrics.items()):
        stderr.print(
            f"validation {name}: {value.value:.3f} ({value.low:.3f} to {value.high:.3f})", highlight=False
        )
    return Trained(model, training, result)


def summary(loaded: Loaded) -> dict[str, Any]:
    """Counts of the cohort for the model's metrics, without references to single resources."""
    counts = cohort_json(loaded)
    counts["quarantined"] = len(counts["quarantined"])
    return counts
