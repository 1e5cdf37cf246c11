"""The model card: README.md of a model folder, and the same passages for a report.

What was not done is said as plainly as what was ("not done: why"), because a reader takes silence for a yes.
Headings follow Mitchell et al., Model Cards for Model Reporting (FAT* 2019), section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prognosis.outputs.estimate import Count, with_interval
from prognosis.outputs.report_content import CohortTable, Measure, Passage, SubgroupTable

NOT_STATED = "Not stated. A model without a stated use has none."
DISCLAIMER = (
    "This is research software. It is not a medical device, and nobody has approved it for use in care."
)


@dataclass(frozen=True, slots=True)
class NotDone:
    """Something a reader may expect that was not done, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, what it was made from, how well it did, and for what it must not be used.

    Attributes:
        name: "cxr_intensive_care-1f2e3d".
        question: The task's question.
        evidence: Whether the patients it learnt from were simulated or real.
        intended_use: For what and for whom; "" when the task does not say.
        not_intended: For what it must not be used.
        causes: What it predicts.
        modalities: What it reads.
        method: How it works, a paragraph each.
        cohort: Whom it was trained on.
        judged_on: How it was judged: "5 folds by patient"; "" when it was not.
        measures: What that gave.
        subgroups: The same by group.
        arms: What it says of the arms of a treatment, a paragraph each; none where it compares none.
        limits: What a reader could wrongly conclude.
        not_done: What was left out, with the reason.
        command: What makes the model again.
    """

    name: str
    question: str
    evidence: Literal["simulation", "real"]
    intended_use: str
    not_intended: tuple[str, ...]
    causes: tuple[str, ...]
    modalities: tuple[str, ...]
    method: tuple[str, ...]
    cohort: CohortTable
    judged_on: str = ""
    measures: tuple[Measure, ...] = ()
    subgroups: tuple[SubgroupTable, ...] = ()
    arms: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    not_done: tuple[NotDone, ...] = ()
    command: str = ""


def model_card(card: ModelCard) -> str:
    """The card as Markdown, with the metadata block that model hubs read.

    What was given is escaped, so that a name from a hospital's file cannot become markup.
    """
    lines = [
        "---",
        "license: apache-2.0",
        "library_name: prognosis",
        "tags:",
        "- prognosis",
        "- medical",
        "---",
        "",
    ]
    lines += [f"# {_inline(card.name)}", "", f"{_inline(card.question)}", "", f"> **{_banner(card)}**", ""]
    for passage in card_passages(card):
        lines += [f"## {passage.heading}", ""]
        lines += [line for paragraph in passage.paragraphs for line in (_inline(paragraph), "")]
        if passage.heading == "Trained on":
            lines += _cohort(card.cohort)
        if passage.heading == "Performance":
            lines += _performance(card)
    if card.command:
        lines += ["## Made by", "", *(f"    {line}" for line in card.command.splitlines()), ""]
    return "\n".join(lines).rstrip() + "\n"


def card_passages(card: ModelCard) -> tuple[Passage, ...]:
    """The card's words, without its tables: what a report prints under its own tables."""
    if card.judged_on:
        judged = f"Judged on {card.judged_on}. Intervals are from a bootstrap over patients."
    else:
        judged = (
            "Not done: the model was not judged when it was made. Run `prognosis evaluate` before any use."
        )
    subgroups = (
        () if card.subgroups else ("Subgroups: not done. How performance differs between people is unknown.",)
    )
    return (
        Passage("Intended use", (card.intended_use or NOT_STATED, DISCLAIMER)),
        Passage(
            "Not intended for", card.not_intended or ("Not stated. Do not decide about a patient with it.",)
        ),
        Passage(
            "What it does",
            (f"Predicts {_listed(card.causes)} from {_listed(card.modalities)}.", *card.method),
        ),
        Passage("Trained on", (f"{card.cohort.patients:,} patients, {card.cohort.cases:,} cases.",)),
        Passage("Performance", (judged, *subgroups)),
        *((Passage("Arms compared", card.arms),) if card.arms else ()),
        Passage(
            "Limits", card.limits or ("None were written down, which does not mean that there are none.",)
        ),
        *(
            (Passage("Not done", tuple(f"{n.what}: not done: {n.why}" for n in card.not_done)),)
            if card.not_done
            else ()
        ),
    )


def _banner(card: ModelCard) -> str:
    if card.evidence == "simulation":
        return "Trained on simulated patients. A test of the software, not clinical evidence."
    return "Trained on real patients, retrospectively. Not validated for care."


def _cohort(cohort: CohortTable) -> list[str]:
    groups: tuple[tuple[str, tuple[Count, ...]], ...] = (
        ("outcome", (*cohort.events, *((Count("censored", cohort.censored),) if cohort.censored else ()))),
        ("site", cohort.sites),
        ("has", cohort.modalities),
        ("left out", cohort.exclusions),
        ("could not be read", cohort.quarantined),
    )
    rows = [(group, count.name, f"{count.count:,}") for group, counts in groups for count in counts]
    return _table(("", "", "count"), rows)


def _performance(card: ModelCard) -> list[str]:
    lines: list[str] = []
    if card.measures:
        rows = [(m.name, with_interval(m.estimate), m.better, m.meaning) for m in card.measures]
        lines += _table(("measure", "value (interval)", "good is", "meaning"), rows)
    for table in card.subgroups:
        lines += [f"### {_inline(table.measure)}", ""]
        groups = [
            (
                f"{row.attribute}: {row.level}",
                f"{row.cases:,}",
                f"{row.events:,}",
                with_interval(row.estimate) if row.estimate else "insufficient",
            )
            for row in table.rows
        ]
        lines += _table(("subgroup", "cases", "events", "value (interval)"), groups)
    return lines


def _table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    rule = "|" + "--|" * len(heading)
    return [_row(heading), rule, *(_row(row) for row in rows), ""]


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_inline(cell).replace("|", "\\|") for cell in cells) + " |"


def _inline(text: str) -> str:
    """Text on one line that Markdown shows as it is: no tags, no links."""
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return flat.replace("[", "\\[").replace("]", "\\]")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(name.replace("_", " ") for name in names) or "nothing"
