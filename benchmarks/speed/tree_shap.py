"""Exact TreeSHAP of 4,000 patients with missing values, path-dependent and interventional."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shap
import xgboost
from numpy.typing import NDArray

from benchmarks.speed import tree_shap_fasttreeshap
from benchmarks.speed.timing import OURS, Comparison, Timing, in_turn, scaled
from benchmarks.speed.tree_shap_fasttreeshap import plain_trees
from prognosis.evidence.clinical.tree_shapley import InterventionalTables, PathTables
from prognosis.evidence.clinical.tree_tables import leaf_table

Floats = NDArray[np.float64]

PACKAGES = ("xgboost-cpu", "shap")
_COLUMNS = 50
_BUILDING = "prognosis, the tables alone"
_CONTRIBS, _SHAP = "xgboost pred_contribs", "shap.TreeExplainer"
_V1, _V2 = "fasttreeshap v1", "fasttreeshap v2, nothing missing"
_PATH_GOALS = {_CONTRIBS: 40.0, _V1: 8.0, _V2: 8.0}
_CLOSE = 1e-4


@dataclass(frozen=True, slots=True)
class _Task:
    """Trees, and the patients to explain: (n, 50), a fifth of the values missing, in single precision."""

    name: str
    booster: xgboost.Booster
    trees: Sequence[Mapping[str, Any]]
    patients: Floats


def _task(patients: int, trees: int, depth: int, threads: int) -> _Task:
    rng = np.random.default_rng(depth)
    raw = rng.normal(size=(2 * patients, _COLUMNS)).astype(np.float32).astype(float)
    raw[rng.random(raw.shape) < 0.2] = np.nan
    known = np.nan_to_num(raw)
    risk = known[:, :10] @ rng.normal(size=10) + known[:, 10] * known[:, 11] + rng.normal(size=len(raw))
    settings = {"max_depth": depth, "eta": 0.05, "nthread": threads, "base_score": 0.0, "verbosity": 0}
    train = xgboost.DMatrix(raw[:patients], label=risk[:patients])
    booster = xgboost.train(settings, train, trees)
    model = json.loads(bytes(booster.save_raw("json")))
    name = f"{patients:,} patients, {trees} trees of depth {depth}, {_COLUMNS} columns"
    return _Task(name, booster, model["learner"]["gradient_booster"]["model"]["trees"], raw[patients:])


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """The size of the goals, then the sizes of the clinical model's trees."""
    sizes = ((500, 6), (250, 4), (250, 3), (250, 2))
    _compile(threads)
    for trees, depth in sizes:
        task = _task(400 if quick else 4_000, trees // 10 if quick else trees, depth, threads)
        goals = not quick and depth == 6
        yield from _path(task, threads, goals)
        yield _interventional(task, goals)


def _compile(threads: int) -> None:
    """Load every compiled loop once: what a process pays once is no part of a task's seconds."""
    task = _task(600, 3, 3, threads)
    table = leaf_table(task.trees)
    PathTables.prepare(table, _COLUMNS).values(task.patients)
    InterventionalTables.prepare(table, task.patients[:5]).values(task.patients)


def _path(task: _Task, threads: int, goals: bool) -> Iterator[Comparison]:
    ready = PathTables.prepare(leaf_table(task.trees), _COLUMNS)
    cases = xgboost.DMatrix(task.patients)
    explainer = shap.TreeExplainer(plain_trees(task.trees), feature_perturbation="tree_path_dependent")

    def building() -> PathTables:
        return PathTables.prepare(leaf_table(task.trees), _COLUMNS)

    timings, values = in_turn(
        {
            OURS: lambda: ready.values(task.patients),
            _BUILDING: building,
            "both": lambda: building().values(task.patients),
            _CONTRIBS: lambda: task.booster.predict(cases, pred_contribs=True)[:, :-1],
            _SHAP: lambda: explainer.shap_values(task.patients, check_additivity=False),
        },
        {OURS: 7, _BUILDING: 7, "both": 7, _CONTRIBS: 2},
    )
    both, versions = timings.pop("both"), ""
    np.testing.assert_array_equal(values["both"], values[OURS])
    peers = [_CONTRIBS, _SHAP]
    farthest = {name: _farthest(values[name], values[OURS]) for name in peers}
    if interpreter := os.environ.get("FASTTREESHAP_PYTHON"):
        filled = np.nan_to_num(task.patients)
        given = {_V1: task.patients, _V2: filled}
        fast, found, versions = _fasttreeshap(task, given, interpreter, threads)
        timings |= fast
        peers += given
        farthest |= {
            _V1: _farthest(found[_V1], values[OURS]),
            _V2: _farthest(found[_V2], ready.values(filled)),
        }
    equality = ", ".join(f"{name} within {far:.1e} of ours" for name, far in farthest.items()) + versions
    aims = {name: _PATH_GOALS[name] for name in peers if name in _PATH_GOALS} if goals else {}
    yield Comparison(f"Path-dependent values, {task.name}, tables ready", timings, aims, equality)
    peers_alone = {name: timings[name] for name in peers}
    yield Comparison("The same, building the tables included", {OURS: both, **peers_alone}, aims, equality)


def _farthest(theirs: Floats, ours: Floats) -> float:
    np.testing.assert_allclose(theirs, ours, rtol=0.0, atol=_CLOSE)
    return float(np.abs(theirs - ours).max())


def _fasttreeshap(
    task: _Task, given: Mapping[str, Floats], interpreter: str, threads: int
) -> tuple[dict[str, Timing], dict[str, Floats], str]:
    """Timings and values of v1 and v2 on the cases given to each, and the versions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "trees.json").write_text(json.dumps(task.trees), encoding="utf-8")
        names = dict(zip(("v1", "v2"), given, strict=True))
        for algorithm, who in names.items():
            np.save(folder / f"{algorithm}_cases.npy", given[who])
        file = str(tree_shap_fasttreeshap.__file__)
        subprocess.run([interpreter, file, name, str(threads), "2"], check=True)  # noqa: S603 - named by the user
        found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
        timings = {who: Timing(tuple(found["seconds"][algorithm])) for algorithm, who in names.items()}
        values = {who: np.load(folder / f"{algorithm}_values.npy") for algorithm, who in names.items()}
        return timings, values, f" ({found['versions']})"


def _interventional(task: _Task, goals: bool) -> Comparison:
    background, share = task.patients[:100], 0.05
    some = task.patients[: round(len(task.patients) * share)]
    table = leaf_table(task.trees)
    ready = InterventionalTables.prepare(table, background)
    explainer = shap.TreeExplainer(
        plain_trees(task.trees), data=background, feature_perturbation="interventional"
    )
    timings, values = in_turn(
        {
            OURS: lambda: ready.values(task.patients),
            _BUILDING: lambda: InterventionalTables.prepare(leaf_table(task.trees), background),
            _SHAP: lambda: explainer.shap_values(some, check_additivity=False),
        },
        {OURS: 7, _BUILDING: 7, _SHAP: 2},
    )
    timings[_SHAP] = scaled(timings[_SHAP], len(some) / len(task.patients))
    far = _farthest(values[_SHAP], values[OURS][: len(some)])
    return Comparison(
        task=f"Interventional values, {len(background)} background rows, {task.name}, tables ready",
        timings=timings,
        goals={_SHAP: 100.0} if goals else {},
        equality=f"{_SHAP} within {far:.1e} of ours",
    )
