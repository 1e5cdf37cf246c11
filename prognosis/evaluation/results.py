"""What an evaluation says, as dataclasses that turn into JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from prognosis.evaluation.bound_coverage import BoundCoverage
from prognosis.evaluation.interval_json import interval_json
from prognosis.evaluation.landmark_metrics import LandmarkMetrics
from prognosis.evaluation.set_coverage import SetCoverage
from prognosis.survival.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class MetricSet:
    """Metrics with their intervals, and those that could not be computed with the reason.

    Attributes:
        metrics: Each metric's value and interval; "brier@365" is at 365 days, "uno_c:relapse" of a
            cause other than the first.
        refused: Why each metric that is missing from `metrics` has no value.
        fewer_replicates: Number of bootstrap samples of each metric that was given fewer than the protocol
            states, because one costs too much.
    """

    metrics: Mapping[str, Interval]
    refused: Mapping[str, str] = field(default_factory=dict)
    fewer_replicates: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """{"metrics": {name: {"value", "low", "high"}}, "refused": {name: reason}, "fewer_replicates"}."""
        return {
            "metrics": {name: interval_json(found) for name, found in self.metrics.items()},
            "refused": dict(self.refused),
            "fewer_replicates": dict(self.fewer_replicates),
        }


@dataclass(frozen=True, slots=True)
class Protocol:
    """How the numbers were made: without this they cannot be compared with anybody else's.

    Attributes:
        horizons_days: Where AUC, Brier score and calibration are taken; empty for classes.
        tau_days: Uno's truncation; None for classes.
        grid_days: First and last day of the grid of the integrated Brier score; None for classes.
        grid_points: Number of points on it.
        risk: What the concordances rank by.
        competing: What another cause means to a concordance.
        ties: How ties are counted.
        censoring: The estimator of the censoring distribution, and on which cases.
        strata: Number of folds within which pairs are formed.
        level: Coverage of the intervals.
        replicates: Number of bootstrap samples of patients.
        seed: Of the bootstrap.
    """

    level: float
    replicates: int
    seed: int
    strata: int = 1
    horizons_days: tuple[float, ...] = ()
    tau_days: float | None = None
    grid_days: tuple[float, float] | None = None
    grid_points: int = 0
    risk: str = ""
    competing: str = ""
    ties: str = "equal risks count one half"
    censoring: str = ""

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "level": self.level,
            "replicates": self.replicates,
            "seed": self.seed,
            "interval": "percentile bootstrap over patients",
            "strata": self.strata,
            "horizons_days": list(self.horizons_days),
            "tau_days": self.tau_days,
            "grid_days": list(self.grid_days) if self.grid_days else None,
            "grid_points": self.grid_points,
            "risk": self.risk,
            "competing": self.competing,
            "ties": self.ties,
            "censoring": self.censoring,
        }


@dataclass(frozen=True, slots=True)
class CalibrationCurve:
    """Observed against predicted risk of one cause (or class) at one horizon.

    Attributes:
        cause: The cause or class.
        horizon_days: The horizon; None for a class.
        predicted: Mean predicted risk of each bin.
        observed: Observed risk of each bin.
        cases: Number of cases of each bin.
        effective_cases: How many cases followed to the horizon tell as much of each bin (see
            `CalibrationBin`); the number of cases of a class.
        smooth_predicted: Points of the smoothed curve; empty where none could be fitted.
        smooth_observed: The smoothed observed risk there.
        ici: Mean absolute distance of the smoothed curve from the diagonal; None without a curve.
        e90: 90th percentile of that distance; None without a curve.
    """

    cause: str
    horizon_days: float | None
    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    cases: tuple[int, ...]
    effective_cases: tuple[float, ...]
    smooth_predicted: tuple[float, ...] = ()
    smooth_observed: tuple[float, ...] = ()
    ici: float | None = None
    e90: float | None = None

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        named = asdict(self).items()
        return {name: list(value) if isinstance(value, tuple) else value for name, value in named}


@dataclass(frozen=True, slots=True)
class DecisionCurve:
    """Net benefit of acting on the predicted risk of one cause at one horizon, over thresholds.

    Acting on no one is worth 0 at every threshold.

    Attributes:
        cause: The cause.
        horizon_days: The horizon.
        thresholds: The risks from which one would act, above 0 and below 1.
        model: Net benefit a case of acting on those whose predicted risk reaches the threshold.
        treat_all: Net benefit a case of acting on everyone.
    """

    cause: str
    horizon_days: float
    thresholds: tuple[float, ...]
    model: tuple[float, ...]
    treat_all: tuple[float, ...]

    def to_json(self) -> dict[str, object]:
        """The fields by name, with "treat_none"."""
        return {
            "cause": self.cause,
            "horizon_days": self.horizon_days,
            "thresholds": list(self.thresholds),
            "model": list(self.model),
            "treat_all": list(self.treat_all),
            "treat_none": [0.0] * len(self.thresholds),
        }


@dataclass(frozen=True, slots=True)
class CalibrationTest:
    """Whether predicted curves could be right, judged over all days.

    Attributes:
        kind: "d_calibration" (tenths of the predicted survival) or "aj_calibration" (mean predicted against
            observed cumulative incidence).
        cause: The cause; empty where all causes count together.
        group: "all", or the group of predicted risk, from the lowest.
        cases: Number of cases.
        distance: 0 is right. d_calibration: share of cases in the wrong tenth; aj_calibration: mean absolute
            difference of the two curves over time.
        p_value: Chance of what was seen, or worse, if the predictions are right.
    """

    kind: str
    cause: str
    group: str
    cases: int
    distance: float
    p_value: float

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The metrics of the cases that share a level of something, or why there are none.

    Attributes:
        name: What the cases are grouped by ("sex", "age", "site").
        level: The level they share.
        n: Number of cases.
        events: Number of events of the first cause.
        result: The metrics; None when `n` or `events` is too small to say anything.
    """

    name: str
    level: str
    n: int
    events: int
    result: MetricSet | None

    def to_json(self) -> dict[str, object]:
        """The fields by name; "status" is "reported" or "insufficient"."""
        known: dict[str, object] = {
            "name": self.name,
            "level": self.level,
            "n": self.n,
            "events": self.events,
            "status": "insufficient" if self.result is None else "reported",
        }
        return known if self.result is None else known | self.result.to_json()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference a - b of one metric, with its paired interval."""

    a: str
    b: str
    metric: str
    difference: Interval

    def to_json(self) -> dict[str, object]:
        """{"a", "b", "metric", "difference", "low", "high"}."""
        gap = self.difference
        named = {"a": self.a, "b": self.b, "metric": self.metric}
        return {**named, "difference": gap.value, "low": gap.low, "high": gap.high}


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """How well one set of predictions did, and against what.

    Attributes:
        task: The task's name.
        n: Number of cases.
        patients: Number of patients.
        events: Number of events of each cause, or of cases of each class or with each finding.
        protocol: How the numbers were made.
        result: The metrics of all cases.
        calibration: One curve a cause and horizon.
        decisions: Net benefit, one curve a cause and horizon.
        tests: Tests of calibration over all days.
        subgroups: The same metrics in groups.
        members: The metrics of baselines and parts of the model, on the same cases.
        comparisons: Paired differences.
        lower_bounds: Coverage of the lower bounds on event-free time.
        class_sets: Coverage and size of the sets of classes.
        unknown: Number of cases that are not judged on each finding, since it is not known of them.
        landmarks: The metrics at each landmark and horizon, among those at risk there.
        exclusions: Number left out of the cohort, by reason; none where no cohort is given.
    """

    task: str
    n: int
    patients: int
    events: Mapping[str, int]
    protocol: Protocol
    result: MetricSet
    calibration: tuple[CalibrationCurve, ...] = ()
    decisions: tuple[DecisionCurve, ...] = ()
    tests: tuple[CalibrationTest, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    members: Mapping[str, MetricSet] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    lower_bounds: tuple[BoundCoverage, ...] = ()
    class_sets: tuple[SetCoverage, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)
    landmarks: tuple[LandmarkMetrics, ...] = ()
    exclusions: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Everything as JSON-ready dictionaries and lists; no value is ever NaN."""
        return {
            "task": self.task,
            "n": self.n,
            "patients": self.patients,
            "events": dict(self.events),
            "unknown": dict(self.unknown),
            "exclusions": dict(self.exclusions),
            "protocol": self.protocol.to_json(),
            **self.result.to_json(),
            "calibration": [curve.to_json() for curve in self.calibration],
            "decisions": [curve.to_json() for curve in self.decisions],
            "calibration_tests": [test.to_json() for test in self.tests],
            "subgroups": [subgroup.to_json() for subgroup in self.subgroups],
            "members": {name: member.to_json() for name, member in self.members.items()},
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
            "lower_bounds": [found.to_json() for found in self.lower_bounds],
            "class_sets": [found.to_json() for found in self.class_sets],
            "landmarks": [found.to_json() for found in self.landmarks],
        }
