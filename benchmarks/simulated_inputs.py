"""A simulated cohort turned into what the head reads, with the truth beside it; kept, since fitting is slow.

The training cohort and the judged one are two simulations of two seeds, in memory: no patient is in both.
Evidence is kept in a file whose name is made from all that it follows from: the dials, the seed, the task,
the settings and the code that simulates and fits.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_tokens import Tables, read_tables, tables_of, tokens_file, write_tables
from prognosis.cli.demo import packaged
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Target, Task, build_cohort, cohort_target, patient_folds
from prognosis.evidence import FittedEvidence
from prognosis.fusion import ModelConfig
from prognosis.fusion.beside import fit_beside_others
from prognosis.fusion.cross_fitting import FOLDS, CrossFitted, modality_fitting
from prognosis.fusion.inputs import FusionInputs, join_modalities
from prognosis.fusion.likelihood import exposure_of
from prognosis.simulate import Dials, Oracle, simulate_cohort

JUDGED_SEED = 1000
"""Added to a training cohort's seed to give the judged cohort's."""

Evidence = tuple[FusionInputs, FusionInputs, FusionInputs, FusionInputs]
"""Of the training patients, as joined and by itself; of the judged ones, likewise."""

PACKAGE = Path(__file__).parents[1] / "prognosis"


@dataclass(frozen=True, slots=True)
class Part:
    """The training or the judged patients of one run.

    Attributes:
        inputs: Their evidence as the model joins it: out of fold for the training patients.
        alone: The same with each modality fitted by itself, as single models and late fusion have it.
        target: What happened to them.
        patients: (n,) names, unique over runs.
        oracle: What was planted in them, in the same order.
    """

    inputs: FusionInputs
    alone: FusionInputs
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
        tokens: What the evidence of both is the sum of; None where it was not asked for.
    """

    seed: int
    config: ModelConfig
    folds: NDArray[np.int64]
    training: Part
    judged: Part
    tokens: Tables | None


def simulated_run(
    dials: Dials,
    judged_patients: int,
    seed: int,
    cache: Path | None = None,
    settings: tuple[str, ...] = (),
    dealt: str = "",
    *,
    tokens: bool = False,
) -> SimulatedRun:
    """Simulate both cohorts and fit every modality's evidence, or read what was kept of it.

    Args:
        dials: Of the training cohort, its size included; the judged one differs in size and seed alone.
        judged_patients: Size of the judged cohort.
        seed: At least 0 and below `JUDGED_SEED`.
        cache: A folder for fitted evidence; nothing is kept where not given.
        settings: Changes to configs/models/default.yaml, as "section.field=value".
        dealt: A modality that is dealt to other training patients before anything is fitted; none by default.
        tokens: Whether tokens are wanted too; asked for first, their run's evidence serves who needs none.
    """
    task = Task.load(packaged("tasks/simulated_progression.yaml"))
    config = model_config(packaged("models/default.yaml"), settings, task)
    learnt = simulate_cohort(dials, seed)
    unseen = simulate_cohort(replace(dials, patients=judged_patients), JUDGED_SEED + seed)
    cohort, judged = (build_cohort(task, each.records) for each in (learnt, unseen))
    if dealt:
        cohort = dealt_cohort(cohort, dealt, seed)
    target = cohort_target(cohort, config.fusion.bins)
    folds = patient_folds(cohort.patients, target.cause, config.folds or FOLDS, config.seed)
    kept = _kept((dials, seed, judged_patients, dealt), task, config, cache)
    tables = None
    if kept is None or not kept.exists() or (tokens and not tokens_file(kept).exists()):
        sys.stderr.write(f"seed {seed}: fitting {len(cohort)} patients, dealt: {dealt or 'nothing'}\n")
        fitted = _fitted(cohort, target, folds, config)
        evidence = _summed(fitted, judged)
        tables = tables_of(fitted, cohort, judged) if tokens else None
        if kept is not None:
            _write(kept, evidence)
            if tables is not None:
                write_tables(tokens_file(kept), tables)
    else:
        evidence = _read(kept)
        tables = read_tables(tokens_file(kept)) if tokens else None
    return SimulatedRun(
        seed,
        config,
        folds,
        Part(*evidence[:2], target, cohort.patients, learnt.oracle),
        Part(*evidence[2:], cohort_target(judged, edges=target.edges), judged.patients, unseen.oracle),
        tables,
    )


def dealt_cohort(cohort: Cohort, name: str, seed: int) -> Cohort:
    """The cohort with one modality, its absence included, dealt to other patients; ages at the index stay."""
    part = {"clinical": "events", "text": "notes", "imaging": "studies"}[name]
    order = np.random.default_rng([seed, 3]).permutation(len(cohort))
    cases = []
    for case, donor in zip(cohort.cases, (cohort.cases[place] for place in order), strict=True):
        later = case.index_time - donor.index_time
        moved = tuple(replace(piece, time=piece.time + later) for piece in getattr(donor.record, part))
        cases.append(replace(case, record=replace(case.record, **{part: moved})))
    return Cohort(cohort.task, tuple(cases))


def _fitted(cohort: Cohort, target: Target, folds: NDArray[np.int64], config: ModelConfig) -> CrossFitted:
    """Fit every modality as `cross_fit` does, whatever few cases have it."""
    fittings = {name: modality_fitting(name, cohort, target, folds, config) for name in config.modalities}
    alone = {name: fitting(None) for name, fitting in fittings.items()}
    used = alone
    if config.fusion.beside_others:
        weight = config.fusion.dropout_weight
        used = fit_beside_others(fittings, alone, exposure_of(target), folds, cohort.patients, weight)
    return CrossFitted(target, folds, used, alone, {})


def _summed(fitted: CrossFitted, judged: Cohort) -> Evidence:
    """What it says of the training patients, out of fold, and of the judged ones, whom it reads once."""

    def told(way: Mapping[str, FittedEvidence]) -> FusionInputs:
        return join_modalities({name: each.model.summarise(judged.cases) for name, each in way.items()})

    joined = told(fitted.fitted)
    alone = joined if fitted.alone is fitted.fitted else told(fitted.alone)
    return fitted.inputs(), fitted.alone_inputs(), joined, alone


def _kept(
    made_from: tuple[Dials, int, int, str], task: Task, config: ModelConfig, cache: Path | None
) -> Path | None:
    """Where a run's evidence is kept."""
    if cache is None:
        return None
    fusion = config.fusion.bins, config.fusion.beside_others, config.fusion.dropout_weight
    settings = f"{task.model_dump_json()} {config.model_dump_json(exclude={'fusion'})} {fusion}"
    digest = hashlib.sha256(f"{made_from} {settings} {_source()}".encode()).hexdigest()[:16]
    return cache / f"inputs-{made_from[0].patients}-{made_from[1]}-{digest}.npz"


def _source() -> str:
    """The code that evidence is made by, so that none made by other code is read.

    Comments and docstrings do not count.
    """
    files = [
        PACKAGE / name
        for name in (
            "compiled.py",
            "fusion/beside.py",
            "fusion/challenger/tokens.py",
            "fusion/cross_fitting.py",
            "fusion/fitting.py",
            "fusion/head.py",
            "fusion/inputs.py",
            "fusion/likelihood.py",
            "fusion/optimiser.py",
        )
    ]
    for part in ("cohort", "evidence", "record", "simulate", "survival"):
        files += (PACKAGE / part).rglob("*.py")
    return "".join(code_of(path) for path in sorted(files))


def code_of(path: Path) -> str:
    """What a file of code does: its tree without comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        held = getattr(node, "body", None)
        if isinstance(held, list):
            node.body = [line for line in held if not _is_text(line)]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _write(place: Path, found: Evidence) -> None:
    arrays: dict[str, NDArray[Any]] = {"modalities": np.array(found[0].modalities)}
    for side, inputs in enumerate(found):
        arrays |= {f"present.{side}": inputs.present, f"distance.{side}": inputs.distance}
        for name, evidence, vector in zip(inputs.modalities, inputs.evidence, inputs.vectors, strict=True):
            arrays |= {f"{name}.evidence.{side}": evidence, f"{name}.vector.{side}": vector}
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(".part.npz")
    np.savez_compressed(unfinished, **arrays)
    unfinished.replace(place)


def _read(place: Path) -> Evidence:
    with np.load(place) as kept:
        names = tuple(str(name) for name in kept["modalities"])
        found = [
            FusionInputs(
                names,
                kept[f"present.{side}"],
                tuple(kept[f"{name}.evidence.{side}"] for name in names),
                tuple(kept[f"{name}.vector.{side}"] for name in names),
                kept[f"distance.{side}"],
                ((),) * len(kept[f"present.{side}"]),
            )
            for side in range(4)
        ]
    return found[0], found[1], found[2], found[3]
