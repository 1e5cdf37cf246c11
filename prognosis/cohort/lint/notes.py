"""Sentences that tell the outcome, in notes written by people who already knew it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from prognosis.cohort.case import Cohort
from prognosis.cohort.lint.finding import Finding
from prognosis.cohort.lint.names import NOT_THE_PATIENT

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
TELLING = re.compile(
    r"\b(died|dies|death|dead(?! space)|deceased|demise|expired|passed away|fatal|autopsy|post-?mortem"
    r"|survived|survivor|did not survive|non-?survivor|succumbed|(complete|full|uneventful) recovery"
    r"|fully recovered|discharged (home|alive)|was discharged|outcome|subsequently|eventually)\b",
    re.IGNORECASE,
)


def told_by_notes(cohort: Cohort) -> Iterator[Finding]:
    """Words that tell the outcome, in sentences that the task's screening lets through.

    Counted are the notes that have the word; each distinct note of a patient counts once, however many cases
    can read it. A sentence about a relative does not count.
    """
    screened = [re.compile(pattern, re.IGNORECASE) for pattern in cohort.task.screening.sentence_patterns]
    notes = {(case.patient, note.text) for case in cohort.cases for note in case.record.notes}
    found: Counter[str] = Counter()
    for _, text in notes:
        if TELLING.search(text):
            found.update(_words(text, screened))
    for word, count in sorted(found.items()):
        problem = "a sentence that the task's screening lets through tells the outcome"
        yield Finding("outcome told in notes", word, problem, count, len(notes))


def _words(text: str, screened: list[re.Pattern[str]]) -> set[str]:
    words: set[str] = set()
    for sentence in SENTENCE_END.split(text):
        dropped = NOT_THE_PATIENT.search(sentence.lower()) or any(p.search(sentence) for p in screened)
        if not dropped:
            words |= {match.group(0).lower() for match in TELLING.finditer(sentence)}
    return words
