"""A simulated cohort turned into what the head reads, with the truth beside it; kept, since fitting is slow.

The training cohort and the judged one are two simulations of two seeds, in memory: no patient is in both.
A modality's evidence is kept in a file whose name is made from all that it follows from: the dials, the
seed, the settings and the source of the evidence models.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prognosis.cli.demo import packaged
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Target, Task, build_cohort, cohort_target, patient_folds
from prognosis.evidence import ModalityEvidence
from prognosis.fusion import ModelConfig
from prognosis.fusion.cross_fitting import fit_modality
from prognosis.fusion.inputs import FusionInputs, join_modalities
from prognosis.simulate import Dials, Oracle, simulate_cohort

JUDGED_SEED = 1000
"""Added to a training cohort's seed to give the judged cohort's."""

EVIDENCE_SOURCE = Path(__file__).parents[1] / "prognosis" / "evidence"


@dataclass(frozen=True, slots=True)
class Part:
    """The training or the judged patients of one run.

    Attributes:
        inputs: Their evidence: out of fold for the training patients.
        target: What happened to them.
        patients: (n,) names, unique over runs.
        oracle: What was planted in them, in the same order.
    """

    inputs: FusionInputs
    target: Target
    patients: NDArray[np.str_]
    oracle: Oracle


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """One seed: evidence about two cohorts, and the settings to join it by.

    Attributes:
        seed: Of the training cohort.
        config: The model's settings.
        folds: (n,) fold of each training patient.
        training: What the head learns from.
        judged: What it is judged on.
    """

    seed: int
    config: ModelConfig
    folds: NDArray[np.int64]
    training: Part
    judged: Part


def simulated_run(
    dials: Dials, judged_patients: int, seed: int, cache: Path | None = None, settings: tuple[str, ...] = ()
) -> SimulatedRun:
    """Simulate both cohorts and fit every modality's evidence, or read what was kept of it.

    Args:
        dials: Of the training cohort, its size included; the judged one differs in size and seed alone.
        judged_patients: Size of the judged cohort.
        seed: At least 0 and below `JUDGED_SEED`.
        cache: A folder for fitted evidence; nothing is kept where not given.
        settings: Changes to configs/models/default.yaml, as "section.field=value".
    """
    task = Task.load(packaged("tasks/simulated_progression.yaml"))
    config = model_config(packaged("models/default.yaml"), settings, task)
    learnt = simulate_cohort(dials, seed)
    shared = {name: getattr(dials, name) for name in dials.__dataclass_fields__}
    unseen = simulate_cohort(Dials(**{**shared, "patients": judged_patients}), JUDGED_SEED + seed)
    cohort, judged = (build_cohort(task, each.records) for each in (learnt, unseen))
    target = cohort_target(cohort, config.fusion.bins)
    folds = patient_folds(cohort.patients, target.cause, config.folds or 3, config.seed)
    evidence = {
        name: _evidence(name, (cohort, target, folds, config), judged, (dials, seed, judged_patients), cache)
        for name in config.modalities
    }
    out_of_fold, seen_once = (
        join_modalities({name: pair[side] for name, pair in evidence.items()}) for side in range(2)
    )
    return SimulatedRun(
        seed,
        config,
        folds,
        Part(out_of_fold, target, cohort.patients, learnt.oracle),
        Part(seen_once, cohort_target(judged, edges=target.edges), judged.patients, unseen.oracle),
    )


def _evidence(
    name: str,
    fitting: tuple[Cohort, Target, NDArray[np.int64], ModelConfig],
    judged: Cohort,
    made_from: tuple[Dials, int, int],
    cache: Path | None,
) -> tuple[ModalityEvidence, ModalityEvidence]:
    """One modality's evidence about the training patients, out of fold, and about the judged ones."""
    config = fitting[-1]
    stated = f"{made_from} {config.folds} {config.seed} {getattr(config, name)!r} {config.fusion.bins}"
    digest = hashlib.sha256(stated.encode() + _source_of(name)).hexdigest()[:16]
    place = None if cache is None else cache / f"{name}-{made_from[0].patients}-{made_from[1]}-{digest}.npz"
    if place is not None and place.exists():
        return _read(place)
    sys.stderr.write(f"seed {made_from[1]}: fitting {name} on {len(fitting[0])} patients\n")
    fitted = fit_modality(name, *fitting)
    found = fitted.out_of_fold, fitted.model.summarise(judged.cases)
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(place, found)
    return found


def _source_of(name: str) -> bytes:
    """The code that a modality's evidence is made by, so that none made by other code is read.

    Comments and docstrings do not count.
    """
    files = [*EVIDENCE_SOURCE.glob("*.py"), *(EVIDENCE_SOURCE / name).rglob("*.py")]
    return "".join(_code(path) for path in sorted(files)).encode()


def _code(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        held = getattr(node, "body", None)
        if isinstance(held, list):
            node.body = [line for line in held if not _is_text(line)]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


_ARRAYS = ("present", "evidence", "vector", "typical_distance")


def _write(place: Path, found: tuple[ModalityEvidence, ModalityEvidence]) -> None:
    arrays = {f"{name}.{side}": getattr(found[side], name) for name in _ARRAYS for side in range(2)}
    unfinished = place.with_suffix(".part.npz")
    np.savez_compressed(unfinished, **arrays)
    unfinished.replace(place)


def _read(place: Path) -> tuple[ModalityEvidence, ModalityEvidence]:
    with np.load(place) as kept:
        sides = [{name: kept[f"{name}.{side}"] for name in _ARRAYS} for side in range(2)]
    first, second = (ModalityEvidence(**side, withheld=("",) * len(side["present"])) for side in sides)
    return first, second
