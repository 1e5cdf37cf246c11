"""A card on a page says what it said, and what stood in a record stays text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prognosis.outputs.cds_card import escaped
from prognosis.outputs.cds_page import Line, detail_lines, render_cards

CARD = {"summary": "progression 38% by 2 years", "indicator": "info", "source": {"label": "prognosis"}}


@given(st.text(min_size=1))
def test_what_a_record_says_is_shown_as_it_was_and_is_never_strong(text: str) -> None:
    shown = detail_lines(f"**What is the risk?**\n\n- missing: {escaped(text)}\n")
    plain = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    assert shown[0] == Line(False, ("", "What is the risk?", ""))
    assert shown[1:] == [Line(True, (f"missing: {plain}".rstrip(),))]


def test_markup_in_a_card_does_not_reach_the_page() -> None:
    page = render_cards([{**CARD, "detail": "- <script>alert(1)</script>\n**old**"}], "p<1>")
    assert "<script>" not in page
    assert "<strong>old</strong>" in page
    assert "p&lt;1&gt;" in page


def test_no_card_is_said_to_be_none() -> None:
    assert "The service gave no card." in render_cards([], "p1")
