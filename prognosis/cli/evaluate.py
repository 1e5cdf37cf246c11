"""`prognosis evaluate`: a model judged on patients that did not train it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from prognosis.cli.console import Bars, print_json, stderr, stdout
from prognosis.cli.loading import load_cohort
from prognosis.cohort import Cohort
from prognosis.errors import CohortError
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.judging import (
    Evaluation,
    cross_validated_folds,
    evaluate_folds_of,
    held_out_fold,
    left_out_sites,
)
from prognosis.evaluation.view_shortcut import ViewShortcut
from prognosis.fusion import FusionModel, load_model
from prognosis.survival.bootstrap import Interval


def run_evaluate(
    folder: Path,
    sources: Sequence[str],
    folds: int,
    replicates: int,
    seed: int,
    *,
    cv: bool,
    by_site: bool,
    json_output: bool,
) -> None:
    """Judge straight, by cross-validation, or site by site; print the result."""
    model = load_model(folder)
    cohort = load_cohort(sources, model.task).cohort
    if by_site:
        report_sites(judge_sites(cohort, model, seed, replicates), json_output=json_output)
        return
    evaluation = (
        judge_cv(cohort, model, folds, seed, replicates) if cv else judge(cohort, model, seed, replicates)
    )
    if json_output:
        print_json({"model_id": model.model_id, "cross_validated": cv, **evaluation.result.to_json()})
    else:
        print_evaluation(
            evaluation, f"{folds}-fold cross-validation by patient" if cv else "held-out patients"
        )


def judge(cohort: Cohort, model: FusionModel, seed: int, replicates: int) -> Evaluation:
    """Judge on the cases whose patients did not train the model; the others are left out and counted."""
    new = cohort.where(lambda case: not model.was_trained_on(case))
    if not new.cases:
        raise CohortError(
            f"evaluation of {model.model_id}",
            f"all {len(cohort)} cases are of patients that trained the model",
            "evaluate on other patients, or retrain on folds with --cv",
        )
    tests = new.where(lambda case: case.part == "test")
    if tests.cases:
        new = tests
    if len(new) < len(cohort):
        stderr.print(
            f"judged on {len(new)} of {len(cohort)} cases: the others are not held out from this model"
        )
    return evaluate_folds_of([held_out_fold(model, new)], seed, replicates)


def judge_cv(cohort: Cohort, model: FusionModel, folds: int, seed: int, replicates: int) -> Evaluation:
    """Retrain with the model's own settings on folds of patients and judge what each fold had not seen."""
    with Bars() as bars:
        judged = cross_validated_folds(cohort, model.config, folds, seed, bars)
    return evaluate_folds_of(judged, seed, replicates, shortcuts(cohort))


def judge_sites(
    cohort: Cohort, model: FusionModel, seed: int, replicates: int
) -> dict[str, Evaluation | CohortError]:
    """Retrain without each site in turn and test on it; a site whose others are too few says so."""
    with Bars() as bars:
        judged = left_out_sites(cohort, model.config, bars)
    return {
        site: fold
        if isinstance(fold, CohortError)
        else evaluate_folds_of([fold], seed, replicates, shortcuts(cohort))
        for site, fold in judged.items()
    }


def report_sites(sites: Mapping[str, Evaluation | CohortError], *, json_output: bool) -> None:
    """Print each site's evaluation, or why there is none."""
    if json_output:
        print_json(
            {
                "sites": {
                    site: {"refused": str(found)}
                    if isinstance(found, CohortError)
                    else found.result.to_json()
                    for site, found in sites.items()
                }
            }
        )
        return
    for site, found in sites.items():
        if isinstance(found, CohortError):
            stderr.print(f"{site}: not tested, {found}", markup=False)
        else:
            print_evaluation(found, f"tested on {site}, trained on the other sites")


def shortcuts(cohort: Cohort) -> dict[str, Fit]:
    """Trivial answers that a model must beat: the film's projection, where films are what is asked about."""
    task = cohort.task
    return {"projection alone": ViewShortcut} if task.index.at == "study" and not task.is_survival else {}


def print_evaluation(evaluation: Evaluation, how: str) -> None:
    """Tables of metrics, modalities alone and paired differences."""
    result = evaluation.result
    events = ", ".join(f"{count} {name}" for name, count in result.events.items())
    table = Table(title=f"{result.task}: {how}, {result.n} cases of {result.patients} patients ({events})")
    for name in ("", *result.members, "fused"):
        table.add_column(name, justify="left" if not name else "right")
    for metric in result.result.metrics:
        cells = [_cell(found.metrics.get(metric)) for found in (*result.members.values(), result.result)]
        table.add_row(metric, *cells)
    stdout.print(table)
    differences = Table(title="fused minus the other, paired by patient")
    for name in ("other", "metric", "difference (95% interval)"):
        differences.add_column(name)
    for found in result.comparisons:
        differences.add_row(found.b, found.metric, _cell(found.difference))
    if result.comparisons:
        stdout.print(differences)
    for name, reason in result.result.refused.items():
        stderr.print(f"{name}: not given, {reason}", highlight=False)


def _cell(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.value:.3f} ({interval.low:.3f}, {interval.high:.3f})"
