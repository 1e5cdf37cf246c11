"""`prognosis evaluate`: a model judged on patients that did not train it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from prognosis.cli.console import Bars, print_json, stderr
from prognosis.cli.evaluation_report import evaluation_report
from prognosis.cli.evaluation_tables import print_evaluation
from prognosis.cli.explanations import report_explanations
from prognosis.cli.loading import Loaded, load_cohort
from prognosis.cli.masks import How, evaluate_masks_of
from prognosis.cohort import Cohort
from prognosis.cohort.outcome import Findings
from prognosis.errors import CohortError, InputError
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.judging import (
    Evaluation,
    Judged,
    evaluate_folds_of,
    held_out_fold,
)
from prognosis.evaluation.measured import OTHER_UNIT, without_other_units
from prognosis.evaluation.prevalence import Prevalence
from prognosis.evaluation.retraining import cross_validated_folds, left_out_sites
from prognosis.evaluation.view_shortcut import ViewShortcut
from prognosis.evidence.segmentation.storage import holds_segmentation
from prognosis.fusion import FusionModel, load_model
from prognosis.outputs.report import write_report


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
    _refuse_report(folder, report, cv=cv, by_site=by_site)
    if holds_segmentation(folder):
        asked: How = "cv" if cv else "by site" if by_site else "unseen"
        evaluate_masks_of(folder, sources, asked, folds, replicates, seed, json_output=json_output)
        return
    model = load_model(folder, cache)
    if model.task.measurement is not None and (rivals or explanations):
        raise InputError("--rivals and --explanations", "judge probabilities, no values", "leave them out")
    loaded = _load_judged(sources, model)
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
        _draw(report, loaded, evaluation, judged, how)
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


def _refuse_report(folder: Path, report: Path | None, *, cv: bool, by_site: bool) -> None:
    """Refuse to draw what is printed only.

    Raises:
        InputError: Sites are asked for with folds or a report, or a report of a segmentation model.
    """
    if by_site and (cv or report is not None):
        raise InputError("--by-site", "is judged apart, and printed only", "leave out --cv and --report")
    if report is not None and holds_segmentation(folder):
        raise InputError("--report", "is drawn for prognoses only", "use --json for a segmentation model")


def _load_judged(sources: Sequence[str], model: FusionModel) -> Loaded:
    """What the sources hold of the model's task, and on stderr how many cases no baseline could read."""
    loaded = load_cohort(sources, model.task)
    kept = without_other_units(loaded.cohort)
    if len(kept) < len(loaded.cohort):
        stderr.print(f"{len(loaded.cohort) - len(kept)} cases left out: {OTHER_UNIT}", markup=False)
    return replace(loaded, cohort=kept)


def _draw(report: Path, loaded: Loaded, evaluation: Evaluation, judged: Sequence[Judged], how: str) -> None:
    command = shlex.join(["prognosis", *sys.argv[1:]])
    created = datetime.now(tz=UTC).isoformat(timespec="seconds")
    write_report(report, evaluation_report(loaded, evaluation, judged, how, command, created))
    stderr.print(f"wrote {report}", markup=False)


def unseen(cohort: Cohort, model: FusionModel) -> Judged:
    """What the model says of the cases that it has not seen, beside its training cases where all are at hand.

    Without them censoring is learnt from the judged cases, and the shortcuts, named on stderr, are left out.

    Raises:
        CohortError: Every patient trained the model.
    """
    training = training_cases(cohort, model)
    if training is None and (left_out := shortcuts(cohort)):
        stderr.print(
            f"{', '.join(left_out)}: not judged, for want of the training cohort; give --cv or --by-site"
        )
    return held_out_fold(model, unseen_cases(cohort, model), training)


def training_cases(cohort: Cohort, model: FusionModel) -> Cohort | None:
    """The cases whose patients trained the model; None where the cohort lacks some of these patients."""
    known = cohort.where(model.was_trained_on)
    found = len(set(known.patients))
    return known if found and found == len(model.training.patients) else None


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
