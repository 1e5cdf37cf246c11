"""The benchmark: several methods, several cohorts, the same folds for all, one leaderboard each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from prognosis.cohort import Cohort, Target, cohort_target
from prognosis.errors import CohortError, ConfigError
from prognosis.evaluation.benchmark_file import Benchmark
from prognosis.evaluation.cross_validation import CrossValidated
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.held_out import JudgingDays, judging_days
from prognosis.evaluation.judged_runs import COMPARED, JudgedRuns, judge_runs
from prognosis.evaluation.kept import digest, fingerprint_of_code, fingerprint_of_judging
from prognosis.evaluation.leaderboard import BenchmarkResult, Entry, Leaderboard
from prognosis.evaluation.peer_registry import peer_fits
from prognosis.evaluation.ranks import rank_methods
from prognosis.evaluation.run_comparison import over_folds, over_patients
from prognosis.evaluation.running import AllRuns, Running, run_methods, with_average
from prognosis.evaluation.survival_evaluation import survival_protocol

_PACKAGES = (
    "prognosis",
    "numpy",
    "scipy",
    "scikit-learn",
    "xgboost",
    "xgboost-cpu",
    "torch",
    "lifelines",
    "scikit-survival",
    "hazardous",
)
_WITHOUT = "is not run on this cohort, where it takes too long"
ERRORS = ("ibs",)
"""The compared metrics of which less is better."""


def run_benchmark(
    benchmark: Benchmark, cohorts: Sequence[Cohort], ours: Mapping[str, Fit], running: Running
) -> BenchmarkResult:
    """Run every method on every cohort.

    Args:
        benchmark: What to run.
        cohorts: The cohort of each data set, in the order of `benchmark.data`.
        ours: The methods under test by name; the first is compared with every other method.
        running: How.

    Raises:
        CohortError: A cohort cannot be judged.
        ConfigError: A peer does not exist, or two data sets have one name.
    """
    benchmark.check(benchmark.name)
    names = [cohort.task.name for cohort in cohorts]
    if len(set(names)) < len(names):
        raise ConfigError(benchmark.name, "has two data sets of one name", "give each task a name of its own")
    peers = peer_fits(benchmark.seed, benchmark.peer_files)
    # The files are read once: code that changes during the run is not the code that ran.
    learning = fingerprint_of_code(benchmark.peer_files, package_versions())
    running = replace(running, learning=learning, judging=fingerprint_of_judging())
    boards = []
    for each, cohort in zip(benchmark.data, cohorts, strict=True):
        own = benchmark.for_data(each)
        methods: dict[str, Fit] = {**ours, **{name: peers[name] for name in own.peers}}
        board = run_dataset(cohort, each.source, methods, own, running)
        boards.append(replace(board, failed={**dict.fromkeys(each.without, _WITHOUT), **board.failed}))
    first = next(iter(ours))
    rankings = (
        rank_methods(metric, _table(boards, metric), first, higher_is_better=metric not in ERRORS)
        for metric in COMPARED
    )
    return BenchmarkResult(
        benchmark.name,
        running.command,
        benchmark.seed,
        benchmark.folds,
        os.environ.get("OMP_NUM_THREADS", ""),
        package_versions(),
        tuple(boards),
        tuple(rankings),
    )


def run_dataset(
    cohort: Cohort, source: str, methods: Mapping[str, Fit], benchmark: Benchmark, running: Running
) -> Leaderboard:
    """Cross-validate every method on one cohort, with the same folds and the same judging days.

    Args:
        cohort: Labelled cases of a time-to-event task.
        source: Where it came from, for the result.
        methods: The methods by name; the first is compared with each other one.
        benchmark: Folds, repeats, seed and replicates.
        running: How.

    Raises:
        CohortError: The task is not a time to event, or there are too few patients or events.
    """
    target = cohort_target(cohort)
    _check(cohort, target, benchmark.folds)
    days = judging_days(target, cohort.task.horizons_days)
    found = run_methods(cohort, methods, benchmark, days, running)
    found = with_average(found, benchmark.plain_average)
    judged = _judged(found, cohort, days, benchmark, running)
    entries = [_entry(name, judged[name], each.runs) for name, each in found.methods.items()]
    first = next(iter(methods))
    return Leaderboard(
        task=cohort.task.name,
        source=source,
        n=len(cohort),
        patients=len(np.unique(cohort.patients)),
        events={
            name: int((target.cause == number).sum()) for number, name in enumerate(target.causes, start=1)
        },
        repeats=benchmark.repeats,
        protocol=survival_protocol(days, benchmark.folds, benchmark.seed, benchmark.replicates),
        entries=tuple(sorted(entries, key=_uno, reverse=True)),
        failed=found.failed,
        comparisons=over_patients(first, judged),
        fold_comparisons=over_folds(first, judged, len(cohort), benchmark.folds),
    )


def write_results(result: BenchmarkResult, folder: Path) -> Path:
    """Write results.json into `folder` (made if absent) and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.json"
    path.write_text(json.dumps(result.to_json(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return path


def package_versions() -> dict[str, str]:
    """The version of each package that does arithmetic here; one that is not installed is left out."""
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _judged(
    found: AllRuns, cohort: Cohort, days: JudgingDays, benchmark: Benchmark, running: Running
) -> dict[str, JudgedRuns]:
    """The judgement of every method that gave predictions."""
    what, total = f"{cohort.task.name}, judging", len(found.methods)
    code = [running.judging, repr(benchmark.replicates), repr(benchmark.seed)]
    judged: dict[str, JudgedRuns] = {}
    for name, each in found.methods.items():
        running.report(what, len(judged), total, name)
        judged[name] = running.kept.judged(
            f"{cohort.task.name}/{name}-judged",
            digest([each.fingerprint, *code]),
            partial(judge_runs, each.runs, cohort, days, benchmark.replicates, benchmark.seed),
        )
    running.report(what, total, total, "")
    return judged


def _entry(name: str, judged: JudgedRuns, runs: Sequence[CrossValidated]) -> Entry:
    peaks = [run.peak_mib for run in runs if run.peak_mib is not None]
    return Entry(
        name,
        judged.result,
        judged.calibration,
        judged.decisions,
        judged.tests,
        judged.fold_values,
        float(np.mean([run.fit_seconds for run in runs])),
        float(np.mean([run.predict_seconds for run in runs])),
        max(peaks) if peaks else None,
    )


def _check(cohort: Cohort, target: Target, folds: int) -> None:
    reference = f"cohort of task {cohort.task.name}"
    if not target.survival:
        raise CohortError(reference, "is not a time to event", "benchmark tasks of kind time_to_event")
    patients = len(np.unique(cohort.patients))
    if patients < 2 * folds or int((target.cause > 0).sum()) < 2 * folds:
        raise CohortError(
            reference, f"has too few patients or events for {folds} folds", "use fewer folds or more patients"
        )


def _uno(entry: Entry) -> float:
    interval = entry.result.metrics.get("uno_c")
    return interval.value if interval else 0.0


def _table(boards: Sequence[Leaderboard], metric: str) -> dict[str, dict[str, float]]:
    return {
        board.task: {
            entry.name: entry.result.metrics[metric].value
            for entry in board.entries
            if metric in entry.result.metrics
        }
        for board in boards
    }
