"""A score as a CDS Hooks 2.0 card: what an EHR shows in a chart, in a line and a few more.

https://cds-hooks.hl7.org/2.0/#card-attributes. A card never says what to do, and is never critical: how
urgent a patient is, is not a model's to say.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from prognosis.outputs.estimate import Estimate, as_percent, in_days

LONGEST_SUMMARY = 139
"""CDS Hooks 2.0: a summary has less than 140 characters."""

LONGEST_LABEL = 80
_CARDS = uuid.UUID("6f0a3f0e-8f57-4f3c-9d5e-0d2f7f5f8e11")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CardRisk:
    """One line of a card: a cause by a day."""

    cause: str
    days: float
    risk: Estimate


@dataclass(frozen=True, slots=True)
class CardDriver:
    """What moved the answer most: its name, its value, when it was known, where it stands."""

    name: str
    detail: str
    time: str
    source: str
    contribution: float


@dataclass(frozen=True, slots=True)
class CardScore:
    """What a card tells.

    Attributes:
        label: Of the source: who answers.
        question: That is answered.
        model_id: Which model.
        index_time: Nothing known later was used; for people.
        age: Since the record was last read; for people.
        stale: Whether that is longer than the site allows.
        risks: The headline first; none where there is no number.
        value: Of a task that asks for a value: the value with its unit; "" else.
        abstained_because: Why there is no number; "" where there is one.
        drivers: Strongest first.
        missing: Modalities that were not there, each with why.
        cautions: Reasons to read it with care.
        limits: What it is not.
        warning: Whether the site wants to be warned at such a number.
        smart_app: An app to open; "" for none.
        details_url: Where the model is described; "" for none.
    """

    label: str
    question: str
    model_id: str
    index_time: str
    age: str
    stale: bool
    risks: tuple[CardRisk, ...]
    value: str
    abstained_because: str
    drivers: tuple[CardDriver, ...]
    missing: tuple[str, ...]
    cautions: tuple[str, ...]
    limits: tuple[str, ...]
    warning: bool = False
    smart_app: str = ""
    details_url: str = ""


def card_uuid(service: str, instance: str, score: str) -> str:
    """The same for the same score in the same call of a hook, so that a call made twice makes one card."""
    return str(uuid.uuid5(_CARDS, f"{service}\n{instance}\n{score}"))


def cds_card(told: CardScore, identity: str) -> dict[str, Any]:
    """The card as JSON.

    Args:
        told: What it tells; an abstention gives a card that says so, without a number.
        identity: Its uuid.
    """
    warned = told.warning and not told.abstained_because
    indicator: Literal["info", "warning"] = "warning" if warned else "info"
    card: dict[str, Any] = {
        "uuid": identity,
        "summary": summary(told),
        "detail": detail(told),
        "indicator": indicator,
        "source": {"label": _plain(told.label)[:LONGEST_LABEL]},
    }
    if told.details_url:
        card["source"]["url"] = told.details_url
    if told.smart_app:
        card["links"] = [{"label": "Show what drives it", "url": told.smart_app, "type": "smart"}]
    return card


@dataclass(frozen=True, slots=True)
class CardArms:
    """What a second card tells: what each arm would do, never which to give.

    Attributes:
        label: Of the source: who answers.
        summary: Which arm is better supported, or that none is.
        arms: A sentence each.
        differences: A sentence each.
        notes: Cautions, assumptions, limits.
        read: How old it is and of when: "Known by 2026-03-02; the record was read 2 hours ago."
        model_id: Which model.
    """

    label: str
    summary: str
    arms: tuple[str, ...]
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    read: str
    model_id: str


def arms_card(told: CardArms, identity: str) -> dict[str, Any]:
    """The card as JSON; it has no suggestion, so that nothing can be ordered by accepting it."""
    lines = [f"**{escaped(told.summary)}**", "", *(f"- {escaped(each)}" for each in told.arms), ""]
    lines += [*(f"- {escaped(each)}" for each in told.differences), "", escaped(told.read), ""]
    lines += [*(f"- {escaped(each)}" for each in told.notes), "", f"Model {escaped(told.model_id)}"]
    return {
        "uuid": identity,
        "summary": _cut(told.summary),
        "detail": "\n".join(lines),
        "indicator": "info",
        "source": {"label": _plain(told.label)[:LONGEST_LABEL]},
    }


def plain_card(label: str, text: str, explanation: str, identity: str) -> dict[str, Any]:
    """A card that gives no score and says why.

    Args:
        label: Of the source.
        text: In one line.
        explanation: In some more.
        identity: Its uuid.
    """
    return {
        "uuid": identity,
        "summary": _cut(text),
        "detail": escaped(explanation),
        "indicator": "info",
        "source": {"label": _plain(label)[:LONGEST_LABEL]},
    }


def summary(told: CardScore) -> str:
    """The line that is always shown: the number with its interval and its age, or that there is none."""
    old = "OLD: " if told.stale else ""
    if told.abstained_because:
        return _cut(f"No prognosis is given: {told.abstained_because}")
    if told.value:
        return _cut(f"{old}{told.value}, read {told.age} ago")
    if not told.risks:
        return _cut("No prognosis is given")
    first = told.risks[0]
    number = f" {as_percent(first.risk)} by {in_days(first.days)}, read {told.age} ago"
    return old + _cut(first.cause, LONGEST_SUMMARY - len(old) - len(number)) + number


def detail(told: CardScore) -> str:
    """What is shown when the card is opened, in GitHub Flavored Markdown; nothing in it can be a link."""
    lines = [f"**{escaped(told.question)}**", ""]
    if told.abstained_because:
        lines += [f"No number is given: {escaped(told.abstained_because)}", ""]
    if told.stale:
        lines += [f"**This is old**: the record was last read {told.age} ago.", ""]
    if not told.abstained_because:
        lines += [
            f"- {escaped(each.cause)} by {in_days(each.days)}: {as_percent(each.risk)}" for each in told.risks
        ]
        lines += [f"- {escaped(told.value)}"] if told.value else []
        lines += ["", *_driver_lines(told.drivers)]
    lines += [f"From what was known by {told.index_time}; the record was last read {told.age} ago.", ""]
    lines += [f"- missing: {escaped(each)}" for each in told.missing]
    lines += [f"- caution: {escaped(each)}" for each in told.cautions]
    lines += ["", *(escaped(each) for each in told.limits), "", f"Model {escaped(told.model_id)}"]
    return "\n".join(lines)


def _driver_lines(drivers: Sequence[CardDriver]) -> list[str]:
    if not drivers:
        return []
    lines = ["What moved it most (a driver is not a cause):", ""]
    for each in drivers:
        way = "raises" if each.contribution > 0 else "lowers"
        told = ", ".join(escaped(part) for part in (each.detail, each.time[:10], each.source) if part)
        lines.append(f"- {way}: {escaped(each.name)}" + (f" ({told})" if told else ""))
    return [*lines, ""]


def escaped(text: str) -> str:
    """Text of a record as text: none of it may be read as markup, or open another line."""
    return _MARKDOWN.sub(r"\\\1", _plain(text))


def _plain(text: str) -> str:
    if not text.isprintable():  # asked of the whole first: nearly every text is
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())


def _cut(text: str, longest: int = LONGEST_SUMMARY) -> str:
    """Text of at most so many characters, with an ellipsis where some are gone."""
    told = _plain(text)
    return told if len(told) <= longest else told[: max(0, longest - 1)].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
