"""Simulated cohorts as tokens, fitted once and kept: what the methods of price_of_exactness share."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prognosis.cli.demo import packaged
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Target, Task, build_cohort, cohort_target
from prognosis.fusion import ModelConfig
from prognosis.fusion.challenger import TokenTable, out_of_fold_tokens, tokens_of
from prognosis.fusion.cross_fitting import cross_fit
from prognosis.fusion.inputs import FusionInputs
from prognosis.simulate import Dials, simulate_cohort

JUDGED_SEED = 1000
"""Added to a training cohort's seed to give the judged cohort's."""
EVIDENCE_SOURCE = Path(__file__).parents[1] / "prognosis" / "evidence"
_ARRAYS = ("modality", "evidence", "vector", "age_days")


def simulated_task() -> Task:
    """The question of `make demo`."""
    return Task.load(packaged("tasks/simulated_progression.yaml"))


@dataclass(frozen=True, slots=True)
class Run:
    """One size and seed: tokens and outcomes of the cases that train and of those that are judged."""

    config: ModelConfig
    folds: NDArray[np.int64]
    learned: TokenTable
    learned_target: Target
    judged: TokenTable
    judged_target: Target
    patients: NDArray[np.str_]


def run_of(patients: int, judged_patients: int, seed: int, cache: Path, settings: Sequence[str]) -> Run:
    """Simulate both cohorts, and fit the evidence or read what was kept of it."""
    task = simulated_task()
    config = model_config(packaged("models/default.yaml"), settings, task)
    learned = build_cohort(task, simulate_cohort(Dials(patients=patients), seed).records)
    judged = build_cohort(task, simulate_cohort(Dials(patients=judged_patients), JUDGED_SEED + seed).records)
    target = cohort_target(learned, config.fusion.bins)
    source = b"".join(path.read_bytes() for path in sorted(EVIDENCE_SOURCE.rglob("*.py")))
    stated = f"{config!r} {Dials()!r} {patients} {judged_patients} {seed}".encode()
    place = cache / f"{patients}-{seed}-{hashlib.sha256(stated + source).hexdigest()[:12]}.npz"
    if not place.exists():
        sys.stderr.write(f"{patients} patients, seed {seed}: fitting the evidence\n")
        cache.mkdir(parents=True, exist_ok=True)
        _fit_and_keep(learned, judged, config, place)
    with np.load(place) as kept:
        sides = [
            TokenTable(config.modalities, *(kept[f"{side}.{name}"] for name in _ARRAYS))
            for side in ("learned", "judged")
        ]
        folds = kept["folds"]
    names = np.array([f"{seed}/{patient}" for patient in judged.patients])
    judged_target = cohort_target(judged, edges=target.edges)
    return Run(config, folds, sides[0], target, sides[1], judged_target, names)


def _fit_and_keep(learned: Cohort, judged: Cohort, config: ModelConfig, place: Path) -> None:
    evidence = cross_fit(learned, config)
    models = {name: fitted.model for name, fitted in evidence.fitted.items()}
    sides = {
        "learned": out_of_fold_tokens(evidence, learned.cases),
        "judged": tokens_of(models, judged.cases),
    }
    arrays = {f"{side}.{name}": getattr(tokens, name) for side, tokens in sides.items() for name in _ARRAYS}
    unfinished = place.with_suffix(".part.npz")
    np.savez_compressed(unfinished, folds=evidence.folds, **arrays)
    unfinished.replace(place)


def inputs_of(tokens: TokenTable) -> FusionInputs:
    """The tokens summed by modality, as the head, late fusion and HAIM read them."""
    present, evidence, vectors = [], [], []
    for place in range(len(tokens.modalities)):
        own = tokens.modality == place
        present.append(own.any(axis=1))
        evidence.append(np.einsum("nt,ntkb->nkb", own, tokens.evidence.astype(np.float64)))
        summed = np.einsum("nt,ntv->nv", own, tokens.vector.astype(np.float64))
        vectors.append(summed)
    here = np.stack(present, axis=1)
    return FusionInputs(
        tokens.modalities, here, tuple(evidence), tuple(vectors), np.zeros(here.shape), ((),) * len(here)
    )
