"""Sentences that tell the outcome, in notes written by people who already knew it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from prognosis.cohort.case import Cohort
from prognosis.cohort.lint.answer import Answer, auroc
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.cohort.lint.names import NOT_THE_PATIENT
from prognosis.cohort.lint.prediction import settles

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
TELLING = re.compile(
    r"\b(died|dies|death|dead(?! space)|deceased|demise|expired|passed away|fatal|autopsy|post-?mortem"
    r"|survived|survivor|did not survive|non-?survivor|succumbed|(complete|full|uneventful) recovery"
    r"|fully recovered|discharged (home|alive)|was discharged|outcome|subsequently|eventually)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]{4,}")
WORDS_SHOWN = 5


def told_by_notes(cohort: Cohort) -> Iterator[Finding]:
    """Words known to tell the outcome, in sentences that the task's screening lets through.

    Counted are the notes that have the word; each distinct note of a patient counts once, however many cases
    can read it. A sentence about a relative does not count.
    """
    screened = _screening(cohort)
    notes = {(case.patient, note.text) for case in cohort.cases for note in case.record.notes}
    found: Counter[str] = Counter()
    for _, text in notes:
        if TELLING.search(text):
            found.update(_telling_words(text, screened))
    for word, count in sorted(found.items()):
        problem = "a sentence that the task's screening lets through tells the outcome"
        yield Finding("outcome told in notes", word, problem, count, len(notes))


def told_by_words(labelled: Cohort, answer: Answer, limits: Thresholds) -> Iterator[Finding]:
    """Any word of the notes whose presence tells the outcome, by the numbers.

    A word in which everyone or no one has the event is reported when chance would do so less often than
    `limits.chance` divided by the number of words looked at (Bonferroni). Of several, the most frequent few
    are reported.
    """
    cases_of = _words_of_cases(labelled)
    told = [
        (len(rows), word)
        for word, rows in cases_of.items()
        if limits.least_cases <= len(rows) and _tells(answer, rows, limits, len(cases_of))
    ]
    for size, word in sorted(told, key=lambda found: (-found[0], found[1]))[:WORDS_SHOWN]:
        events = int(answer.happened[cases_of[word]].sum())
        more = f" ({len(told)} words in all)" if len(told) > WORDS_SHOWN else ""
        problem = f"{events} of {size} cases whose notes have it have {answer.name}; of all cases "
        yield Finding("words tell the outcome", word, f"{problem}{answer.rate:.0%}{more}", events, size)


def _tells(answer: Answer, rows: list[int], limits: Thresholds, words: int) -> bool:
    events, expected = answer.happened[rows].sum(), (answer.share * answer.expected)[rows].sum()
    independent = float(answer.share[rows].sum())
    if settles(answer, len(rows), independent, events, expected, limits.chance / words):
        return True
    there = np.zeros(len(answer.target), dtype=bool)
    there[rows] = True
    happened = answer.by_horizon[answer.settled]
    if min(happened.sum(), (~happened).sum()) < limits.least_events:
        return False
    value = auroc(happened, there[answer.settled].astype(np.float64))
    return value is not None and abs(value - 0.5) > limits.missing_auroc - 0.5


def _words_of_cases(labelled: Cohort) -> dict[str, list[int]]:
    screened = _screening(labelled)
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row, case in enumerate(labelled.cases):
        words: set[str] = set()
        for note in case.record.notes:
            for sentence in _kept(note.text, screened):
                words |= {word.lower() for word in WORD.findall(sentence)}
        for word in words:
            found[word].append(row)
    return found


def _screening(cohort: Cohort) -> list[re.Pattern[str]]:
    return [re.compile(pattern, re.IGNORECASE) for pattern in cohort.task.screening.sentence_patterns]


def _kept(text: str, screened: list[re.Pattern[str]]) -> Iterator[str]:
    for sentence in SENTENCE_END.split(text):
        if not any(pattern.search(sentence) for pattern in screened):
            yield sentence


def _telling_words(text: str, screened: list[re.Pattern[str]]) -> set[str]:
    words: set[str] = set()
    for sentence in _kept(text, screened):
        if not NOT_THE_PATIENT.search(sentence.lower()):
            words |= {match.group(0).lower() for match in TELLING.finditer(sentence)}
    return words
