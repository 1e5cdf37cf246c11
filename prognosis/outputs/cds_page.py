"""CDS Hooks cards as an HTML page, about as an EHR shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prognosis.outputs.page import environment, style

_MARK = re.compile(r"\\(.)|(\*\*)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a card's detail.

    Attributes:
        item: Whether it is one of a list.
        parts: Its text in turns, the second, fourth and so on strong.
    """

    item: bool
    parts: tuple[str, ...]


def render_cards(cards: Sequence[Mapping[str, Any]], patient: str) -> str:
    """A page with the cards of one answer; everything that was given is escaped.

    Args:
        cards: As a CDS Hooks service gives them.
        patient: Whose chart is open.
    """
    views = [{**card, "lines": detail_lines(str(card.get("detail", "")))} for card in cards]
    made = environment().get_template("cards.html.j2")
    return made.render(title=f"Cards for patient {patient}", style=style(), cards=views, patient=patient)


def detail_lines(detail: str) -> list[Line]:
    """The lines of a detail as `cds_card.detail` writes it: lists, strong words, escaped marks.

    Other markup is left as text: a card of ours has none, and another's should not be given any meaning here.
    """
    stripped = (line.strip() for line in detail.splitlines())
    return [Line(line.startswith("- "), _parts(line.removeprefix("- "))) for line in stripped if line]


def _parts(text: str) -> tuple[str, ...]:
    parts, last = [""], 0
    for mark in _MARK.finditer(text):
        parts[-1] += text[last : mark.start()] + (mark[1] or "")
        last = mark.end()
        if mark[2]:
            parts.append("")
    parts[-1] += text[last:]
    return tuple(parts)
