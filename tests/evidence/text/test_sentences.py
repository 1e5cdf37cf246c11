"""Notes fall into the sentences that a reader would number."""

from __future__ import annotations

import re

from prognosis.evidence.text.polarity import is_negated, trend, words_with_negation
from prognosis.evidence.text.sentences import read_notes, split_note
from tests.evidence.text.notes import case_of, note


def test_sentences_are_numbered_and_keep_their_section() -> None:
    sentences = split_note("Findings: Effusion on the left. Heart 12.5 cm wide.\n\nImpression:\nPneumonia.")
    assert [(s.number, s.section, s.text) for s in sentences] == [
        (1, "Findings", "Effusion on the left."),
        (2, "Findings", "Heart 12.5 cm wide."),
        (3, "Impression", "Pneumonia."),
    ]


def test_a_line_broken_in_mid_sentence_is_one_sentence_and_a_bullet_is_its_own() -> None:
    sentences = split_note("There is a large\npleural effusion.\n- Fever\n- Cough\nSeen by Dr. Smith today.")
    assert [s.text for s in sentences] == [
        "There is a large pleural effusion.",
        "Fever",
        "Cough",
        "Seen by Dr. Smith today.",
    ]


def test_what_stands_under_a_copied_heading_is_copied_and_history_alone_is_not() -> None:
    sentences = split_note(
        "History: Short of breath.\nPast medical history: Stroke.\nCopied forward from earlier note: Fever."
    )
    assert [s.copied for s in sentences] == [False, True, True]


def test_a_sentence_of_an_earlier_note_is_repeated() -> None:
    read = read_notes(case_of(note("Has fever. Coughs.", 9.0), note("has  fever. Better now.")), (), 50)
    assert [d.sentence.repeated for d in read.sentences] == [False, False, True, False]
    assert read.sentences[0].age_days == 9.0


def test_screened_sentences_are_dropped_counted_and_keep_their_numbers() -> None:
    patterns = (re.compile("palliative", re.IGNORECASE),)
    read = read_notes(case_of(note("Fever. For PALLIATIVE care. Cough.")), patterns, 50)
    assert [d.sentence.number for d in read.sentences] == [1, 3]
    assert read.withheld == "1 sentences screened out"


def test_the_most_recent_sentences_are_kept_under_a_cap() -> None:
    read = read_notes(case_of(note("Old one. Old two.", 9.0), note("New one.")), (), 2)
    assert [d.sentence.text for d in read.sentences] == ["Old two.", "New one."]
    assert read.beyond_cap == 1


def test_a_note_filed_after_the_index_is_not_read() -> None:
    assert read_notes(case_of(note("Died.", -1.0)), (), 50).sentences == ()


def test_negation_reaches_to_the_end_of_the_clause() -> None:
    assert dict(words_with_negation("No fever or cough but severe pain.")) == {
        "no": False,
        "fever": True,
        "or": True,
        "cough": True,
        "severe": False,
        "pain": False,
    }


def test_denial_comes_in_many_words() -> None:
    for text in (
        "Denies chest pain.",
        "Pneumonia was ruled out.",
        "Lungs free of infiltrates.",
        "Without fever.",
    ):
        assert is_negated(text), text
    for text in ("Not only fever", "Free fluid is seen.", "Severe pain."):
        assert not is_negated(text), text


def test_worsening_and_improving_are_told_apart() -> None:
    assert trend("Worsening bilateral infiltrates.") == (True, False)
    assert trend("Infiltrates have resolved.") == (False, True)
