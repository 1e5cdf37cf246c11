"""The benchmark: several methods, several cohorts, the same folds for all, one leaderboard each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, Target, cohort_target, patient_folds
from prognosis.errors import CohortError, ConfigError, PrognosisError
from prognosis.evaluation.benchmark_file import AVERAGE, Benchmark
from prognosis.evaluation.comparison import nadeau_bengio
from prognosis.evaluation.cross_validation import CrossValidated, averaged_runs, cross_validate
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.held_out import JudgingDays, judging_days
from prognosis.evaluation.judged_runs import COMPARED, JudgedRuns, judge_runs
from prognosis.evaluation.kept import Kept, fingerprint_of_cases, fingerprint_of_code, fingerprint_of_run
from prognosis.evaluation.leaderboard import BenchmarkResult, Entry, FoldComparison, Leaderboard
from prognosis.evaluation.peer_registry import peer_fits
from prognosis.evaluation.ranks import rank_methods
from prognosis.evaluation.results import Comparison
from prognosis.evaluation.survival_evaluation import survival_protocol
from prognosis.survival.bootstrap import interval_of

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
ERRORS = ("ibs",)
"""The compared metrics of which less is better."""

CrossValidate = Callable[[Cohort, Fit, NDArray[np.int64], JudgingDays], CrossValidated]
Report = Callable[[str, int, int], None]
"""Told the data set, how many runs of a method are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Running:
    """How a benchmark is run, apart from what it states.

    Attributes:
        command: How it was started, for the result.
        cross_validate: In this process, or in one of its own (`apart.cross_validate_apart`).
        kept: Where predictions are kept.
        report: Told what is being done.
    """

    command: str
    cross_validate: CrossValidate = cross_validate
    kept: Kept = field(default_factory=lambda: Kept(None))
    report: Report = lambda _what, _done, _total: None


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
    methods: dict[str, Fit] = {**ours, **{name: peers[name] for name in benchmark.peers}}
    boards = tuple(
        run_dataset(cohort, each.source, methods, benchmark, running)
        for each, cohort in zip(benchmark.data, cohorts, strict=True)
    )
    first = next(iter(methods))
    rankings = (
        rank_methods(metric, _table(boards, metric), first, higher_is_better=metric not in ERRORS)
        for metric in COMPARED
    )
    return BenchmarkResult(
        benchmark.name,
        running.command,
        benchmark.seed,
        benchmark.folds,
        benchmark.repeats,
        os.environ.get("OMP_NUM_THREADS", ""),
        package_versions(),
        boards,
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
    runs, failed = _all_runs(cohort, methods, benchmark, days, running)
    if benchmark.plain_average:
        absent = [name for name in benchmark.plain_average if name not in runs]
        if absent:
            failed[AVERAGE] = f"there are no predictions of {', '.join(absent)}"
        else:
            members = [runs[name] for name in benchmark.plain_average]
            runs[AVERAGE] = [averaged_runs(repeat) for repeat in zip(*members, strict=True)]
    judged = {
        name: judge_runs(each, cohort, days, benchmark.replicates, benchmark.seed)
        for name, each in runs.items()
    }
    entries = [_entry(name, judged[name], runs[name]) for name in runs]
    first = next(iter(methods))
    return Leaderboard(
        task=cohort.task.name,
        source=source,
        n=len(cohort),
        patients=len(np.unique(cohort.patients)),
        events={
            name: int((target.cause == number).sum()) for number, name in enumerate(target.causes, start=1)
        },
        protocol=survival_protocol(days, benchmark.folds, benchmark.seed, benchmark.replicates),
        entries=tuple(sorted(entries, key=_uno, reverse=True)),
        failed=failed,
        comparisons=_against(first, judged),
        fold_comparisons=_over_folds(first, judged, len(cohort), benchmark.folds),
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


def _all_runs(
    cohort: Cohort,
    methods: Mapping[str, Fit],
    benchmark: Benchmark,
    days: JudgingDays,
    running: Running,
) -> tuple[dict[str, list[CrossValidated]], dict[str, str]]:
    """Every repeat of every method that can run, and why each other one cannot."""
    cause = cohort_target(cohort).cause
    cases = fingerprint_of_cases(cohort)
    code = fingerprint_of_code(benchmark.peer_files, package_versions())
    runs: dict[str, list[CrossValidated]] = {name: [] for name in methods}
    failed: dict[str, str] = {}
    for repeat in range(benchmark.repeats):
        seed = benchmark.seed + repeat
        fold = patient_folds(cohort.patients, cause, benchmark.folds, seed)
        for place, (name, fit) in enumerate(methods.items()):
            what = f"{cohort.task.name}: {name}"
            running.report(what, repeat * len(methods) + place, benchmark.repeats * len(methods))
            if name in failed:
                continue
            settings = repr(fit) if is_dataclass(fit) else ""
            stamp = fingerprint_of_run(cases, code, f"{name} {benchmark.seed} {settings}", fold, days.days)
            file = f"{cohort.task.name}/{name}-{repeat}"
            run = running.kept.read(file, stamp)
            try:
                run = run or running.cross_validate(cohort, fit, fold, days)
            except PrognosisError as error:
                failed[name] = str(error)
                continue
            running.kept.write(file, stamp, run)
            runs[name].append(run)
    return {name: each for name, each in runs.items() if name not in failed}, failed


def _entry(name: str, judged: JudgedRuns, runs: list[CrossValidated]) -> Entry:
    peaks = [run.peak_mib for run in runs if run.peak_mib is not None]
    return Entry(
        name,
        judged.result,
        judged.calibration,
        judged.decisions,
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


def _against(first: str, judged: Mapping[str, JudgedRuns]) -> tuple[Comparison, ...]:
    """The first method minus each other one, on the same resampled patients."""
    if first not in judged:
        return ()
    found: list[Comparison] = []
    own = judged[first]
    for other, its in judged.items():
        for metric in COMPARED:
            if other == first or metric not in own.drawn or metric not in its.drawn:
                continue
            gap = own.result.metrics[metric].value - its.result.metrics[metric].value
            difference = interval_of(gap, own.drawn[metric] - its.drawn[metric])
            found.append(Comparison(first, other, metric, difference))
    return tuple(found)


def _over_folds(
    first: str, judged: Mapping[str, JudgedRuns], n: int, folds: int
) -> tuple[FoldComparison, ...]:
    """The first method minus each other one over folds, those left out that do not define the metric."""
    if first not in judged:
        return ()
    found: list[FoldComparison] = []
    for other, its in judged.items():
        for metric in COMPARED:
            if other == first or metric not in judged[first].fold_values or metric not in its.fold_values:
                continue
            gaps = (judged[first].fold_values[metric] - its.fold_values[metric]).ravel()
            gaps = gaps[np.isfinite(gaps)]
            if len(gaps) > 1:
                corrected = nadeau_bengio(gaps, n - n // folds, n // folds)
                found.append(FoldComparison(first, other, metric, len(gaps), corrected))
    return tuple(found)


def _table(boards: tuple[Leaderboard, ...], metric: str) -> dict[str, dict[str, float]]:
    return {
        board.task: {
            entry.name: entry.result.metrics[metric].value
            for entry in board.entries
            if metric in entry.result.metrics
        }
        for board in boards
    }
