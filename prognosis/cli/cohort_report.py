"""The report of an evaluated cohort, put together from the evaluation, the cohort and patients' pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.cli.loading import label_counts
from prognosis.cli.metric_words import MEANING, better, kind_of, metric_name
from prognosis.cohort import Cohort, Target
from prognosis.cohort.labels import REFERENCE
from prognosis.evaluation import results as evaluation
from prognosis.evaluation.judging import Evaluation
from prognosis.evaluation.results import CalibrationCurve, EvaluationResult, MetricSet
from prognosis.outputs.estimate import Count, Estimate, in_days
from prognosis.outputs.report_content import (
    Calibration,
    CohortTable,
    Contender,
    ContenderKind,
    Leaderboard,
    Measure,
    RiskGroup,
    RiskGroups,
    Subgroup,
    SubgroupTable,
)
from prognosis.record import Quarantine
from prognosis.survival.bootstrap import Interval
from prognosis.survival.calibration import wilson_interval
from prognosis.survival.curves import aalen_johansen

Floats = NDArray[np.float64]

CALIBRATION = ("calibration_intercept", "calibration_slope", "observed_over_expected")
GROUPS = ("lowest third", "middle third", "highest third")


def estimate_of(interval: Interval) -> Estimate:
    """An interval of the evaluation as the outputs show it."""
    return Estimate(interval.value, interval.low, interval.high, interval.level)


def cohort_table(cohort: Cohort, quarantine: Quarantine, judged: Cohort | None = None) -> CohortTable:
    """Who was asked about: all selected cases, with how many of them were held out to judge."""
    causes = label_counts(cohort)
    censored, nothing = causes.pop("censored", 0), causes.pop(REFERENCE, 0)
    causes["no event"] += nothing
    problems = Counter(rejection.problem for rejection in quarantine)
    return CohortTable(
        cases=len(cohort),
        patients=len(set(cohort.patients)),
        events=tuple(Count(name, count) for name, count in causes.most_common() if count),
        censored=censored,
        exclusions=tuple(Count(name, count) for name, count in cohort.exclusions.most_common()),
        quarantined=tuple(Count(name, count) for name, count in problems.most_common(12)),
        sites=_counts(case.record.site or "not named" for case in cohort.cases),
        modalities=(
            Count("coded facts", sum(bool(case.record.events) for case in cohort.cases)),
            Count("notes", sum(bool(case.record.notes) for case in cohort.cases)),
            Count("images", sum(bool(case.record.studies) for case in cohort.cases)),
        ),
        characteristics=(("held out to judge", f"{len(judged)} cases"),) if judged else (),
    )


class Measured(Protocol):
    """What was measured of one method: an evaluation, or one row of a benchmark."""

    @property
    def result(self) -> MetricSet:
        """Its metrics."""
        ...

    @property
    def calibration(self) -> tuple[CalibrationCurve, ...]:
        """Its calibration curves."""
        ...


def measures(result: Measured) -> tuple[Measure, ...]:
    """Every metric with its interval."""
    return tuple(
        Measure(metric_name(name), estimate_of(interval), better(name), _meaning(name, result.result))
        for name, interval in result.result.metrics.items()
    )


def _meaning(name: str, found: MetricSet) -> str:
    fewer = found.fewer_replicates.get(name)
    return MEANING.get(kind_of(name), "") + (f"; interval from {fewer} samples" if fewer else "")


def protocol_statement(protocol: evaluation.Protocol) -> str:
    """How the numbers were made, once for all of them."""
    parts = [f"Intervals: {100 * protocol.level:.0f}% of {protocol.replicates} bootstrap samples of patients"]
    if protocol.tau_days is not None:
        parts.append(
            f"tau {protocol.tau_days:.0f} days; concordance by {protocol.risk}; {protocol.competing}; "
            f"censoring: {protocol.censoring}"
        )
    return "; ".join(parts) + "."


def leaderboard(
    result: EvaluationResult, metric: str, title: str, extra: Sequence[Contender] = ()
) -> Leaderboard | None:
    """All modalities beside each alone and any baseline, by one metric; None where it was not given."""
    if metric not in result.result.metrics:
        return None
    gains = {found.b: estimate_of(found.difference) for found in result.comparisons if found.metric == metric}
    ours = Contender("all modalities", "ours", estimate_of(result.result.metrics[metric]))
    others = [
        Contender(
            name,
            _kind_of_method(name),
            estimate_of(found.metrics[metric]),
            gains.get(name),
        )
        for name, found in result.members.items()
        if metric in found.metrics
    ]
    chance = 0.5 if kind_of(metric) in {"auroc", "auc", "uno_c", "harrell_c", "antolini_c"} else None
    protocol = f"the same {result.n} held-out cases for all; paired bootstrap over {result.patients} patients"
    return Leaderboard(title, chance, (ours, *others, *extra), better(metric) == "higher", protocol)


def _kind_of_method(name: str) -> ContenderKind:
    if name.endswith((" alone", " only")) and not name.startswith("projection"):
        return "single modality"
    return "some modalities" if " + " in name else "baseline"


def calibrations(result: Measured) -> tuple[Calibration, ...]:
    """Predicted against observed risk, one plot for each cause and horizon."""
    return tuple(_calibration(curve, result) for curve in result.calibration)


def risk_groups(judged: Evaluation, of_cause: int = 1) -> tuple[RiskGroups, ...]:
    """Observed and mean predicted incidence in thirds of predicted risk; nothing for a class."""
    target = judged.target
    if not target.survival:
        return ()
    risk = judged.incidence[:, of_cause - 1].mean(axis=1)
    third = np.searchsorted(np.quantile(risk, [1 / 3, 2 / 3]), risk)
    groups = tuple(
        _risk_group(name, judged, np.flatnonzero(third == number), of_cause)
        for number, name in enumerate(GROUPS)
        if (third == number).any()
    )
    return (RiskGroups(target.causes[of_cause - 1].replace("_", " "), groups),)


def subgroup_tables(result: EvaluationResult, metric: str) -> tuple[SubgroupTable, ...]:
    """One metric in each subgroup."""
    rows = tuple(
        Subgroup(
            found.name,
            found.level,
            found.n,
            found.events,
            estimate_of(found.result.metrics[metric])
            if found.result and metric in found.result.metrics
            else None,
        )
        for found in result.subgroups
    )
    return (SubgroupTable(metric_name(metric), rows),) if rows else ()


def coverage_tables(result: EvaluationResult) -> tuple[SubgroupTable, ...]:
    """How often, by group, patients stay free as long as their bound says, or their set holds their class."""
    rows: dict[str, list[Subgroup]] = {}
    for found in result.lower_bounds:
        measure = f"coverage of the {found.level:.0%} lower bound, {found.event.replace('_', ' ')}"
        estimate = None if found.coverage is None else estimate_of(found.coverage)
        rows.setdefault(measure, []).append(
            Subgroup(found.group, found.group_level, found.n, found.events, estimate)
        )
    for of_set in result.class_sets:
        size = f"{of_set.mean_size:.2f} classes a set"
        estimate = None if of_set.coverage is None else estimate_of(of_set.coverage)
        level = f"{of_set.group_level} ({size}, {of_set.empty:.0%} empty)"
        rows.setdefault(f"coverage of the {of_set.level:.0%} sets of classes", []).append(
            Subgroup(of_set.group, level, of_set.n, of_set.events, estimate)
        )
    return tuple(SubgroupTable(measure, tuple(each)) for measure, each in rows.items())


def _risk_group(name: str, judged: Evaluation, rows: NDArray[np.intp], of_cause: int) -> RiskGroup:
    days = judged.days
    observed = _incidence(judged.target.take(rows), days, of_cause)
    rng = np.random.default_rng(0)
    draws = np.stack(
        [_incidence(judged.target.take(rng.choice(rows, len(rows))), days, of_cause) for _ in range(200)]
    )
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    predicted = judged.incidence[rows, of_cause - 1].mean(axis=0)
    return RiskGroup(
        name, len(rows), days, observed, np.minimum(low, observed), np.maximum(high, observed), predicted
    )


def _incidence(target: Target, days: Floats, of_cause: int) -> Floats:
    return np.asarray(aalen_johansen(target.days, target.cause, len(target.causes))[of_cause - 1].at(days))


def _calibration(curve: CalibrationCurve, result: Measured) -> Calibration:
    observed, counts = np.array(curve.observed), np.array(curve.cases, dtype=np.int64)
    low, high = wilson_interval(observed, np.array(curve.effective_cases))
    cause = curve.cause.replace("_", " ")
    title = f"{cause} by {in_days(curve.horizon_days)}" if curve.horizon_days else cause
    suffix = f"@{curve.horizon_days:g}" if curve.horizon_days else ""
    if any(name.endswith(f":{curve.cause}") for name in result.result.metrics):
        suffix += f":{curve.cause}"  # the first cause's metrics, and those of one class, bear no name
    found = tuple(
        Measure(metric_name(name), estimate_of(result.result.metrics[name]), better(name))
        for name in (f"{kind}{suffix}" for kind in CALIBRATION)
        if name in result.result.metrics
    )
    return Calibration(
        title,
        np.array(curve.predicted),
        observed,
        low,
        high,
        counts,
        found,
    )


def _counts(names: Iterable[str]) -> tuple[Count, ...]:
    return tuple(Count(name, count) for name, count in Counter(names).most_common())
