"""Every repeat of every method on one cohort, and how a benchmark is run apart from what it states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, cohort_target, patient_folds
from prognosis.errors import PrognosisError
from prognosis.evaluation.benchmark_file import AVERAGE, Benchmark
from prognosis.evaluation.cross_validation import CrossValidated, averaged_runs, cross_validate
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.held_out import JudgingDays
from prognosis.evaluation.kept import Kept, digest, fingerprint_of_cases

CrossValidate = Callable[[Cohort, Fit, NDArray[np.int64], JudgingDays], CrossValidated]
Report = Callable[[str, int, int, str], None]
"""Told the data set, how many steps are done, of how many, and what is being done."""


@dataclass(frozen=True, slots=True)
class Running:
    """How a benchmark is run.

    Attributes:
        command: How it was started, for the result.
        cross_validate: In this process, or in one of its own (`apart.cross_validate_apart`).
        kept: Where predictions and their judgement are kept.
        report: Told what is being done.
        learning: Fingerprint of the code that learns; the benchmark takes it when it starts.
        judging: Fingerprint of the code that judges, likewise.
    """

    command: str
    cross_validate: CrossValidate = cross_validate
    kept: Kept = field(default_factory=lambda: Kept(None))
    report: Report = lambda _data_set, _done, _total, _doing: None
    learning: str = ""
    judging: str = ""


@dataclass(frozen=True, slots=True)
class MethodRuns:
    """One method's repeats on one cohort, with the fingerprint of all of them."""

    runs: tuple[CrossValidated, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class AllRuns:
    """What was run on one cohort.

    Attributes:
        methods: Those that gave predictions.
        failed: Why each other one did not.
    """

    methods: Mapping[str, MethodRuns]
    failed: Mapping[str, str]


def run_methods(
    cohort: Cohort,
    methods: Mapping[str, Fit],
    benchmark: Benchmark,
    days: JudgingDays,
    running: Running,
) -> AllRuns:
    """Every repeat of every method that can run.

    Args:
        cohort: Labelled cases.
        methods: By name.
        benchmark: Folds, repeats and seed.
        days: The days at which predictions are wanted.
        running: How.
    """
    cause, cases = cohort_target(cohort).cause, fingerprint_of_cases(cohort)
    found: dict[str, list[CrossValidated]] = {name: [] for name in methods}
    stamps: dict[str, list[str]] = {name: [] for name in methods}
    failed: dict[str, str] = {}
    total = benchmark.repeats * len(methods)
    for repeat in range(benchmark.repeats):
        fold = patient_folds(cohort.patients, cause, benchmark.folds, benchmark.seed + repeat)
        dealt = [repr(fold.tolist()), repr(days.days.tolist())]
        shared = [cases, running.learning, repr(benchmark.seed), *dealt]
        for place, (name, fit) in enumerate(methods.items()):
            running.report(cohort.task.name, repeat * len(methods) + place, total, name)
            if name in failed:
                continue
            stamp = digest([*shared, name, repr(fit) if is_dataclass(fit) else ""])
            file = f"{cohort.task.name}/{name}-{repeat}"
            try:
                run = running.kept.read(file, stamp)
                if run is None:
                    run = running.cross_validate(cohort, fit, fold, days)
                    running.kept.write(file, stamp, run)
            except PrognosisError as error:
                failed[name] = str(error)
                continue
            found[name].append(run)
            stamps[name].append(stamp)
    running.report(cohort.task.name, total, total, "")
    complete = {
        name: MethodRuns(tuple(runs), digest(stamps[name]))
        for name, runs in found.items()
        if name not in failed
    }
    return AllRuns(complete, failed)


def with_average(found: AllRuns, members: Sequence[str]) -> AllRuns:
    """The same and the plain average of some methods' predictions, which needs every one of them."""
    absent = [name for name in members if name not in found.methods]
    if not members:
        return found
    if absent:
        reason = f"there are no predictions of {', '.join(absent)}"
        return AllRuns(found.methods, {**found.failed, AVERAGE: reason})
    each = [found.methods[name] for name in members]
    runs = tuple(averaged_runs(repeat) for repeat in zip(*(one.runs for one in each), strict=True))
    average = MethodRuns(runs, digest([one.fingerprint for one in each]))
    return AllRuns({**found.methods, AVERAGE: average}, found.failed)
