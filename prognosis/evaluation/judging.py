"""Judging a fusion model: metrics of the fused answer, of each modality alone, and of their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, Target, Task, cohort_target
from prognosis.cohort.target import reference_class
from prognosis.errors import CohortError
from prognosis.evaluation.comparison import compare
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.fold_metrics import held_out_parts, joined_target, judging_of
from prognosis.evaluation.judging_bounds import judge_bounds
from prognosis.evaluation.judging_sets import judge_sets
from prognosis.evaluation.landmarks import judge_landmarks
from prognosis.evaluation.measured import evaluate_measured
from prognosis.evaluation.results import Comparison, EvaluationResult
from prognosis.evaluation.rivals import Rivals, rival_incidence
from prognosis.evaluation.singles import Singles
from prognosis.evaluation.subgroups import cohort_groups, evaluate_subgroups
from prognosis.evaluation.survival_metrics import PreparedMetrics
from prognosis.fusion import FusionModel
from prognosis.fusion.inputs import FusionInputs

Floats = NDArray[np.float64]

REPLICATES = 1000
FUSED = "fused"
COMPARED = ("uno_c", "harrell_c", "ibs", "auroc", "brier")


@dataclass(frozen=True, slots=True)
class Judged:
    """One fold: a model and cases that did not train it.

    Attributes:
        model: Trained without `cohort`'s patients.
        cohort: The cases judged.
        inputs: Their evidence.
        target: What happened to them.
        training: The cohort that trained the model, None when it is not at hand.
        singles: Each modality as a model of its own; None where the model was only read, or reads just one.
        alone: The cases' evidence by these; None without them.
        rivals: What joins the modalities otherwise; None where it was not asked for.
    """

    model: FusionModel
    cohort: Cohort
    inputs: FusionInputs
    target: Target
    training: Cohort | None
    singles: Singles | None = None
    alone: FusionInputs | None = None
    rivals: Rivals | None = None

    @property
    def training_target(self) -> Target:
        """What happened to the training cases (censoring, reference risk); without them, to those judged."""
        return cohort_target(self.training, edges=self.model.edges) if self.training else self.target

    def log_hazard_from(self, name: str) -> Floats:
        """(n, K, B) of one modality as a model of its own; without one, of the model with only it left.

        A model that was trained without the modality finds it absent.
        """
        if self.singles is not None and self.alone is not None and name in self.singles.heads:
            return self.singles.log_hazard(name, self.alone)
        only = [modality == name for modality in self.model.modalities]
        return self.model.head.log_hazard(self.inputs.keeping(only))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A result beside the predictions that it judges.

    Attributes:
        result: Metrics, calibration, subgroups, modalities alone, paired differences.
        cohort: The cases judged, fold after fold.
        target: What happened to them.
        days: (T,) days of `incidence`.
        incidence: (n, K, T) predicted by the fused model.
        prepared: Metrics of each variant as functions of case weights, for further paired comparisons.
    """

    result: EvaluationResult
    cohort: Cohort
    target: Target
    days: Floats
    incidence: Floats
    prepared: Mapping[str, PreparedMetrics]


def held_out_fold(
    model: FusionModel,
    cohort: Cohort,
    training: Cohort | None = None,
    singles: Singles | None = None,
    rivals: Rivals | None = None,
) -> Judged:
    """A trained model and the cases it is to be judged on.

    Args:
        model: The model.
        cohort: Labelled cases.
        training: The cohort that trained it; where it is not at hand, censoring is learnt from `cohort`.
        singles: Fitted on the same cohort.
        rivals: Likewise.

    Raises:
        CohortError: A case's patient trained the model.
    """
    seen = sum(model.was_trained_on(case) for case in cohort.cases)
    if seen:
        raise CohortError(
            f"evaluation of {model.model_id or model.task.name}",
            f"{seen} of {len(cohort)} cases are of patients that trained the model",
            "evaluate on other patients, or retrain on folds with --cv",
        )
    target = cohort_target(cohort, edges=model.edges)
    inputs = model.inputs(cohort.cases)
    alone = None if singles is None else singles.inputs(cohort.cases, model.evidence, inputs)
    return Judged(model, cohort, inputs, target, training, singles, alone, rivals)


def evaluate_folds_of(
    folds: Sequence[Judged],
    seed: int = 0,
    replicates: int = REPLICATES,
    others: Mapping[str, Fit] | None = None,
) -> Evaluation:
    """Judge held-out cases: the fused model, each of its modalities, and the paired differences.

    "clinical alone" is a model of that modality by itself; of a model that was only read there is none, and
    "clinical only" is what the model says with the others withheld. Where folds have rivals, these and every
    other subset of modalities are judged too.

    Args:
        folds: One element a fold, none sharing a patient with another.
        seed: Of the bootstrap.
        replicates: Bootstrap samples of patients.
        others: Further methods by name, trained on each fold's training cohort and judged on the same cases;
            none of them is judged where some fold's training cohort is not at hand.
    """
    if folds[0].cohort.task.measurement is not None:
        return _evaluate_measured(folds, seed, replicates)
    judging = judging_of(folds, seed, replicates)
    days, prepare = judging.days, judging.prepare
    predicted = _predicted(folds, days, others or {})
    fused = predicted[FUSED]
    prepared = {name: prepare(incidence, None) for name, incidence in predicted.items()}
    members = {name: found.bootstrap(replicates, seed) for name, found in prepared.items() if name != FUSED}
    cohort = Cohort(folds[0].cohort.task, tuple(case for fold in folds for case in fold.cohort.cases))
    target = joined_target(folds)
    groups = cohort_groups(cohort)
    result = EvaluationResult(
        task=cohort.task.name,
        n=len(cohort),
        patients=len(set(cohort.patients)),
        events=_counts(cohort.task, target),
        unknown=_unknown(target),
        exclusions=dict(folds[0].cohort.exclusions),
        protocol=judging.protocol,
        result=prepared[FUSED].bootstrap(replicates, seed),
        calibration=prepared[FUSED].calibration,
        decisions=prepared[FUSED].decisions,
        tests=prepared[FUSED].tests,
        subgroups=evaluate_subgroups(
            groups,
            target.happened[:, : target.answered.shape[1]],
            target.answered,
            lambda rows: prepare(fused, rows).bootstrap(min(replicates, 300), seed),
        ),
        members=members,
        comparisons=_differences(prepared, target, seed, replicates),
        lower_bounds=judge_bounds(folds, groups, seed, replicates),
        class_sets=judge_sets(folds, groups, seed, replicates),
        landmarks=judge_landmarks(
            {name: held_out_parts(folds, incidence, days) for name, incidence in predicted.items()},
            judging.protocol.horizons_days,
            seed,
            replicates,
        ),
    )
    return Evaluation(result, cohort, target, days, np.concatenate(fused), prepared)


def _predicted(folds: Sequence[Judged], days: Floats, others: Mapping[str, Fit]) -> dict[str, list[Floats]]:
    """(n, K, T) incidence by fold of every method: the fused model, each modality, the others, the rivals.

    The others are passed over where some fold's training cohort is not at hand: they cannot be trained.
    """
    predicted = {FUSED: [fold.model.incidence_of(fold.inputs, days) for fold in folds]}
    names = folds[0].model.modalities
    if len(names) > 1:
        how = "only" if folds[0].singles is None else "alone"
        for name in names:
            predicted[f"{name} {how}"] = [
                fold.model.incidence_at(fold.log_hazard_from(name), days) for fold in folds
            ]
    for name, fit in others.items():
        if all(fold.training is not None for fold in folds):
            predicted[name] = [
                fit(fold.training).cumulative_incidence(fold.cohort.cases, days)
                for fold in folds
                if fold.training is not None
            ]
    if folds[0].rivals is not None:
        predicted |= rival_incidence(folds, days)
    return predicted


def _evaluate_measured(folds: Sequence[Judged], seed: int, replicates: int) -> Evaluation:
    result, prepared = evaluate_measured(folds, seed, replicates)
    cohort = Cohort(folds[0].cohort.task, tuple(case for fold in folds for case in fold.cohort.cases))
    no_days, no_incidence = np.zeros(0), np.zeros((len(cohort), 1, 0))
    return Evaluation(result, cohort, joined_target(folds), no_days, no_incidence, prepared)


def _counts(task: Task, target: Target) -> dict[str, int]:
    """Events of each cause; cases of each class, the reference first; cases in which a finding is present."""
    counts = dict(zip(target.causes, target.happened.sum(axis=0).tolist(), strict=True))
    if target.survival or target.marks is not None:
        return counts
    return {reference_class(task): int((target.cause == 0).sum()), **counts}


def _unknown(target: Target) -> dict[str, int]:
    """Cases in which each finding is not known; empty for causes and classes."""
    if target.marks is None:
        return {}
    return dict(zip(target.causes, (~target.answered).sum(axis=0).tolist(), strict=True))


def _differences(
    prepared: Mapping[str, PreparedMetrics], target: Target, seed: int, replicates: int
) -> tuple[Comparison, ...]:
    findings = () if target.marks is None else target.causes
    compared = (*COMPARED, *(f"{kind}:{name}" for name in findings for kind in ("auroc", "brier")))
    return tuple(
        difference
        for name, found in prepared.items()
        if name != FUSED
        for difference in compare(FUSED, name, prepared[FUSED], found, compared, seed, replicates)
    )


__all__ = [
    "Evaluation",
    "Judged",
    "evaluate_folds_of",
    "held_out_fold",
]
