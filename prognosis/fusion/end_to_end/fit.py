"""Joint training of every fold: from read-outs to evidence models that are like any others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, Target
from prognosis.errors import ConfigError
from prognosis.evidence import EvidenceModel, FittedEvidence
from prognosis.evidence.averaging import averaging_gain, spread_of_average
from prognosis.evidence.imaging.encoder import network_threads
from prognosis.evidence.readout import case_weights
from prognosis.fusion.config import ModelConfig, TrainingConfig
from prognosis.fusion.cross_fitting import Progress
from prognosis.fusion.end_to_end.checkpoint import Checkpoints
from prognosis.fusion.end_to_end.clinical import ClinicalPart
from prognosis.fusion.end_to_end.imaging import ImagingPart
from prognosis.fusion.end_to_end.loop import Plan, train
from prognosis.fusion.end_to_end.network import JointNetwork, Networks
from prognosis.fusion.end_to_end.objective import Outcomes
from prognosis.fusion.end_to_end.parts import Part, Reader
from prognosis.fusion.end_to_end.start import Starts, claim_folder, run_digest, started
from prognosis.fusion.end_to_end.text import TextPart
from prognosis.fusion.likelihood import average_log_odds, exposure_of


def fit_end_to_end(
    read_outs: Callable[[], Mapping[str, FittedEvidence]],
    names: Sequence[str],
    cohort: Cohort,
    target: Target,
    folds: NDArray[np.int64],
    config: ModelConfig,
    on_progress: Progress | None = None,
    checkpoints: Path | None = None,
) -> Mapping[str, FittedEvidence]:
    """Train all modalities together, from where their read-outs are.

    Each fold's read-outs, fitted without the fold as ever, go on together through the additive-bilinear
    hazard. The heads that train with them are not kept: a head learned from cases that its evidence had seen
    trusts it too much.

    Args:
        read_outs: Fits them; not asked where an earlier run left them among its checkpoints.
        names: The modalities.
        cohort: Cases with labels.
        target: What happened to each.
        folds: (n,) fold of each case, whole patients.
        config: Settings.
        on_progress: Told (what, done, total).
        checkpoints: Folder in which a training that was stopped finds where it was; None for none.

    Returns:
        By modality, what `read_outs` gives of it, trained.

    Raises:
        CheckpointError: The folder holds the checkpoints of another training.
        ConfigError: The settings ask for a GPU that is not there, or the loss is no longer finite.
    """

    def fit() -> Starts:
        return {name: fitted.by_fold for name, fitted in read_outs().items()}

    device, kept = _device(config.training), None
    if checkpoints is None:
        starts = fit()
    else:
        run = run_digest(cohort, config)
        claim_folder(checkpoints, run)
        kept, starts = Checkpoints(checkpoints / "steps", run), started(checkpoints, names, fit)
    parts = {name: _part(name, cohort.cases, starts[name][0], on_progress) for name in names}
    weights = case_weights(target, cohort.patients)
    present = np.stack([part.present for part in parts.values()], axis=1)
    outcomes = Outcomes.of(target, weights, present).to(device)
    each = [folds == fold for fold in range(int(folds.max()) + 1)]
    with network_threads(config.imaging.threads):
        networks = Networks(
            [
                _network(
                    {name: parts[name].reader(starts[name][fold], ~own) for name in names},
                    average_log_odds(exposure_of(target.take(~own)), weights[~own]),
                    config,
                )
                for fold, own in enumerate(each)
            ]
        ).to(device)
        learn = tuple(torch.from_numpy(np.flatnonzero(~own)) for own in each)
        left_out = tuple(torch.from_numpy(np.flatnonzero(own)).to(device) for own in each)
        plan = Plan(learn, left_out, config.seed, config.training)
        train(networks, outcomes, plan, kept, on_progress)
        networks.cpu().eval()
        return {name: _fitted(name, parts[name], starts[name], networks, folds) for name in names}


def _part(name: str, cases: Sequence[Case], start: EvidenceModel, on_progress: Progress | None) -> Part:
    if name == "imaging":
        return ImagingPart(cases, start, on_progress)
    return ClinicalPart(cases, start) if name == "clinical" else TextPart(cases, start)


def _network(readers: Mapping[str, Reader], alpha: NDArray[np.float64], config: ModelConfig) -> JointNetwork:
    """One fold's network; every fold's directions of interaction start at the same place."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return JointNetwork(readers, alpha, config.fusion.rank)


def _fitted(
    name: str, part: Part, starts: Sequence[EvidenceModel], networks: Networks, folds: NDArray[np.int64]
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
    gain = averaging_gain(np.stack([own.evidence.mean(axis=2) for own in each]), folds, part.present)
    average = part.average(models, gain)
    entries = average.width if name == "imaging" else len(gain)
    widened = spread_of_average(out_of_fold, gain, entries)
    return FittedEvidence(average, out_of_fold, tuple(models), widened)


def _device(config: TrainingConfig) -> torch.device:
    available = torch.cuda.is_available()
    if config.device == "cuda" and not available:
        raise ConfigError("training.device", "is cuda, and none is there", "set training.device=auto")
    return torch.device("cuda" if available and config.device != "cpu" else "cpu")
