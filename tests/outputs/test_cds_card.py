"""A card says what it may say, in the form that CDS Hooks 2.0 asks for."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognosis.outputs.cds_card import (
    CardArms,
    CardDriver,
    CardRisk,
    CardScore,
    arms_card,
    card_uuid,
    cds_card,
    escaped,
    plain_card,
)
from prognosis.outputs.estimate import Estimate

RISK = CardRisk("progression", 365.0, Estimate(0.312, 0.22, 0.44, 0.9))
TOLD = CardScore(
    label="Research service",
    question="How soon does the disease progress?",
    model_id="model-1",
    index_time="2026-03-02 12:00 UTC",
    age="3 hours",
    stale=False,
    risks=(RISK, replace(RISK, cause="death")),
    value="",
    abstained_because="",
    drivers=(CardDriver("C reactive protein", "182 mg/L", "2026-03-01T08:00:00Z", "Observation/1", 0.4),),
    missing=("text, not in the record",),
    cautions=(),
    limits=("It must not guide care.",),
)
IDENTITY = card_uuid("service", "instance", "score")


def test_a_card_tells_the_number_its_interval_its_age_and_its_limits() -> None:
    card = cds_card(TOLD, IDENTITY)
    assert card["summary"] == "progression 31% (22 to 44) by 1 year, read 3 hours ago"
    assert card["indicator"] == "info"
    assert card["source"] == {"label": "Research service"}
    for part in ("182 mg/L", "Observation/1", "It must not guide care.", "missing: text", "a driver is not"):
        assert part in card["detail"]
    assert uuid.UUID(card["uuid"])
    assert "links" not in card


def test_an_abstention_has_no_number_anywhere() -> None:
    reason = "clinical is unlike anything in the training population"
    card = cds_card(replace(TOLD, abstained_because=reason, warning=True, drivers=()), IDENTITY)
    assert card["summary"] == f"No prognosis is given: {reason}"
    assert "%" not in card["summary"] + card["detail"]
    assert card["indicator"] == "info"


def test_an_old_score_says_so_first() -> None:
    card = cds_card(replace(TOLD, stale=True, age="12 days"), IDENTITY)
    assert card["summary"].startswith("OLD: ")
    assert "**This is old**: the record was last read 12 days ago." in card["detail"]


def test_a_smart_app_is_linked_as_one() -> None:
    card = cds_card(replace(TOLD, smart_app="https://app.example/launch"), IDENTITY)
    link = {"label": "Show what drives it", "url": "https://app.example/launch", "type": "smart"}
    assert card["links"] == [link]


def test_the_same_score_in_the_same_call_is_the_same_card() -> None:
    assert card_uuid("a", "b", "c") == card_uuid("a", "b", "c")
    calls = (("a", "b", "c"), ("a", "b", "d"), ("a", "c", "c"), ("x", "b", "c"))
    assert len({card_uuid(*each) for each in calls}) == len(calls)


@given(st.text(max_size=400), st.booleans(), st.booleans(), st.booleans())
def test_whatever_a_record_holds_the_summary_is_one_line_below_140_characters(
    text: str, stale: bool, warning: bool, abstained: bool
) -> None:
    told = replace(
        TOLD,
        label=text,
        stale=stale,
        warning=warning,
        risks=(replace(RISK, cause=text),),
        abstained_because=text if abstained else "",
        drivers=(CardDriver(text, text, text, text, 0.1),),
        cautions=(text,),
    )
    for card in (cds_card(told, IDENTITY), plain_card(text, text, text, IDENTITY)):
        assert len(card["summary"]) < 140
        assert card["summary"].isprintable()
        assert card["indicator"] in ("info", "warning")
        assert len(card["source"]["label"]) <= 80
        assert len(card["detail"].splitlines()) <= 22


@pytest.mark.parametrize(
    "text",
    [
        "[see](https://evil.example)",
        "![x](http://e)",
        "<img src=x>",
        "**bold**",
        "`x`",
        "www.evil.example",
        "a\n# b",
    ],
)
def test_nothing_of_a_record_is_read_as_markup(text: str) -> None:
    told = escaped(text)
    for opening in ("[", "<", "**", "`", "://", "www.", "\n"):
        assert opening not in told.replace("\\" + opening[0], "").replace("\\", "\0")


ARMS = CardArms(
    label="Research service",
    summary="No arm is better supported than every other: new drug and usual care may not differ.",
    arms=("usual care: 290 days (270 to 310)", "rare drug: nothing is said"),
    differences=("new drug less usual care: +30 days; neither is better supported",),
    notes=("the film may be mirrored", "This orders nothing"),
    read="From what was known by 2026-03-02 12:00 UTC; the record was last read 3 hours ago.",
    model_id="model-1",
)


def test_a_card_of_arms_tells_each_and_has_nothing_that_can_be_accepted() -> None:
    card = arms_card(ARMS, IDENTITY)
    assert card.keys() == {"uuid", "summary", "detail", "indicator", "source"}  # no suggestions, no links
    assert card["indicator"] == "info"
    assert len(card["summary"]) < 140
    for told in (*ARMS.arms, *ARMS.differences, *ARMS.notes, ARMS.read):
        assert escaped(told) in card["detail"]


def test_an_arms_name_cannot_become_a_link_on_a_card() -> None:
    card = arms_card(replace(ARMS, arms=("[drug](https://x.example)",), summary="x " * 200), IDENTITY)
    assert "](" not in card["detail"].replace("\\]\\(", "").replace("\\](", "")
    assert len(card["summary"]) < 140
