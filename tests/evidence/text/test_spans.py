"""A cited sentence can be found again, character for character, in the note that it was read from."""

from __future__ import annotations

from itertools import pairwise

from prognosis.evidence.text.sentences import split_note
from prognosis.evidence.text.spans import sentence_spans
from prognosis.simulate import Dials, simulate_cohort


def quoted(text: str) -> list[str]:
    return [text[first:last] for first, last in sentence_spans(text, split_note(text))]


def test_the_span_of_a_sentence_is_the_sentence() -> None:
    text = "Findings: Effusion on the left.  Heart 12.5 cm wide.\n\nImpression:\n- Pneumonia.\n- Pneumonia.\n"
    assert quoted(text) == ["Effusion on the left.", "Heart 12.5 cm wide.", "Pneumonia.", "Pneumonia."]
    spans = sentence_spans(text, split_note(text))
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_sentence_over_two_lines_keeps_its_line_break_in_the_span() -> None:
    assert quoted("There is a large\n  pleural effusion. Seen by Dr. Smith.") == [
        "There is a large\n  pleural effusion.",
        "Seen by Dr. Smith.",
    ]


def test_a_word_of_a_longer_word_is_not_the_sentence() -> None:
    assert quoted("Restable: Stable. Stable") == ["Stable.", "Stable"]


def test_every_sentence_of_simulated_notes_is_reproduced_by_its_span() -> None:
    records = simulate_cohort(Dials(patients=12), seed=3).records
    notes = [note for record in records for note in record.notes]
    assert len(notes) > 10
    for note in notes:
        sentences = split_note(note.text)
        for sentence, own in zip(sentences, quoted(note.text), strict=True):
            assert " ".join(own.split()) == " ".join(sentence.text.split())
