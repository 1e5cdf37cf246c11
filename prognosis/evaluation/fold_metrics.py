"""The metrics of held-out folds as a function of what was predicted for them, for each kind of task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Target
from prognosis.cohort.target import reference_class
from prognosis.errors import CohortError
from prognosis.evaluation.class_metrics import prepare_classes
from prognosis.evaluation.finding_metrics import prepare_findings
from prognosis.evaluation.held_out import HeldOut, JudgingDays, judging_days
from prognosis.evaluation.results import Protocol
from prognosis.evaluation.survival_evaluation import survival_protocol
from prognosis.evaluation.survival_metrics import PreparedMetrics, prepare_survival

if TYPE_CHECKING:
    from prognosis.evaluation.judging import Judged

Floats = NDArray[np.float64]

ONE_CLASS_DAYS = np.array([1.0])

Prepare = Callable[[Sequence[Floats], NDArray[np.intp] | None], PreparedMetrics]


@dataclass(frozen=True, slots=True)
class Judging:
    """How a task's predictions are judged.

    Attributes:
        days: (T,) days at which they are wanted.
        prepare: From one (n, K, T) array a fold, and the rows to judge (None for all), to the metrics.
        protocol: What the result says of it.
    """

    days: Floats
    prepare: Prepare
    protocol: Protocol


def judging_of(folds: Sequence[Judged], seed: int, replicates: int) -> Judging:
    """How the folds' task is judged: a time to event, a class, or findings.

    Args:
        folds: Models with the cases that they have not seen.
        seed: Of the bootstrap.
        replicates: Bootstrap samples of patients.

    Raises:
        CohortError: Every horizon lies beyond what the models can predict.
    """
    if folds[0].target.survival:
        return _judge_survival(folds, seed, replicates)
    target = joined_target(folds)
    clusters = np.concatenate([fold.cohort.patients for fold in folds])
    number = np.repeat(np.arange(len(folds)), [len(fold.cohort) for fold in folds])
    names = (reference_class(folds[0].cohort.task), *target.causes)

    def prepare(incidence: Sequence[Floats], rows: NDArray[np.intp] | None) -> PreparedMetrics:
        chance = np.concatenate(incidence)[:, :, -1]
        chosen = np.arange(len(target)) if rows is None else rows
        of_case = clusters[chosen], number[chosen]
        if target.marks is not None:
            return prepare_findings(chance[chosen], target.marks[chosen], target.causes, *of_case)
        probabilities = np.concatenate([1.0 - chance.sum(axis=1, keepdims=True), chance], axis=1)
        return prepare_classes(probabilities[chosen], target.cause[chosen], names, *of_case)

    protocol = Protocol(level=0.95, replicates=replicates, seed=seed, strata=len(folds))
    return Judging(ONE_CLASS_DAYS, prepare, protocol)


def _judge_survival(folds: Sequence[Judged], seed: int, replicates: int) -> Judging:
    last = min(float(fold.model.edges[-1]) for fold in folds)
    horizons = [day for day in folds[0].cohort.task.horizons_days if day <= last]
    if not horizons:
        raise CohortError(
            "evaluation", f"every horizon lies beyond day {last:g}", "train on a longer follow-up"
        )
    judged = judging_days(joined_target(folds), horizons)
    judged = JudgingDays(judged.horizons, min(judged.tau, last), judged.grid[judged.grid <= last])

    def prepare(incidence: Sequence[Floats], rows: NDArray[np.intp] | None) -> PreparedMetrics:
        parts, first = [], 0
        for fold, cif in zip(folds, incidence, strict=True):
            size = len(fold.cohort)
            here = np.arange(size) if rows is None else rows[(rows >= first) & (rows < first + size)] - first
            first += size
            if len(here):
                clusters = fold.cohort.patients[here]
                parts.append(
                    HeldOut(cif[here], judged.days, fold.target.take(here), fold.training_target, clusters)
                )
        return prepare_survival(parts, judged)

    apart = all(fold.training is not None for fold in folds)
    protocol = survival_protocol(judged, len(folds), seed, replicates, censoring_apart=apart)
    return Judging(judged.days, prepare, protocol)


def held_out_parts(folds: Sequence[Judged], incidence: Sequence[Floats], days: Floats) -> list[HeldOut]:
    """Predictions of the folds' cases, one (n, K, T) array a fold at `days` (T,), with what happened."""
    return [
        HeldOut(cif, days, fold.target, fold.training_target, fold.cohort.patients)
        for fold, cif in zip(folds, incidence, strict=True)
    ]


def joined_target(folds: Sequence[Judged]) -> Target:
    """What happened to the cases of all folds, fold after fold."""
    targets = [fold.target for fold in folds]
    first = targets[0]
    cause = np.concatenate([target.cause for target in targets])
    days = np.concatenate([target.days for target in targets])
    marks = [target.marks for target in targets if target.marks is not None]
    joined = np.concatenate(marks) if marks else None
    asked = [target.landmark for target in targets if target.landmark is not None]
    landmark = np.concatenate(asked) if asked else None
    return Target(first.causes, cause, days, first.edges, first.survival, joined, landmark)
