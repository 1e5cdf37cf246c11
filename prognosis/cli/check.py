"""`prognosis cohort check`: the leakage lint as a table or as JSON, and whether it passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from prognosis.cli.console import Bars, print_json, stderr, stdout
from prognosis.cli.loading import cohort_json, load_cohort
from prognosis.cohort import Cohort, Task
from prognosis.cohort.lint import KINDS, Finding, lint_cohort
from prognosis.cohort.lint.controls import Discrimination, permutation_control
from prognosis.errors import CohortError

COLOURS = {"fails": "red", "warns": "yellow", "accepted": "green"}
FOLDS = 5
REPLICATES = 300
INTERVAL_TO_ERROR = 1.0 / (2.0 * 1.959964)  # of a 95% interval's width


def run_check(task_path: Path, sources: Sequence[str], *, controls: bool, json_output: bool) -> None:
    """Print what looks like leakage or damage; exit 1 when a finding fails."""
    loaded = load_cohort(sources, Task.load(task_path))
    with Bars() as bars:
        found = lint_cohort(loaded.cohort, records=loaded.records, now=datetime.now(UTC), on_progress=bars)
    findings = (*found, *(permuted_labels(loaded.cohort) if controls else ()))
    counts = Counter(finding.level for finding in findings)
    if json_output:
        print_json(
            {
                "counts": {level: counts[level] for level in COLOURS},
                "findings": [finding.to_json() for finding in findings],
                "cohort": cohort_json(loaded),
            }
        )
    if findings:
        (stderr if json_output else stdout).print(findings_table(findings, loaded.cohort.task.name))
        tell_remedies(findings)
    if not counts["fails"]:
        stderr.print("no sign of leakage found" + (f" ({summary(counts)})" if findings else ""))
        return
    stderr.print(summary(counts), highlight=False)
    raise SystemExit(1)


def findings_table(findings: Sequence[Finding], task: str) -> Table:
    """The findings, those that fail first."""
    table = Table(title=f"check of {task}")
    for name in ("", "kind", "subject", "what", "of"):
        table.add_column(name, justify="right" if name == "of" else "left")
    for finding in sorted(findings, key=lambda f: list(COLOURS).index(f.level)):
        because = f" (accepted: {finding.accepted})" if finding.accepted else ""
        table.add_row(
            f"[{COLOURS[finding.level]}]{finding.level}[/]",
            finding.kind,
            escape(finding.subject),
            escape(finding.problem + because),
            f"{finding.numerator}/{finding.denominator}",
        )
    return table


def tell_remedies(findings: Sequence[Finding]) -> None:
    """What to do, once for each kind that is not accepted."""
    for kind in dict.fromkeys(finding.kind for finding in findings if not finding.accepted):
        stderr.print(f"{kind}: {KINDS[kind].remedy}", markup=False, highlight=False)


def summary(counts: Counter[str]) -> str:
    """How many findings of each level there are."""
    return f"{counts['fails']} fail, {counts['warns']} warn, {counts['accepted']} accepted by the task"


def permuted_labels(cohort: Cohort) -> tuple[Finding, ...]:
    """The permuted-label control with the model that `train` would make; refusals are told."""
    try:
        return tuple(permutation_control(cohort, cross_validated))
    except CohortError as error:
        stderr.print(f"permuted labels: not done, {error}", markup=False, highlight=False)
        return ()


def cross_validated(cohort: Cohort) -> Discrimination:
    """How well the task's own model orders cases that it was not trained on, in folds of patients."""
    from prognosis.cli.settings import model_config
    from prognosis.evaluation.judging import evaluate_folds_of
    from prognosis.evaluation.retraining import cross_validated_folds

    if cohort.task.measurement is not None:
        raise CohortError("permuted labels", "orders events and classes, no values", "leave out --controls")
    config = model_config(None, (), cohort.task)
    with Bars() as bars:
        folds = cross_validated_folds(cohort, config, FOLDS, config.seed, bars)
    metrics = evaluate_folds_of(folds, config.seed, REPLICATES).result.result.metrics
    measure = "harrell_c" if cohort.task.is_survival else "auroc"
    interval = metrics.get(measure)
    if interval is None:
        raise CohortError("permuted labels", f"{measure} cannot be given", "use a cohort with more events")
    error = (interval.high - interval.low) * INTERVAL_TO_ERROR
    return Discrimination(measure, interval.value, error)
