"""`prognosis evaluate --explanations`: what the checks of a model's evidence maps say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from rich.table import Table

from prognosis.cli.console import print_json, stderr, stdout
from prognosis.cohort import Cohort
from prognosis.evaluation.explanations import Explanations, judge_explanations
from prognosis.fusion import FusionModel
from prognosis.survival.bootstrap import Interval


def report_explanations(
    model: FusionModel, cohort: Cohort, replicates: int, seed: int, *, json_output: bool
) -> None:
    """Judge the maps of the held-out cases and print what was found."""
    found = judge_explanations(model, cohort.cases, replicates=replicates, seed=seed)
    if json_output:
        print_json({"model_id": model.model_id, **asdict(found)})
        return
    title = f"maps of the evidence for {found.cause}, {found.films} films of as many held-out patients"
    table = Table("", "value (95% interval)", "by chance", title=title)
    for name, interval, chance in rows(found):
        table.add_row(name, f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})", chance)
    stdout.print(table)
    if found.randomised:
        verdict = "passes" if found.randomised[-1].changed else "FAILS"
        stdout.print(f"model-randomisation check: {verdict}", highlight=False)
    stdout.print(
        f"additivity: maps, tokens and evidence differ by at most {found.map_additivity_error:.1e}, "
        f"base + attributions and log-hazard by {found.answer_additivity_error:.1e}",
        highlight=False,
    )
    for name, reason in found.left_out.items():
        stderr.print(f"{name}: not given, {reason}", markup=False, highlight=False)


def rows(found: Explanations) -> Iterator[tuple[str, Interval, str]]:
    """Name, value and what chance reaches, line by line."""
    marked = found.marked
    if marked is not None:
        what = f"({', '.join(found.structures)}; {marked.images} films)"
        points, inside = marked.points_by_chance, marked.inside_by_chance
        yield f"map's maximum within a cell of what is marked {what}", marked.points, f"{points.value:.3f}"
        yield "overlap at the marked area (IoU)", marked.overlap, ""
        yield "positive evidence inside what is marked", marked.inside, f"{inside.value:.3f}"
    for order in found.advantages:
        yield f"deletion, map better than {order.other} by", order.deletion, "0"
        yield f"insertion, map better than {order.other} by", order.insertion, "0"
    for stage in found.randomised:
        yield f"rank correlation of maps, new {stage.stage}", stage.correlation, ""
        yield "  its absolute value", stage.size, ""
