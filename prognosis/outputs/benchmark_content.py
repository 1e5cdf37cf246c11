"""What the pages of a benchmark hold: one page a data set, and one over all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.outputs.estimate import Estimate
from prognosis.outputs.report_content import Calibration, CohortTable, Leaderboard


@dataclass(frozen=True, slots=True)
class Decision:
    """Net benefit over thresholds of several methods, and of treating everyone.

    Attributes:
        title: "death by 1 year".
        thresholds: (t,) the risks from which one would act.
        methods: Name and (t,) net benefit of each; ours first.
        treat_all: (t,) net benefit of acting on everyone; acting on no one is worth 0.
    """

    title: str
    thresholds: NDArray[np.float64]
    methods: tuple[tuple[str, NDArray[np.float64]], ...]
    treat_all: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoldDifference:
    """Ours minus another method over folds, by the corrected resampled t-test."""

    other: str
    measure: str
    estimate: Estimate
    p_value: float


@dataclass(frozen=True, slots=True)
class Tested:
    """A test of calibration over all days.

    Attributes:
        method: Whose predictions.
        what: What is compared.
        about: The event.
        group: Of predicted risk.
        cases: Number of cases.
        distance: 0 is right.
        p_value: Chance of what was seen, or worse, if the predictions are right.
    """

    method: str
    what: str
    about: str
    group: str
    cases: int
    distance: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a method took.

    Attributes:
        name: The method.
        ours: True for the method under test.
        fit_seconds: All fits of a repeat.
        predict_seconds: All predictions of a repeat.
        peak_mib: Peak memory in MiB; None where not measured.
    """

    name: str
    ours: bool
    fit_seconds: float
    predict_seconds: float
    peak_mib: float | None


@dataclass(frozen=True, slots=True)
class Absent:
    """A method without predictions, and why."""

    data_set: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """One data set: leaderboards, calibration and net benefit of ours and of the best peer, costs.

    Attributes:
        title: The data set.
        question: The task's question.
        statement: How the numbers were made.
        created: ISO 8601.
        command: What makes the page again.
        cohort: Who was asked about.
        leaderboards: One a metric.
        best_peer: The peer with the highest Uno C; empty without one.
        calibrations: Method and plots of each: ours, the best peer.
        tests: Of calibration: ours, the best peer.
        decisions: One a cause and horizon.
        differences: Over folds.
        costs: One a method.
        absent: Methods without predictions.
    """

    title: str
    question: str
    statement: str
    created: str
    command: str
    cohort: CohortTable
    leaderboards: tuple[Leaderboard, ...]
    best_peer: str
    calibrations: tuple[tuple[str, tuple[Calibration, ...]], ...]
    tests: tuple[Tested, ...]
    decisions: tuple[Decision, ...]
    differences: tuple[FoldDifference, ...]
    costs: tuple[Cost, ...]
    absent: tuple[Absent, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One method on one data set; `best` marks the best point estimate of the row."""

    estimate: Estimate
    best: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One data set of a metric's table; a cell is None where the method gave nothing."""

    data_set: str
    cases: int
    events: int
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class MetricTable:
    """One metric, data sets by methods.

    Attributes:
        measure: "Uno's C".
        higher_is_better: False for errors.
        methods: Names, in the order of the cells.
        rows: The data sets.
    """

    measure: str
    higher_is_better: bool
    methods: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Against:
    """Ours against one method over the data sets on which both ran."""

    other: str
    data_sets: int
    wins: int
    losses: int
    p_value: float
    adjusted: float


@dataclass(frozen=True, slots=True)
class RankTable:
    """Mean ranks of one metric.

    Attributes:
        measure: "Uno's C".
        data_sets: Over how many.
        ranks: Method and mean rank, best first.
        alike: Groups of neighbours in rank of which no two were shown to differ (Wilcoxon, Holm).
        friedman_p: That all are alike; None where it cannot be tested.
        left_out: Methods that some data set lacks.
        against: Ours against each other method.
    """

    measure: str
    data_sets: int
    ranks: tuple[tuple[str, float], ...]
    alike: tuple[tuple[str, ...], ...]
    friedman_p: float | None
    left_out: tuple[str, ...]
    against: tuple[Against, ...]


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """All data sets of a benchmark.

    Attributes:
        title: The benchmark's name.
        ours: The method under test.
        statement: How the numbers were made.
        created: ISO 8601.
        command: What makes the pages again.
        tables: One a metric.
        ranks: One a metric.
        costs: Summed over data sets; the peak is the largest.
        absent: Methods without predictions, by data set.
        versions: Package and version.
    """

    title: str
    ours: str
    statement: str
    created: str
    command: str
    tables: tuple[MetricTable, ...]
    ranks: tuple[RankTable, ...]
    costs: tuple[Cost, ...]
    absent: tuple[Absent, ...]
    versions: tuple[tuple[str, str], ...]
