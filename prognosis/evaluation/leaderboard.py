"""What a benchmark found, as dataclasses that turn into JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from prognosis.evaluation.comparison import CorrectedDifference
from prognosis.evaluation.ranks import Ranking
from prognosis.evaluation.results import (
    CalibrationCurve,
    CalibrationTest,
    Comparison,
    DecisionCurve,
    MetricSet,
    Protocol,
)
from prognosis.survival.curves import Floats


@dataclass(frozen=True, slots=True)
class Entry:
    """One method on one cohort.

    Attributes:
        name: The method.
        result: Its metrics, averaged over repeats.
        calibration: Its calibration curves in the first repeat.
        decisions: Its net benefit in the first repeat.
        tests: Its tests of calibration over all days, in the first repeat.
        fold_values: The compared metrics in each fold, (repeats, folds); NaN where one is not defined.
        fit_seconds: Wall-clock time of all fits of a repeat, the mean over repeats.
        predict_seconds: Wall-clock time of all predictions of a repeat, the mean over repeats.
        peak_mib: Highest memory in MiB above what was in use before the first fit; None where not measured.
    """

    name: str
    result: MetricSet
    calibration: tuple[CalibrationCurve, ...]
    decisions: tuple[DecisionCurve, ...]
    tests: tuple[CalibrationTest, ...]
    fold_values: Mapping[str, Floats]
    fit_seconds: float
    predict_seconds: float
    peak_mib: float | None

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "name": self.name,
            **self.result.to_json(),
            "folds": {
                name: [[None if math.isnan(value) else float(value) for value in repeat] for repeat in values]
                for name, values in self.fold_values.items()
            },
            "calibration": [curve.to_json() for curve in self.calibration],
            "decisions": [curve.to_json() for curve in self.decisions],
            "calibration_tests": [test.to_json() for test in self.tests],
            "fit_seconds": round(self.fit_seconds, 3),
            "predict_seconds": round(self.predict_seconds, 3),
            "peak_mib": None if self.peak_mib is None else round(self.peak_mib, 1),
        }


@dataclass(frozen=True, slots=True)
class FoldComparison:
    """The mean difference a - b of one metric over all folds, by the corrected resampled t-test."""

    a: str
    b: str
    metric: str
    folds: int
    corrected: CorrectedDifference

    def to_json(self) -> dict[str, object]:
        """{"a", "b", "metric", "folds", "difference", "low", "high", "p_value"}."""
        return {
            "a": self.a,
            "b": self.b,
            "metric": self.metric,
            "folds": self.folds,
            "difference": self.corrected.difference.value,
            "low": self.corrected.difference.low,
            "high": self.corrected.difference.high,
            "p_value": self.corrected.p_value,
        }


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """All methods on one cohort, best Uno C first.

    Attributes:
        task: The task's name.
        source: Where the cohort came from.
        n: Number of cases.
        patients: Number of patients.
        events: Number of events of each cause.
        repeats: Number of cross-validations, each with folds of its own.
        protocol: How the numbers were made.
        entries: The methods.
        failed: Why each method that is missing from `entries` gave no predictions.
        comparisons: The first method given against each other one, paired bootstrap.
        fold_comparisons: The same differences over folds.
    """

    task: str
    source: str
    n: int
    patients: int
    events: Mapping[str, int]
    repeats: int
    protocol: Protocol
    entries: tuple[Entry, ...]
    failed: Mapping[str, str]
    comparisons: tuple[Comparison, ...]
    fold_comparisons: tuple[FoldComparison, ...] = ()

    def entry(self, name: str) -> Entry | None:
        """A method's entry; None when it gave no predictions."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "task": self.task,
            "source": self.source,
            "n": self.n,
            "patients": self.patients,
            "events": dict(self.events),
            "repeats": self.repeats,
            "protocol": self.protocol.to_json(),
            "entries": [entry.to_json() for entry in self.entries],
            "failed": dict(self.failed),
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
            "fold_comparisons": [comparison.to_json() for comparison in self.fold_comparisons],
        }


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """All leaderboards, with what is needed to make them again.

    Attributes:
        name: The benchmark's name.
        command: The command that ran it.
        seed: Of folds, methods and bootstrap.
        folds: Number of folds.
        threads: What OMP_NUM_THREADS allowed each method; empty when it was not set.
        versions: Of the packages that did the arithmetic.
        leaderboards: One a cohort.
        rankings: One a compared metric, over all cohorts.
    """

    name: str
    command: str
    seed: int
    folds: int
    threads: str
    versions: Mapping[str, str]
    leaderboards: tuple[Leaderboard, ...]
    rankings: tuple[Ranking, ...]

    def to_json(self) -> dict[str, object]:
        """The fields by name; no value is ever NaN."""
        return {
            "name": self.name,
            "command": self.command,
            "seed": self.seed,
            "folds": self.folds,
            "threads": self.threads,
            "memory": "largest resident memory of the method's process above that before its first fit",
            "versions": dict(self.versions),
            "leaderboards": [board.to_json() for board in self.leaderboards],
            "rankings": [ranking.to_json() for ranking in self.rankings],
        }
