"""Joint training of every fold: from read-outs to evidence models that are like any others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from prognosis.cohort import Cohort, Target, held_out_rows
from prognosis.errors import ConfigError
from prognosis.evidence import EvidenceModel, FittedEvidence
from prognosis.evidence.imaging.encoder import network_threads
from prognosis.evidence.readout import case_weights
from prognosis.fusion.config import ModelConfig, TrainingConfig
from prognosis.fusion.cross_fitting import Progress, fit_modality
from prognosis.fusion.end_to_end.checkpoint import Checkpoints
from prognosis.fusion.end_to_end.clinical import ClinicalPart
from prognosis.fusion.end_to_end.imaging import ImagingPart
from prognosis.fusion.end_to_end.loop import Plan, train
from prognosis.fusion.end_to_end.network import JointNetwork
from prognosis.fusion.end_to_end.objective import Outcomes
from prognosis.fusion.end_to_end.parts import Flags, Part
from prognosis.fusion.end_to_end.start import Models, claim_folder, run_digest, started
from prognosis.fusion.end_to_end.text import TextPart
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.optimiser import Layout


@dataclass(frozen=True, slots=True)
class _Run:
    """One joint training of all folds.

    Attributes:
        cohort: All cases.
        target: What happened to them.
        folds: (n,) fold of each case.
        learners: (n,) False for the patients by whom training is stopped.
        config: Settings.
        on_progress: Told (what, done, total).
        folder: Of the checkpoints; None for none.
        digest: Of the run.
    """

    cohort: Cohort
    target: Target
    folds: NDArray[np.int64]
    learners: Flags
    config: ModelConfig
    on_progress: Progress | None
    folder: Path | None
    digest: str


def fit_end_to_end(
    names: Sequence[str],
    cohort: Cohort,
    target: Target,
    folds: NDArray[np.int64],
    config: ModelConfig,
    on_progress: Progress | None = None,
    checkpoints: Path | None = None,
) -> dict[str, FittedEvidence]:
    """Fit all modalities together.

    A share of the patients is put aside. Each fold's read-outs are fitted without it and without the fold,
    and go on from there together, through the additive-bilinear hazard, until the patients put aside gain no
    more. The head that trained them is not kept: it learned from cases that the evidence had seen.

    Args:
        names: The modalities.
        cohort: Cases with labels.
        target: What happened to each.
        folds: (n,) fold of each case, whole patients.
        config: Settings.
        on_progress: Told (what, done, total).
        checkpoints: Folder in which a training that was stopped finds where it was; None for none.

    Returns:
        By modality, what `fit_modality` gives; the cases put aside too are read by the model of their fold.

    Raises:
        CheckpointError: The folder holds the checkpoints of another training.
        ConfigError: The settings ask for a GPU that is not there, or the loss is no longer finite.
    """
    held_out = held_out_rows(cohort.patients, target.cause, config.training.held_out, config.seed)
    digest = ""
    if checkpoints is not None:
        digest = run_digest(cohort, config)
        claim_folder(checkpoints, digest)
    run = _Run(cohort, target, folds, ~held_out, config, on_progress, checkpoints, digest)
    starts = {name: _start(run, name) for name in names}
    parts = {name: _part(run, name, starts[name][0]) for name in names}
    trained: dict[str, list[EvidenceModel]] = {name: [] for name in names}
    with network_threads(config.imaging.threads):
        for fold in range(int(folds.max()) + 1):
            models = _train_fold(run, fold, parts, {name: starts[name][fold] for name in names})
            for name, model in models.items():
                trained[name].append(model)
    return {name: _fitted(parts[name], trained[name], folds) for name in names}


def _start(run: _Run, name: str) -> Models:
    """The modality's read-outs of each fold, learned without the fold and the patients put aside."""
    rows = np.flatnonzero(run.learners)

    def fit() -> Models:
        cohort, target, folds = run.cohort.take(rows), run.target.take(rows), run.folds[rows]
        return fit_modality(name, cohort, target, folds, run.config, run.on_progress).by_fold

    return fit() if run.folder is None else started(run.folder, name, fit)


def _part(run: _Run, name: str, start: EvidenceModel) -> Part:
    cases = run.cohort.cases
    if name == "imaging":
        return ImagingPart(cases, start, run.on_progress)
    return ClinicalPart(cases, start) if name == "clinical" else TextPart(cases, start)


def _train_fold(
    run: _Run, fold: int, parts: Mapping[str, Part], starts: Mapping[str, EvidenceModel]
) -> dict[str, EvidenceModel]:
    """The evidence models of one fold, trained together."""
    learn = run.learners & (run.folds != fold)
    device = _device(run.config.training)
    present = np.stack([part.present for part in parts.values()], axis=1)
    weights = case_weights(run.target, run.cohort.patients)
    outcomes = Outcomes.of(run.target, weights, present).to(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.config.seed + fold)
        readers = {name: part.reader(starts[name], learn) for name, part in parts.items()}
        network = JointNetwork(readers, _intercepts(run, learn, weights), run.config.fusion.rank)
    plan = Plan(
        torch.from_numpy(np.flatnonzero(learn)),
        torch.from_numpy(np.flatnonzero(~run.learners)).to(device),
        (run.config.seed, fold),
        run.config.training,
    )
    checkpoints = None if run.folder is None else Checkpoints(run.folder / f"fold{fold}", run.digest)
    count = int(run.folds.max()) + 1
    train(network.to(device), outcomes, plan, checkpoints, _told(run.on_progress, fold, count))
    network.cpu().eval()
    return {name: part.model(starts[name], readers[name], learn) for name, part in parts.items()}


def _intercepts(run: _Run, learn: Flags, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(causes, bins) log-odds of the average case in each bin."""
    causes, bins = len(run.target.causes), run.target.bins
    layout = Layout(1, causes, bins, (1,), 0)
    start = layout.start(exposure_of(run.target.take(learn)), weights[learn], run.config.seed)
    return start[: causes * bins].reshape(causes, bins)


def _fitted(part: Part, models: Sequence[EvidenceModel], folds: NDArray[np.int64]) -> FittedEvidence:
    """The average of the folds' models, and what each said of the cases of its own fold."""
    each = [part.evidence(model) for model in models]

    def chosen(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        own = values[0].copy()
        for fold, theirs in enumerate(values):
            own[folds == fold] = theirs[folds == fold]
        return own

    out_of_fold = replace(
        each[0],
        evidence=chosen([own.evidence for own in each]),
        vector=chosen([own.vector for own in each]),
        typical_distance=chosen([own.typical_distance for own in each]),
    )
    return FittedEvidence(part.average(models), out_of_fold, tuple(models))


def _device(config: TrainingConfig) -> torch.device:
    available = torch.cuda.is_available()
    if config.device == "cuda" and not available:
        raise ConfigError("training.device", "is cuda, and none is there", "set training.device=auto")
    return torch.device("cuda" if available and config.device != "cpu" else "cpu")


def _told(on_progress: Progress | None, fold: int, folds: int) -> Progress | None:
    if on_progress is None:
        return None
    tell: Callable[[str, int, int], None] = on_progress

    def told(what: str, done: int, total: int) -> None:
        tell(f"{what}, fold {fold + 1} of {folds}", done, total)

    return told
