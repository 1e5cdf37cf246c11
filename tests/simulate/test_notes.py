"""Notes: what holds is stated in the index visit's note, and decoys carry nothing that holds."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.simulate.dials import Dials
from prognosis.simulate.notes import WrittenNote, write_notes
from prognosis.simulate.sentences import COPIED_HEADING, FINDINGS

STATED = {wording: finding.name for finding in FINDINGS for wording in finding.stated}
NEGATED = {wording: finding.name for finding in FINDINGS for wording in finding.negated}


def many_notes(count: int = 400) -> Iterator[tuple[NDArray[np.bool_], tuple[WrittenNote, ...]]]:
    random = np.random.default_rng(3)
    for _ in range(count):
        present = random.random(len(FINDINGS)) < 0.35
        yield present, write_notes(present, 3, Dials(), random)


def test_every_finding_has_at_least_four_wordings_and_no_sentence_serves_two() -> None:
    assert all(len(finding.stated) >= 4 for finding in FINDINGS)
    assert len(STATED) == sum(len(finding.stated) for finding in FINDINGS)
    assert not set(STATED) & set(NEGATED)


def test_every_denial_is_marked_by_a_word_of_negation() -> None:
    assert all(re.search(r"\b(no|not|denies)\b", wording.lower()) for wording in NEGATED)


def test_the_last_note_states_exactly_the_findings_that_hold() -> None:
    for present, notes in many_notes():
        held = {finding.name for finding, holds in zip(FINDINGS, present, strict=True) if holds}
        assert set(notes[-1].stated) == held
        assert all(sentence in notes[-1].text for sentence in notes[-1].stated.values())


def test_a_decoy_never_concerns_a_finding_that_holds() -> None:
    for _, notes in many_notes():
        for note in notes:
            for decoy in note.decoys:
                assert (STATED | NEGATED)[decoy] not in note.stated
                assert decoy in note.text


def test_half_of_the_notes_carry_a_decoy() -> None:
    flags = [bool(note.decoys) for _, notes in many_notes() for note in notes]
    assert np.mean(flags) == pytest.approx(0.5, abs=0.05)


def test_an_affirmed_decoy_stands_only_under_the_heading_of_what_was_copied_forward() -> None:
    for _, notes in many_notes():
        for note in notes:
            body, _, copied = note.text.partition(COPIED_HEADING)
            affirmed = [decoy for decoy in note.decoys if decoy in STATED]
            assert [copied.strip()] == affirmed if copied else not affirmed
            assert not any(decoy in body for decoy in affirmed)


def test_no_decoys_are_written_when_the_dial_is_at_zero() -> None:
    random = np.random.default_rng(0)
    notes = write_notes(
        np.zeros(len(FINDINGS), dtype=bool), 3, Dials(negations=0.0, copied_forward=0.0), random
    )
    assert not any(note.decoys for note in notes)
