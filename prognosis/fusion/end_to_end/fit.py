"""Joint training of every fold: from read-outs to evidence models that are like any others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, Target
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
from prognosis.fusion.end_to_end.network import JointNetwork, Networks
from prognosis.fusion.end_to_end.objective import Outcomes
from prognosis.fusion.end_to_end.parts import Part, Reader
from prognosis.fusion.end_to_end.start import Models, claim_folder, run_digest, started
from prognosis.fusion.end_to_end.text import TextPart
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.optimiser import Layout


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

    Each fold's read-outs are fitted without the fold, as ever, and go on from there together through the
    additive-bilinear hazard. The heads that trained them are not kept: a head learned from cases that its
    evidence had seen trusts it too much.

    Args:
        names: The modalities.
        cohort: Cases with labels.
        target: What happened to each.
        folds: (n,) fold of each case, whole patients.
        config: Settings.
        on_progress: Told (what, done, total).
        checkpoints: Folder in which a training that was stopped finds where it was; None for none.

    Returns:
        By modality, what `fit_modality` gives.

    Raises:
        CheckpointError: The folder holds the checkpoints of another training.
        ConfigError: The settings ask for a GPU that is not there, or the loss is no longer finite.
    """
    device, kept = _device(config.training), None
    if checkpoints is not None:
        run = run_digest(cohort, config)
        claim_folder(checkpoints, run)
        kept = Checkpoints(checkpoints / "steps", run)
    starts: dict[str, Models] = {}
    for name in names:
        fit = partial(_read_outs, name, cohort, target, folds, config, on_progress)
        starts[name] = fit() if checkpoints is None else started(checkpoints, name, fit)
    parts = {name: _part(name, cohort.cases, starts[name][0], on_progress) for name in names}
    weights = case_weights(target, cohort.patients)
    present = np.stack([part.present for part in parts.values()], axis=1)
    outcomes = Outcomes.of(target, weights, present).to(device)
    count = int(folds.max()) + 1
    with network_threads(config.imaging.threads):
        networks = Networks(
            [
                _network(
                    {name: parts[name].reader(starts[name][fold], folds != fold) for name in names},
                    _intercepts(target.take(folds != fold), weights[folds != fold]),
                    config,
                )
                for fold in range(count)
            ]
        ).to(device)
        rows = [torch.from_numpy(np.flatnonzero(folds == fold)).to(device) for fold in range(count)]
        others = [torch.from_numpy(np.flatnonzero(folds != fold)) for fold in range(count)]
        plan = Plan(tuple(others), tuple(rows), config.seed, config.training)
        train(networks, outcomes, plan, kept, on_progress)
        networks.cpu().eval()
        return {name: _fitted(name, parts[name], starts[name], networks, folds) for name in names}


def _read_outs(
    name: str,
    cohort: Cohort,
    target: Target,
    folds: NDArray[np.int64],
    config: ModelConfig,
    on_progress: Progress | None,
) -> Models:
    return fit_modality(name, cohort, target, folds, config, on_progress).by_fold


def _part(name: str, cases: Sequence[Case], start: EvidenceModel, on_progress: Progress | None) -> Part:
    if name == "imaging":
        return ImagingPart(cases, start, on_progress)
    return ClinicalPart(cases, start) if name == "clinical" else TextPart(cases, start)


def _network(readers: Mapping[str, Reader], alpha: NDArray[np.float64], config: ModelConfig) -> JointNetwork:
    """One fold's network; every fold's directions of interaction start at the same place."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return JointNetwork(readers, alpha, config.fusion.rank)


def _intercepts(target: Target, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(causes, bins) log-odds of the average case in each bin."""
    causes, bins = len(target.causes), target.bins
    start = Layout(1, causes, bins, (1,), 0).start(exposure_of(target), weights, 0)
    return start[: causes * bins].reshape(causes, bins)


def _fitted(
    name: str, part: Part, starts: Models, networks: Networks, folds: NDArray[np.int64]
) -> FittedEvidence:
    """The average of the folds' trained models, and what each said of the cases of its own fold."""
    models = [
        part.model(start, network.reader(name), folds != fold)
        for fold, (start, network) in enumerate(zip(starts, networks, strict=True))
    ]
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
