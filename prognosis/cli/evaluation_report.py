"""The report of `prognosis evaluate --report`: a real cohort's judgement and one patient's page."""

from __future__ import annotations

from collections.abc import Sequence

from prognosis.cli.cards import NOT_INTENDED, evidence_of, leading_metric, limits_of
from prognosis.cli.cohort_report import (
    calibrations,
    cohort_table,
    coverage_tables,
    leaderboard,
    measures,
    protocol_statement,
    risk_groups,
    subgroup_tables,
)
from prognosis.cli.landmark_report import landmark_curves
from prognosis.cli.loading import Loaded
from prognosis.cli.patient_report import outcome_of, patient_page
from prognosis.evaluation.judging import Evaluation, Judged
from prognosis.outputs.patient_page import PatientPage
from prognosis.outputs.report_content import Report

BOARDS = {"harrell_c": "Harrell's C", "auroc": "AUROC", "mae": "mean absolute error"}


def evaluation_report(
    loaded: Loaded, evaluation: Evaluation, folds: Sequence[Judged], how: str, command: str, created: str
) -> Report:
    """A judged cohort, ready to be drawn.

    Args:
        loaded: The cohort and what could not be read.
        evaluation: How the model did.
        folds: The models and the cases that each had not seen.
        how: The protocol in words: "5-fold cross-validation by patient".
        command: What makes the report again.
        created: ISO 8601.
    """
    result, task = evaluation.result, loaded.cohort.task
    metric = leading_metric(task)
    boards = [leaderboard(result, metric, BOARDS[metric])]
    if folds[0].rivals is not None:
        error = ("ibs", "integrated Brier score") if task.is_survival else ("brier", "Brier score")
        boards.append(leaderboard(result, *error))
    return Report(
        title=task.name.replace("_", " "),
        question=task.question,
        evidence=evidence_of(task),
        evidence_statement=(
            f"{how}: {result.n} cases of {result.patients} patients. {protocol_statement(result.protocol)}"
        ),
        model_id=folds[0].model.model_id or f"retrained on each fold ({task.name})",
        created=created,
        command=command,
        cohort=cohort_table(loaded.cohort, loaded.quarantine, evaluation.cohort),
        measures=measures(result),
        leaderboards=tuple(board for board in boards if board is not None),
        calibrations=calibrations(result),
        risk_groups=risk_groups(evaluation),
        landmarks=landmark_curves(result, task),
        subgroups=(*subgroup_tables(result, metric), *coverage_tables(result)),
        patients=(_most_told(folds),),
        intended_use=task.intended_use,
        not_intended=NOT_INTENDED,
        limits=limits_of(task),
    )


def _most_told(folds: Sequence[Judged]) -> PatientPage:
    """The page of the held-out case with most modalities and, among those, of highest predicted risk."""

    def rank(place: tuple[int, int]) -> tuple[int, float]:
        fold, row = folds[place[0]], place[1]
        risk = fold.model.head.log_hazard(fold.inputs)[row, 0].mean()
        return int(fold.inputs.present[row].sum()), float(risk)

    places = [(number, row) for number, fold in enumerate(folds) for row in range(len(fold.cohort))]
    number, row = max(places, key=rank)
    fold, case = folds[number], folds[number].cohort.cases[row]
    return patient_page(fold.model, case, outcome_of(case))
