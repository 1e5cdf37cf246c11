"""`prognosis evaluate --explanations`: what a model's explanations say of a cohort, and whether they hold."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from prognosis.cli.console import print_json, stderr, stdout
from prognosis.cohort import Cohort
from prognosis.errors import CohortError, InputError
from prognosis.evaluation.explanations import Explanations, judge_explanations
from prognosis.evaluation.token_checks import TokenChecks, judge_tokens
from prognosis.explanation import CohortExplanation, explain_cohort
from prognosis.fusion import FusionModel
from prognosis.outputs.estimate import Estimate
from prognosis.outputs.explanation_page import ExplanationPage, write_explanation_page
from prognosis.outputs.report_content import Measure
from prognosis.survival.bootstrap import Interval

MOST_PRINTED = 12


def report_explanations(
    model: FusionModel,
    cohort: Cohort,
    replicates: int,
    seed: int,
    *,
    beside: Sequence[FusionModel] = (),
    report: Path | None = None,
    json_output: bool,
) -> None:
    """Explain the held-out cases, check the explanations and print what was found, or draw it."""
    other = [each.model_id for each in beside if each.task.causes != model.task.causes]
    if other:
        raise InputError(f"--beside {other[0]}", "answers another task", "name models of the same task")
    explained = explain_cohort(model, cohort.cases)
    tokens = judge_tokens(model, cohort.cases, beside, replicates=replicates, seed=seed)
    maps: Explanations | None = None
    try:
        maps = judge_explanations(model, cohort.cases, replicates=replicates, seed=seed)
    except (InputError, CohortError) as error:
        stderr.print(f"maps of films: not judged, {error.problem}", markup=False, highlight=False)
    if report is not None:
        write_explanation_page(report, explanation_page(model, explained, tokens, maps))
        stderr.print(f"wrote {report}", markup=False)
    if json_output:
        print_json(
            {
                "model_id": model.model_id,
                "cohort": cohort_json(explained),
                "tokens": asdict(tokens),
                "maps": None if maps is None else asdict(maps),
            }
        )
        return
    stdout.print(cohort_table(explained))
    _print_rows(f"explanations of {tokens.cause}, {tokens.cases} held-out patients", token_rows(tokens))
    for statement in statements(tokens, maps):
        stdout.print(statement, highlight=False, markup=False)
    if maps is not None:
        title = f"maps of the evidence for {maps.cause}, {maps.films} films of as many held-out patients"
        _print_rows(title, map_rows(maps))
        for name, reason in maps.left_out.items():
            stderr.print(f"{name}: not given, {reason}", markup=False, highlight=False)


def cohort_json(explained: CohortExplanation) -> dict[str, Any]:
    """What matters to the cohort, as plain JSON."""
    sizes = explained.importance()
    return {
        "cases": len(explained),
        "scale": explained.scale,
        "concepts": [
            {"modality": modality, "name": name, "mean_size": float(size)}
            for (modality, name), size in zip(explained.concepts, sizes, strict=True)
        ],
        "modalities": list(explained.modalities),
        "time_bins_days": explained.edges.tolist(),
        "share_by_time": explained.shares_over_time().tolist(),
        "share_by_age": explained.shares_by_age().tolist(),
        "max_additivity_error": explained.max_additivity_error,
    }


def cohort_table(explained: CohortExplanation) -> Table:
    """The concepts of largest mean size."""
    table = Table(title=f"what drives {explained.cause} in {len(explained)} held-out cases")
    for name in ("concept", "modality", "mean size", "lowest", "highest"):
        table.add_column(name, justify="left" if name in {"concept", "modality"} else "right")
    shown = zip(explained.concepts, explained.importance(), explained.values.T, strict=True)
    for (modality, name), size, values in list(shown)[:MOST_PRINTED]:
        table.add_row(name, modality, f"{size:.3f}", f"{values.min():+.2f}", f"{values.max():+.2f}")
    return table


def explanation_page(
    model: FusionModel, explained: CohortExplanation, tokens: TokenChecks, maps: Explanations | None
) -> ExplanationPage:
    """The page of the same."""
    rows = [*token_rows(tokens), *(map_rows(maps) if maps is not None else ())]
    return ExplanationPage(
        question=model.task.question,
        statement=(
            f"{len(explained)} cases of patients that did not train the model. Values are exact on the "
            "log-hazard (log-odds): base + values and answer differ by at most "
            f"{explained.max_additivity_error:.1e}."
        ),
        explained=explained,
        measures=tuple(
            Measure(
                name.strip(),
                Estimate(interval.value, interval.low, interval.high),
                "nearer 0" if "read-outs" in name or "layers" in name or "absolute" in name else "higher",
                f"by chance {chance}" if chance else "",
            )
            for name, interval, chance in rows
        ),
        statements=tuple(statements(tokens, maps)),
        model_id=model.model_id,
        created=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        command=shlex.join(["prognosis", *sys.argv[1:]]),
    )


def token_rows(found: TokenChecks) -> Iterator[tuple[str, Interval, str]]:
    """Name, value and what chance reaches, line by line."""
    yield "deletion of tokens, attributions better than random by", found.by_random.deletion, "0"
    yield "insertion of tokens, attributions better than random by", found.by_random.insertion, "0"
    for stage in found.randomised:
        yield f"rank correlation of values, new {stage.stage}", stage.correlation, ""
        yield "  its absolute value", stage.size, ""
    for name, alike in found.stability.items():
        yield f"rank correlation of values, model {name}", alike, "0"


def map_rows(found: Explanations) -> Iterator[tuple[str, Interval, str]]:
    """The same of the maps of films."""
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


def statements(tokens: TokenChecks, maps: Explanations | None) -> Iterator[str]:
    """What passes and what does not, in sentences."""
    yield (
        f"additivity: base + attributions and log-hazard differ by at most {tokens.additivity_error:.1e}, "
        f"and probability by {tokens.probability_additivity_error:.1e}; there the largest standard error of "
        f"a value is {tokens.probability_standard_error:.2%} of |total - base|"
    )
    for modality, counts in tokens.citations.items():
        told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        yield f"citations of {modality}: {told}"
    for stage in tokens.randomised:
        yield f"model-randomisation check, {stage.stage}: {'passes' if stage.changed else 'FAILS'}"
    if maps is not None:
        if maps.randomised:
            verdict = "passes" if maps.randomised[-1].changed else "FAILS"
            yield f"model-randomisation check of maps: {verdict}"
        yield (
            f"additivity: maps, tokens and evidence differ by at most {maps.map_additivity_error:.1e}, "
            f"base + attributions and log-hazard by {maps.answer_additivity_error:.1e}"
        )


def _print_rows(title: str, rows: Iterator[tuple[str, Interval, str]]) -> None:
    table = Table("", "value (95% interval)", "by chance", title=title)
    for name, interval, chance in rows:
        table.add_row(name, f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})", chance)
    stdout.print(table)
