"""What a benchmark found, as dataclasses that turn into JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prognosis.evaluation.results import CalibrationCurve, Comparison, MetricSet, Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One method on one cohort.

    Attributes:
        name: The method.
        result: Its metrics.
        calibration: Its calibration curves.
        fit_seconds: Wall-clock time of all fits, summed over folds.
        predict_seconds: Wall-clock time of all predictions, summed over folds.
    """

    name: str
    result: MetricSet
    calibration: tuple[CalibrationCurve, ...]
    fit_seconds: float
    predict_seconds: float

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "name": self.name,
            **self.result.to_json(),
            "calibration": [curve.to_json() for curve in self.calibration],
            "fit_seconds": round(self.fit_seconds, 3),
            "predict_seconds": round(self.predict_seconds, 3),
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
        protocol: How the numbers were made.
        entries: The methods.
        failed: Why each method that is missing from `entries` gave no predictions.
        comparisons: The first method given against each other one, paired.
    """

    task: str
    source: str
    n: int
    patients: int
    events: Mapping[str, int]
    protocol: Protocol
    entries: tuple[Entry, ...]
    failed: Mapping[str, str]
    comparisons: tuple[Comparison, ...]

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "task": self.task,
            "source": self.source,
            "n": self.n,
            "patients": self.patients,
            "events": dict(self.events),
            "protocol": self.protocol.to_json(),
            "entries": [entry.to_json() for entry in self.entries],
            "failed": dict(self.failed),
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
        }


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """All leaderboards, with what is needed to make them again.

    Attributes:
        name: The benchmark's name.
        command: The command that ran it.
        seed: Of folds, methods and bootstrap.
        folds: Number of folds.
        versions: Of the packages that did the arithmetic.
        leaderboards: One a cohort.
    """

    name: str
    command: str
    seed: int
    folds: int
    versions: Mapping[str, str]
    leaderboards: tuple[Leaderboard, ...]

    def to_json(self) -> dict[str, object]:
        """The fields by name; no value is ever NaN."""
        return {
            "name": self.name,
            "command": self.command,
            "seed": self.seed,
            "folds": self.folds,
            "versions": dict(self.versions),
            "leaderboards": [board.to_json() for board in self.leaderboards],
        }
