"""An evaluation on a terminal: metrics, paired differences, lower bounds and sets of classes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from prognosis.cli.console import stderr, stdout
from prognosis.cli.landmark_report import landmark_table
from prognosis.evaluation.bound_coverage import BoundCoverage
from prognosis.evaluation.judging import Evaluation
from prognosis.evaluation.judging_bounds import EVERYONE
from prognosis.evaluation.judging_sets import TRUE_CLASS
from prognosis.evaluation.results import EvaluationResult
from prognosis.evaluation.rivals import is_rival
from prognosis.evaluation.set_coverage import SetCoverage
from prognosis.survival.bootstrap import Interval


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
