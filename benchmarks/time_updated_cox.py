"""A time-updated Cox model: the baseline that landmark predictions of serial measurements are held against.

Time runs from entry. Each visit opens an interval with the values known then, which lasts to the next visit
or to the end of follow-up (Andersen and Gill 1982); causes compete, one model each. At a landmark the last
values are carried forward and the baseline hazard goes on from there, as if nothing could change any more.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort, Task
from prognosis.cohort.landmarks import entry_time
from prognosis.cohort.outcome import TimeToEvent
from prognosis.errors import CohortError
from prognosis.evaluation.features import FeatureTable, last_values, learn_features
from prognosis.evaluation.peers import incidence_from_hazards
from prognosis.record import PatientRecord
from prognosis.survival.breslow import BaselineHazard

Floats = NDArray[np.float64]

PENALTY = 0.01  # of lifelines, per case: as the package's own Cox model is run in `prognosis benchmark`
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Design:
    """Columns of the covariates, the skewed positive ones as logarithms."""

    features: FeatureTable
    logged: NDArray[np.bool_]

    def matrix(self, cases: Sequence[Case]) -> Floats:
        """(n, p) finite covariates."""
        values = self.features.transform(cases)
        values[:, self.logged] = np.log(np.maximum(values[:, self.logged], 1e-6))
        return values


def learn_design(task: Task, cases: Sequence[Case], wanted: Callable[[str], bool] = lambda _: True) -> Design:
    """The last value of each code, skewed positive ones as logarithms, as far as it is wanted by name."""
    features = learn_features(task, cases).only(wanted)
    return Design(features, _skewed(features.transform(cases)))


@dataclass(frozen=True, slots=True)
class Intervals:
    """Visits of all patients: from `start` to `stop` days since entry; `cause` is 0 where none ended it."""

    cases: tuple[Case, ...]
    start: Floats
    stop: Floats
    cause: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TimeUpdatedCox:
    """A fitted model: (K, p) log-hazard per unit and each cause's baseline in days since entry."""

    design: Design
    task: Task
    per_unit: Floats
    baselines: tuple[BaselineHazard, ...]

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """See `prognosis.evaluation.entrant.Predictor`."""
        risk = np.exp(self.design.matrix(cases) @ self.per_unit.T)
        found = np.empty((len(cases), len(self.baselines), len(days)))
        jumps = np.unique(np.concatenate([own.days for own in self.baselines]))
        for row, case in enumerate(cases):
            since = days_since_entry(case, self.task)
            later = jumps[(jumps > since) & (jumps <= since + days[-1])] - since
            steps = np.unique(np.concatenate([later, days]))
            cumulative = np.stack(
                [
                    (own.at(since + steps) - own.at(np.array([since]))) * risk[row, place]
                    for place, own in enumerate(self.baselines)
                ]
            )
            found[row] = incidence_from_hazards(cumulative[None])[0][:, np.searchsorted(steps, days)]
        return found


def days_since_entry(case: Case, task: Task) -> float:
    """Days from the entry event to the landmark."""
    entry = entry_time(case.record, task.index.entry_codes)
    if entry is None:
        raise CohortError(f"patient {case.record.key}", "has no entry event", "use a task with landmarks")
    return (case.index_time - entry).total_seconds() / _DAY


def fit_time_updated(
    cohort: Cohort,
    records: Mapping[str, PatientRecord],
    wanted: Callable[[str], bool] = lambda _: True,
) -> TimeUpdatedCox:
    """Fit on the whole follow-up of the cohort's patients, all of their visits included.

    Args:
        cohort: The training cases; only whose they are is read.
        records: Every full record, by its key.
        wanted: Which values may be read, by name.
    """
    keys = dict.fromkeys(case.record.key for case in cohort.cases)
    rows = visit_intervals(cohort.task, [records[key] for key in keys])
    design = learn_design(cohort.task, rows.cases, wanted)
    covariates = design.matrix(rows.cases)
    causes = range(1, len(cohort.task.causes) + 1)
    per_unit = np.stack([_coefficients(covariates, rows, cause) for cause in causes])
    baselines = tuple(
        _baseline(np.exp(covariates @ own), rows, cause) for own, cause in zip(per_unit, causes, strict=True)
    )
    return TimeUpdatedCox(design, cohort.task, per_unit, baselines)


def visit_intervals(task: Task, records: Sequence[PatientRecord]) -> Intervals:
    """Each visit of each patient, with the interval in which its values were the latest."""
    if not isinstance(task.outcome, TimeToEvent):
        raise CohortError(f"task {task.name}", "is not about a time to an event", "use one that is")
    number = {code: place for place, own in enumerate(task.outcome.causes.values(), 1) for code in own}
    hidden = task.excluded_codes | frozenset(task.index.codes)
    cases: list[Case] = []
    spans: list[tuple[float, float, int]] = []
    for record in records:
        entry = entry_time(record, task.index.entry_codes)
        if entry is None:
            continue
        ends = [event for event in record.events if str(event.code) in number]
        end = min((event.time for event in ends), default=record.events[-1].time)
        cause = next((number[str(event.code)] for event in ends if event.time == end), 0)
        visits = {
            max(event.time, entry)
            for event in record.events
            if event.time < end and last_values(Case(_only(record, event), event.time), hidden)
        }
        opened = sorted(visits | {entry} if entry < end else visits)
        for place, time in enumerate(opened):
            last = place == len(opened) - 1
            stop = end if last else opened[place + 1]
            cases.append(Case(record.as_of(time), time))
            spans.append(
                ((time - entry).total_seconds() / _DAY, (stop - entry).total_seconds() / _DAY, cause * last)
            )
    start, stop, cause_of = np.array(spans, dtype=float).T
    return Intervals(tuple(cases), start, stop, cause_of.astype(np.int64))


def _only(record: PatientRecord, event: object) -> PatientRecord:
    return PatientRecord(record.patient_id, events=(event,))  # type: ignore[arg-type]


def _coefficients(covariates: Floats, rows: Intervals, cause: int) -> Floats:
    """Log-hazard per unit by `CoxTimeVaryingFitter`; 0 for a column that never varies."""
    import pandas as pd
    from lifelines import CoxTimeVaryingFitter

    varies = np.ptp(covariates, axis=0) > 0
    table = pd.DataFrame(covariates[:, varies])
    table["start"], table["stop"], table["event"] = rows.start, rows.stop, rows.cause == cause
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of columns that nearly separate; the penalty bounds them
        fitted = CoxTimeVaryingFitter(penalizer=PENALTY).fit(
            table, "event", start_col="start", stop_col="stop"
        )
    found = np.zeros(covariates.shape[1])
    found[varies] = fitted.params_.to_numpy()
    return found


def _baseline(risk: Floats, rows: Intervals, cause: int) -> BaselineHazard:
    """Breslow's estimate with people at risk from `start` to `stop`."""
    times = np.unique(rows.stop[rows.cause == cause])
    deaths = np.array([(rows.stop[rows.cause == cause] == time).sum() for time in times])
    at_risk = np.array([risk[(rows.start < time) & (rows.stop >= time)].sum() for time in times])
    return BaselineHazard(times, np.cumsum(deaths / at_risk))


def _skewed(values: Floats) -> NDArray[np.bool_]:
    """(p,) True for positive columns whose skewness is above 1 and less when the logarithm is taken."""
    from scipy.stats import skew

    positive = (values > 0.0).all(axis=0) & (np.ptp(values, axis=0) > 0.0)
    found = np.zeros(values.shape[1], dtype=bool)
    for place in np.flatnonzero(positive):
        plain, log = skew(values[:, place]), skew(np.log(values[:, place]))
        found[place] = plain > max(1.0, abs(log))
    return found
