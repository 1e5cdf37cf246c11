"""`prognosis evaluate`: a model judged on patients that did not train it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from prognosis.cli.console import Bars, print_json, stderr, stdout
from prognosis.cli.evaluation_report import evaluation_report
from prognosis.cli.explanations import report_explanations
from prognosis.cli.landmark_report import landmark_table
from prognosis.cli.loading import load_cohort
from prognosis.cli.masks import How, evaluate_masks_of
from prognosis.cohort import Cohort
from prognosis.cohort.outcome import Findings
from prognosis.errors import CohortError, InputError
from prognosis.evaluation.bound_coverage import BoundCoverage
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.judging import (
    Evaluation,
    Judged,
    evaluate_folds_of,
    held_out_fold,
)
from prognosis.evaluation.judging_bounds import EVERYONE
from prognosis.evaluation.judging_sets import TRUE_CLASS
from prognosis.evaluation.prevalence import Prevalence
from prognosis.evaluation.results import EvaluationResult
from prognosis.evaluation.retraining import cross_validated_folds, left_out_sites
from prognosis.evaluation.rivals import is_rival
from prognosis.evaluation.set_coverage import SetCoverage
from prognosis.evaluation.view_shortcut import ViewShortcut
from prognosis.evidence.segmentation.storage import holds_segmentation
from prognosis.fusion import FusionModel, load_model
from prognosis.outputs.report import write_report
from prognosis.survival.bootstrap import Interval


def run_evaluate(  # noqa: PLR0913 - one parameter an option
    folder: Path,
    sources: Sequence[str],
    folds: int,
    replicates: int,
    seed: int,
    *,
    cv: bool,
    by_site: bool,
    rivals: bool,
    explanations: bool,
    beside: Sequence[Path],
    report: Path | None,
    cache: Path | None,
    json_output: bool,
) -> None:
    """Judge straight, by cross-validation, or site by site; print the result, or draw it."""
    _refuse_explanations(folder, asked=explanations, beside=bool(beside), retrained=cv or by_site)
    if rivals and (explanations or not (cv or by_site) or holds_segmentation(folder)):
        raise InputError("--rivals", "are trained beside a model on the same folds", "give --cv or --by-site")
    if by_site and (cv or report is not None):
        raise InputError("--by-site", "is judged apart, and printed only", "leave out --cv and --report")
    if holds_segmentation(folder):
        if report is not None:
            raise InputError("--report", "is drawn for prognoses only", "use --json for a segmentation model")
        asked: How = "cv" if cv else "by site" if by_site else "unseen"
        evaluate_masks_of(folder, sources, asked, folds, replicates, seed, json_output=json_output)
        return
    model = load_model(folder, cache)
    if model.task.measurement is not None and (rivals or explanations):
        raise InputError("--rivals and --explanations", "judge probabilities, no values", "leave them out")
    loaded = load_cohort(sources, model.task)
    cohort = loaded.cohort
    if explanations:
        held_out = unseen_cases(cohort, model)
        others = [load_model(other, cache) for other in beside]
        report_explanations(
            model, held_out, replicates, seed, beside=others, report=report, json_output=json_output
        )
        return
    if by_site:
        report_sites(judge_sites(cohort, model, seed, replicates, rivals=rivals), json_output=json_output)
        return
    judged = retrained(cohort, model, folds, seed, rivals=rivals) if cv else [unseen(cohort, model)]
    evaluation = evaluate_folds_of(judged, seed, replicates, shortcuts(cohort))
    how = f"{folds}-fold cross-validation by patient" if cv else "Patients that did not train the model"
    if report is not None:
        command = shlex.join(["prognosis", *sys.argv[1:]])
        created = datetime.now(tz=UTC).isoformat(timespec="seconds")
        write_report(report, evaluation_report(loaded, evaluation, judged, how, command, created))
        stderr.print(f"wrote {report}", markup=False)
    if json_output:
        print_json({"model_id": model.model_id, "cross_validated": cv, **evaluation.result.to_json()})
    else:
        print_evaluation(evaluation, how)


def _refuse_explanations(folder: Path, *, asked: bool, beside: bool, retrained: bool) -> None:
    """Refuse options that do not go with --explanations.

    Raises:
        InputError: They do not.
    """
    if asked and (retrained or holds_segmentation(folder)):
        raise InputError(
            "--explanations", "are judged of one prognosis model", "leave out --cv and --by-site"
        )
    if beside and not asked:
        raise InputError("--beside", "is compared by what it explains", "add --explanations")


def unseen(cohort: Cohort, model: FusionModel) -> Judged:
    """What the model says of the cases that it has not seen.

    Raises:
        CohortError: Every patient trained the model.
    """
    return held_out_fold(model, unseen_cases(cohort, model))


def unseen_cases(cohort: Cohort, model: FusionModel) -> Cohort:
    """The cases whose patients did not train the model; of a source with a test part, only that.

    Raises:
        CohortError: Every patient trained the model.
    """
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
    return new


def retrained(
    cohort: Cohort, model: FusionModel, folds: int, seed: int, *, rivals: bool = False
) -> list[Judged]:
    """Models trained with the model's own settings on folds of patients, each with what it had not seen."""
    with Bars() as bars:
        return cross_validated_folds(cohort, model.config, folds, seed, bars, rivals=rivals)


def judge_sites(
    cohort: Cohort, model: FusionModel, seed: int, replicates: int, *, rivals: bool = False
) -> dict[str, Evaluation | CohortError]:
    """Retrain without each site in turn and test on it; a site whose others are too few says so."""
    with Bars() as bars:
        judged = left_out_sites(cohort, model.config, bars, rivals=rivals)
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
    """Trivial answers that a model must beat.

    For findings how common each is; and the film's projection, where films are what is asked about.
    """
    task = cohort.task
    found: dict[str, Fit] = {"prevalence": Prevalence} if isinstance(task.outcome, Findings) else {}
    if task.index.at == "study" and not task.is_survival and task.measurement is None:
        found["projection alone"] = ViewShortcut
    return found


def print_evaluation(evaluation: Evaluation, how: str) -> None:
    """Tables of the first cause's metrics, modalities alone and paired differences; --json holds the rest.

    Rivals and further subsets of modalities stand among the differences, with what they reach themselves.
    """
    result = evaluation.result
    events = ", ".join(f"{count} {name}" for name, count in result.events.items())
    table = Table(title=f"{result.task}: {how}, {result.n} cases of {result.patients} patients ({events})")
    beside = {name: found for name, found in result.members.items() if not is_rival(name)}
    for name in ("", *beside, "fused"):
        table.add_column(name, justify="left" if not name else "right", min_width=None if name else 11)
    shown = [metric for metric in result.result.metrics if ":" not in metric]
    for metric in shown:
        cells = [_cell(found.metrics.get(metric)) for found in (*beside.values(), result.result)]
        table.add_row(metric.replace("_", " "), *cells)
    stdout.print(table)
    if result.unknown and len(shown) < len(result.result.metrics):
        stdout.print(findings_table(result))
    elif len(shown) < len(result.result.metrics):
        stderr.print(
            f"{len(result.result.metrics) - len(shown)} metrics of other causes: see --json or --report"
        )
    if result.landmarks:
        stdout.print(landmark_table(result, evaluation.cohort.task))
    if result.comparisons:
        stdout.print(differences_table(result))
    if result.lower_bounds:
        stdout.print(coverage_table(result.lower_bounds))
    if result.class_sets:
        stdout.print(sets_table(result.class_sets))
    for name, reason in result.result.refused.items():
        stderr.print(f"{name}: not given, {reason}", markup=False, highlight=False)


def differences_table(result: EvaluationResult) -> Table:
    """The fused model against each other one, with what that one reaches itself."""
    table = Table(title="fused minus the other, paired by patient")
    for name in ("other", "metric", "the other", "difference (95% interval)"):
        table.add_column(name)
    for found in result.comparisons:
        its = result.members[found.b].metrics.get(found.metric)
        table.add_row(found.b, found.metric, _cell(its), _cell(found.difference))
    return table


def findings_table(result: EvaluationResult) -> Table:
    """Each finding's metrics, on the cases in which it is known."""
    known = {name: result.n - unknown for name, unknown in result.unknown.items()}
    table = Table(title="each finding, where it is known")
    for name in ("", *(f"{name} ({result.events[name]} of {count})" for name, count in known.items())):
        table.add_column(name, justify="right" if name else "left")
    metrics = result.result.metrics
    for kind in dict.fromkeys(metric.partition(":")[0] for metric in metrics if ":" in metric):
        table.add_row(kind.replace("_", " "), *(_cell(metrics.get(f"{kind}:{name}")) for name in known))
    return table


def coverage_table(bounds: Sequence[BoundCoverage]) -> Table:
    """Coverage of the lower bounds over everyone; --json and --report hold the groups."""
    table = Table(title="lower bounds on event-free time")
    for name in ("free of", "confidence", "coverage", "mean days", "days from the training curve alone"):
        table.add_column(name, justify="left" if name == "free of" else "right")
    for found in (each for each in bounds if each.group == EVERYONE):
        known = (_cell(found.coverage), f"{found.mean_days:.0f}", f"{found.marginal_days:.0f}")
        table.add_row(found.event, f"{found.level:.0%}", *known)
    return table


def sets_table(sets: Sequence[SetCoverage]) -> Table:
    """Coverage of the sets of classes by true class; --json and --report hold the groups."""
    table = Table(title="sets of classes")
    for name in ("confidence", "true class", "cases", "coverage", "classes in a set", "empty sets"):
        table.add_column(name, justify="left" if name == "true class" else "right")
    for found in (each for each in sets if each.group in (EVERYONE, TRUE_CLASS)):
        known = (found.group_level, str(found.n), _cell(found.coverage))
        table.add_row(f"{found.level:.0%}", *known, f"{found.mean_size:.2f}", f"{found.empty:.0%}")
    return table


def _cell(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.value:.3f} ({interval.low:.3f}, {interval.high:.3f})"
