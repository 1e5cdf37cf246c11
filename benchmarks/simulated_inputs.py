"""A simulated cohort turned into what the head reads, with the truth beside it; kept, since fitting is slow.

The training cohort and the judged one are two simulations of two seeds, in memory: no patient is in both.
Evidence is kept in a file whose name is made from all that it follows from: the dials, the seed, the settings
and the code that simulates and fits.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.cli.demo import packaged
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Target, Task, build_cohort, cohort_target, patient_folds
from prognosis.fusion import ModelConfig
from prognosis.fusion.cross_fitting import FOLDS, cross_fit
from prognosis.fusion.inputs import FusionInputs, join_modalities
from prognosis.simulate import Dials, Oracle, simulate_cohort

JUDGED_SEED = 1000
"""Added to a training cohort's seed to give the judged cohort's."""

PACKAGE = Path(__file__).parents[1] / "prognosis"


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
    unseen = simulate_cohort(replace(dials, patients=judged_patients), JUDGED_SEED + seed)
    cohort, judged = (build_cohort(task, each.records) for each in (learnt, unseen))
    target = cohort_target(cohort, config.fusion.bins)
    out_of_fold, seen_once = _inputs((dials, seed, judged_patients), config, (cohort, judged), cache)
    return SimulatedRun(
        seed,
        config,
        patient_folds(cohort.patients, target.cause, config.folds or FOLDS, config.seed),
        Part(out_of_fold, target, cohort.patients, learnt.oracle),
        Part(seen_once, cohort_target(judged, edges=target.edges), judged.patients, unseen.oracle),
    )


def _inputs(
    made_from: tuple[Dials, int, int], config: ModelConfig, cohorts: tuple[Cohort, Cohort], cache: Path | None
) -> tuple[FusionInputs, FusionInputs]:
    """The training patients' evidence, out of fold, and the judged ones'."""
    dials, seed, _ = made_from
    settings = config.model_dump_json(exclude={"fusion"})
    stated = f"{made_from} {settings} {config.fusion.bins} {_source()}"
    digest = hashlib.sha256(stated.encode()).hexdigest()[:16]
    place = None if cache is None else cache / f"inputs-{dials.patients}-{seed}-{digest}.npz"
    if place is not None and place.exists():
        return _read(place)
    training, judged = cohorts
    sys.stderr.write(f"seed {seed}: fitting the evidence of {len(training)} patients\n")
    fitted = cross_fit(training, config)
    seen = {name: each.model.summarise(judged.cases) for name, each in fitted.fitted.items()}
    found = fitted.inputs(), join_modalities(seen)
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(place, found)
    return found


def _source() -> str:
    """The code that evidence is made by, so that none made by other code is read.

    Comments and docstrings do not count.
    """
    files = [PACKAGE / "fusion" / "cross_fitting.py"]
    for part in ("evidence", "simulate", "survival"):
        files += (PACKAGE / part).rglob("*.py")
    return "".join(_code(path) for path in sorted(files))


def _code(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        held = getattr(node, "body", None)
        if isinstance(held, list):
            node.body = [line for line in held if not _is_text(line)]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _write(place: Path, found: tuple[FusionInputs, FusionInputs]) -> None:
    arrays: dict[str, NDArray[Any]] = {"modalities": np.array(found[0].modalities)}
    for side, inputs in enumerate(found):
        arrays |= {f"present.{side}": inputs.present, f"distance.{side}": inputs.distance}
        for name, evidence, vector in zip(inputs.modalities, inputs.evidence, inputs.vectors, strict=True):
            arrays |= {f"{name}.evidence.{side}": evidence, f"{name}.vector.{side}": vector}
    unfinished = place.with_suffix(".part.npz")
    np.savez_compressed(unfinished, **arrays)
    unfinished.replace(place)


def _read(place: Path) -> tuple[FusionInputs, FusionInputs]:
    with np.load(place) as kept:
        names = tuple(str(name) for name in kept["modalities"])
        first, second = (
            FusionInputs(
                names,
                kept[f"present.{side}"],
                tuple(kept[f"{name}.evidence.{side}"] for name in names),
                tuple(kept[f"{name}.vector.{side}"] for name in names),
                kept[f"distance.{side}"],
                ((),) * len(kept[f"present.{side}"]),
            )
            for side in range(2)
        )
    return first, second
