"""The benchmark: several methods, several cohorts, the same folds for all, one leaderboard each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prognosis.cohort import Cohort, Target, cohort_target, patient_folds
from prognosis.errors import CohortError, ConfigError, PrognosisError
from prognosis.evaluation.comparison import compare
from prognosis.evaluation.cross_validation import CrossValidated, cross_validate
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.held_out import judging_days
from prognosis.evaluation.leaderboard import BenchmarkResult, Entry, Leaderboard
from prognosis.evaluation.peers import peer_fits
from prognosis.evaluation.results import Comparison
from prognosis.evaluation.survival_evaluation import survival_protocol
from prognosis.evaluation.survival_metrics import PreparedMetrics, prepare_survival

Peer = Literal["kaplan_meier", "cox_ridge", "xgboost_cox", "xgboost_aft"]
COMPARED = ("uno_c", "harrell_c", "ibs")
_PACKAGES = ("prognosis", "numpy", "scipy", "xgboost", "torch")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dataset(_Strict):
    """One cohort: a task file (relative to the benchmark's file) and the URI of its source."""

    task: Path
    source: str


class Benchmark(_Strict):
    """Which cohorts, which peers, how many folds."""

    name: str
    data: tuple[Dataset, ...] = Field(min_length=1)
    peers: tuple[Peer, ...] = ()
    folds: int = Field(default=5, ge=2)
    seed: int = 0
    replicates: int = Field(default=1000, ge=100)

    @classmethod
    def load(cls, path: str | Path) -> Benchmark:
        """Read a benchmark from YAML; task paths come back relative to where the file lies.

        Raises:
            ConfigError: The file is absent, is not YAML, or does not state a benchmark.
        """
        path = Path(path)
        try:
            stated = cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ConfigError(str(path), "cannot be read", "give the path of a benchmark file") from error
        except yaml.YAMLError as error:
            raise ConfigError(str(path), "is not YAML", "mend the YAML") from error
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(str(part) for part in fault['loc']) or 'benchmark'}: {fault['msg']}"
                for fault in error.errors(include_url=False, include_input=False)
            )
            raise ConfigError(str(path), faults, "see configs/benchmarks for complete examples") from error
        data = tuple(Dataset(task=path.parent / each.task, source=each.source) for each in stated.data)
        return stated.model_copy(update={"data": data})


def run_dataset(
    cohort: Cohort,
    source: str,
    methods: Mapping[str, Fit],
    benchmark: Benchmark,
    report: Callable[[str], None] = lambda _: None,
) -> Leaderboard:
    """Cross-validate every method on one cohort, with the same folds and the same judging days.

    Args:
        cohort: Labelled cases of a time-to-event task.
        source: Where it came from, for the result.
        methods: The methods by name; the first is compared with each other one.
        benchmark: Folds, seed and replicates.
        report: Told what is being done.

    Raises:
        CohortError: The task is not a time to event, or there are too few patients or events.
    """
    target = cohort_target(cohort)
    _check(cohort, target, benchmark.folds)
    fold = patient_folds(cohort.patients, target.cause, benchmark.folds, benchmark.seed)
    judged = judging_days(target, cohort.task.horizons_days)
    runs: dict[str, CrossValidated] = {}
    failed: dict[str, str] = {}
    for name, fit in methods.items():
        report(f"{cohort.task.name}: {name}")
        try:
            runs[name] = cross_validate(cohort, fit, fold, judged)
        except PrognosisError as error:
            failed[name] = str(error)
    prepared = {name: prepare_survival(run.parts, judged) for name, run in runs.items()}
    entries = [
        Entry(
            name,
            prepared[name].bootstrap(benchmark.replicates, benchmark.seed),
            prepared[name].calibration,
            run.fit_seconds,
            run.predict_seconds,
        )
        for name, run in runs.items()
    ]
    return Leaderboard(
        task=cohort.task.name,
        source=source,
        n=len(cohort),
        patients=len(np.unique(cohort.patients)),
        events={
            name: int((target.cause == number).sum()) for number, name in enumerate(target.causes, start=1)
        },
        protocol=survival_protocol(judged, benchmark.folds, benchmark.seed, benchmark.replicates),
        entries=tuple(sorted(entries, key=_uno, reverse=True)),
        failed=failed,
        comparisons=_against_first(prepared, benchmark),
    )


def run_benchmark(
    benchmark: Benchmark,
    cohorts: Mapping[str, Cohort],
    ours: Mapping[str, Fit],
    command: str,
    report: Callable[[str], None] = lambda _: None,
) -> BenchmarkResult:
    """Run every method on every cohort.

    Args:
        benchmark: What to run.
        cohorts: The cohort of each data set, by its source URI.
        ours: The methods under test by name; the first is compared with every other method.
        command: How this was started, for the result.
        report: Told what is being done.

    Raises:
        CohortError: A cohort cannot be judged.
        ConfigError: A data set of the benchmark has no cohort.
    """
    peers = peer_fits(benchmark.seed)
    methods: dict[str, Fit] = {**ours, **{name: peers[name] for name in benchmark.peers}}
    absent = [each.source for each in benchmark.data if each.source not in cohorts]
    if absent:
        raise ConfigError(benchmark.name, f"has no cohort for {', '.join(absent)}", "read every source")
    boards = tuple(
        run_dataset(cohorts[each.source], each.source, methods, benchmark, report) for each in benchmark.data
    )
    return BenchmarkResult(
        benchmark.name, command, benchmark.seed, benchmark.folds, package_versions(), boards
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


def _against_first(prepared: Mapping[str, PreparedMetrics], benchmark: Benchmark) -> tuple[Comparison, ...]:
    names = list(prepared)
    found: list[Comparison] = []
    for other in names[1:]:
        pair = prepared[names[0]], prepared[other]
        found += compare(names[0], other, *pair, COMPARED, benchmark.seed, benchmark.replicates)
    return tuple(found)
