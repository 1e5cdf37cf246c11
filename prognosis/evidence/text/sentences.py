"""Notes as numbered sentences, each with its section and whether it was only copied forward."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from prognosis.cohort.case import Case
from prognosis.record import Note

_HEADING = re.compile(r"^\s*(?:#+\s*|=+\s*)?([A-Z][\w/&(),'\- ]{1,60}?)\s*(?:=+\s*$|:(?=\s|$))\s*")
_MARKDOWN_HEADING = re.compile(r"^\s*#+\s*(\S.{0,60}?)\s*$")
_MOST_HEADING_WORDS = 7
_COPIED_SECTION = re.compile(
    r"copied|carried forward|previous|prior (?:note|visit|history)|earlier note|past (?:\w+ )?history|pmh\b",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d{1,2}[.)])\s+")
_BOUNDARY = re.compile(r"(?<=[.!?;])\s+(?=[^\sa-z])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|prof|vs|approx|no|fig|st|e\.g|i\.e|resp|ca|bzw)|\b[A-Z])\.$", re.IGNORECASE
)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of one note.

    Attributes:
        text: As written, on one line.
        number: Its place in the note, from 1; sentences screened out keep theirs.
        section: Its heading, "" where it has none.
        copied: True under a heading that says that what follows was copied or is past.
        repeated: True when an earlier note of the patient has the very same sentence.
    """

    text: str
    number: int
    section: str
    copied: bool
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class DatedSentence:
    """A sentence with its note and its age in days at the index."""

    sentence: Sentence
    note: Note
    age_days: float


@dataclass(frozen=True, slots=True)
class ReadNotes:
    """The sentences of a case that evidence may read, the oldest first.

    Attributes:
        sentences: At most the cap, the most recent notes kept.
        screened: Number dropped because a screening pattern matches.
        beyond_cap: Number dropped because of the cap.
    """

    sentences: tuple[DatedSentence, ...]
    screened: int
    beyond_cap: int

    @property
    def withheld(self) -> str:
        """What was not used, for `ModalityEvidence.withheld`."""
        reasons = []
        if self.screened:
            reasons.append(f"{self.screened} sentences screened out")
        if self.beyond_cap:
            reasons.append(f"{self.beyond_cap} sentences older than those read")
        return "; ".join(reasons)


def split_note(text: str) -> tuple[Sentence, ...]:
    """The sentences of one note in order.

    A line that ends without a full stop and is followed by one in lower case is one sentence broken over
    two lines; a bullet or a heading begins anew. "History" alone is not taken for copied text: it often
    opens with what the patient says today.

    Args:
        text: The note as filed.
    """
    section = ""
    numbered: list[Sentence] = []
    for line in _joined_lines(text):
        rest, heading = _without_heading(line)
        if heading is not None:
            section = heading
        for piece in _pieces(rest):
            copied = bool(_COPIED_SECTION.search(section))
            numbered.append(Sentence(piece, len(numbered) + 1, section, copied))
    return tuple(numbered)


def read_notes(case: Case, patterns: Sequence[re.Pattern[str]], most: int) -> ReadNotes:
    """The case's sentences as known at its index.

    Args:
        case: Whose notes are read.
        patterns: A sentence that one of them matches is dropped and counted.
        most: Most sentences kept, those of the most recent notes.
    """
    seen: set[str] = set()
    kept: list[DatedSentence] = []
    screened = 0
    notes = [note for note in case.record.notes if note.time <= case.index_time]
    for note in sorted(notes, key=lambda note: note.time):
        age = max(0.0, (case.index_time - note.time).total_seconds() / 86400.0)
        own: set[str] = set()
        for sentence in split_note(note.text):
            key = normal_form(sentence.text)
            own.add(key)
            if any(pattern.search(sentence.text) for pattern in patterns):
                screened += 1
                continue
            repeated = key in seen
            marked = Sentence(sentence.text, sentence.number, sentence.section, sentence.copied, repeated)
            kept.append(DatedSentence(marked, note, age))
        seen |= own
    beyond = max(0, len(kept) - most)
    return ReadNotes(tuple(kept[beyond:]), screened, beyond)


def normal_form(text: str) -> str:
    """The sentence in lower case with single spaces and no final stop: what two copies share."""
    return _SPACE.sub(" ", text).strip().rstrip(".;!").lower()


def _joined_lines(text: str) -> list[str]:
    lines: list[str] = []
    fresh = True
    for raw in text.splitlines():
        line = raw.strip()
        if not line:
            fresh = True
            continue
        begins = fresh or _BULLET.match(raw) or _without_heading(line)[1] is not None
        if begins or lines[-1][-1] in ".!?:;" or not line[0].islower():
            lines.append(_BULLET.sub("", line))
        else:
            lines[-1] = f"{lines[-1]} {line}"
        fresh = False
    return lines


def _without_heading(line: str) -> tuple[str, str | None]:
    """The rest of the line and its heading; None where it has none."""
    found = _HEADING.match(line) or _MARKDOWN_HEADING.match(line)
    if found is None or len(found[1].split()) > _MOST_HEADING_WORDS:
        return line, None
    return line[found.end() :], found[1].strip()


def _pieces(line: str) -> list[str]:
    pieces: list[str] = []
    for piece in _BOUNDARY.split(line):
        stripped = piece.strip()
        if pieces and _ABBREVIATION.search(pieces[-1]):
            pieces[-1] = f"{pieces[-1]} {stripped}"
        elif any(letter.isalnum() for letter in stripped):
            pieces.append(stripped)
    return pieces
