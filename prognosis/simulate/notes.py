"""Notes of each visit: what is stated now, what is denied, and what was only copied forward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.simulate.dials import Dials
from prognosis.simulate.sentences import (
    COPIED_HEADING,
    FINDINGS,
    NEUTRAL_EXAMINATION,
    NEUTRAL_HISTORY,
    NEUTRAL_PLAN,
    TEXT_WEIGHTS,
)
from prognosis.simulate.standard import Vector, standard_indicator

_STATED_EARLIER = 0.4
_RESOLVED = 0.12


@dataclass(frozen=True, slots=True)
class TextDraw:
    """Which findings hold in each of n patients at the index.

    Attributes:
        present: (n, findings) True where the finding holds.
    """

    present: NDArray[np.bool_]

    def contributions(self, cause: str) -> dict[str, Vector]:
        """Each finding's part of a cause's log-hazard; the sum over them has unit variance."""
        return {
            finding.name: TEXT_WEIGHTS[cause][finding.name] * self.standard(finding.name)
            for finding in FINDINGS
        }

    def standard(self, name: str) -> Vector:
        """(n,) a finding as a variable of mean zero and unit variance."""
        column = [finding.name for finding in FINDINGS].index(name)
        return standard_indicator(self.present[:, column], FINDINGS[column].prevalence)


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """One note.

    Attributes:
        text: Sections, one a line, headed "History:", "Examination:", "Plan:" and, last, what was copied.
        stated: Finding to the sentence that affirms it as of this note.
        decoys: Sentences that mislead: denied or copied forward.
    """

    text: str
    stated: dict[str, str]
    decoys: tuple[str, ...]


def draw_findings(patients: int, random: np.random.Generator) -> TextDraw:
    """Draw which findings hold at the index, independently of one another."""
    prevalence = np.array([finding.prevalence for finding in FINDINGS])
    return TextDraw(random.random((patients, len(FINDINGS))) < prevalence)


def write_notes(
    present: NDArray[np.bool_], visits: int, dials: Dials, random: np.random.Generator
) -> tuple[WrittenNote, ...]:
    """Write one patient's notes, the last being the index visit's.

    The hazard depends on what holds at the index alone. An earlier note may state a finding that still
    holds, or one that has resolved since; the latter is what is later copied forward.

    Args:
        present: (findings,) True where the finding holds at the index.
        visits: Number of notes.
        dials: The shares of notes with a decoy of each kind.
        random: The source of chance.
    """
    notes: list[WrittenNote] = []
    past: dict[int, str] = {}
    for visit in range(visits):
        if visit == visits - 1:
            now = present
        else:
            chance = np.where(present, _STATED_EARLIER, _RESOLVED)
            now = random.random(len(FINDINGS)) < chance
        notes.append(_write_note(now, past, dials, random))
        past.update(
            {column: notes[-1].stated[finding.name] for column, finding in enumerate(FINDINGS) if now[column]}
        )
    return tuple(notes)


def _write_note(
    now: NDArray[np.bool_], past: dict[int, str], dials: Dials, random: np.random.Generator
) -> WrittenNote:
    stated = {
        finding.name: _pick(finding.stated, random) for column, finding in enumerate(FINDINGS) if now[column]
    }
    history = [*stated.values(), *_some(NEUTRAL_HISTORY, random)]
    copied = ""
    decoys: tuple[str, ...] = ()
    absent = np.flatnonzero(~now)
    if len(absent) and random.random() < dials.decoys:
        resolved = [column for column in absent if column in past]
        if random.random() < dials.negations / dials.decoys:
            denied = _pick(FINDINGS[int(random.choice(absent))].negated, random)
            history.append(denied)
            decoys = (denied,)
        else:
            column = int(random.choice(resolved or absent))
            copied = past.get(column) or _pick(FINDINGS[column].stated, random)
            decoys = (copied,)
    order = random.permutation(len(history))
    lines = [
        "History: " + " ".join(history[place] for place in order),
        "Examination: " + " ".join(_some(NEUTRAL_EXAMINATION, random)),
        "Plan: " + " ".join(_some(NEUTRAL_PLAN, random)),
    ]
    if copied:
        lines.append(f"{COPIED_HEADING} {copied}")
    return WrittenNote("\n".join(lines), stated, decoys)


def _pick(wordings: tuple[str, ...], random: np.random.Generator) -> str:
    return wordings[int(random.integers(len(wordings)))]


def _some(sentences: tuple[str, ...], random: np.random.Generator) -> list[str]:
    """One to three different sentences."""
    chosen = random.choice(len(sentences), size=int(random.integers(1, 4)), replace=False)
    return [sentences[int(place)] for place in chosen]
