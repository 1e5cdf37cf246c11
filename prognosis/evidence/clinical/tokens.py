"""Clinical evidence told concept by concept, each with the resource that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.cohort.measurement import LARGEST
from prognosis.evidence.clinical.concepts import FROM_THE_START, Concept, facts
from prognosis.evidence.clinical.windows import window_table
from prognosis.evidence.token import Token
from prognosis.record import Event

if TYPE_CHECKING:
    from prognosis.evidence.clinical.model import ClinicalEvidence

Floats = NDArray[np.float64]

NEGLIGIBLE = 0.02
_CASES_AT_ONCE = 256
CHANGE = ", change since the visit before"
FAMILIES = {
    "number": "measured values",
    "category": "coded values",
    "occurrence": "conditions, treatments and encounters",
}
_TREND = 0.1


def concept_tokens(model: ClinicalEvidence, cases: Sequence[Case]) -> list[tuple[Token, ...]]:
    """Each case's tokens: one a concept, one for its change since the visit before; they sum to `summarise`.

    A concept that was not measured has a token of its own when that moves any cause's evidence by 0.02 or
    more; the rest share one token, so that the sum stays exact. A concept measured at one time only has no
    change: that it has none counts with its level.

    Args:
        model: The fitted evidence.
        cases: Whose records are read; many at once cost little more than one.
    """
    found: list[tuple[Token, ...]] = []
    for first in range(0, len(cases), _CASES_AT_ONCE):
        some = cases[first : first + _CASES_AT_ONCE]
        table = window_table(some, model.vocabulary, model.columns)
        evidence, scores = model.by_column(table.values), model.vector_by_column(table.values)
        for row, case in enumerate(some):
            columns = table.values[row], evidence[row], scores[row]
            found.append(_of_case(model, case, *columns) if table.present[row] else ())
    return found


def _of_case(
    model: ClinicalEvidence, case: Case, values: Floats, own_evidence: Floats, own_scores: Floats
) -> tuple[Token, ...]:
    """The tokens of one case from its columns' values, evidence and scores."""
    count = len(model.vocabulary.concepts)
    concept = np.array([column.concept for column in model.columns], dtype=np.int64)
    changed = np.array([column.statistic == "change" for column in model.columns])
    part = concept + count * (changed & ~np.isnan(values))
    evidence = _by_part(own_evidence, part, 2 * count)
    scores = _by_part(own_scores, part, 2 * count)
    vector = np.concatenate([evidence.mean(axis=2), scores], axis=1)
    events = _events_by_concept(model, case)
    tokens: list[Token] = []
    rest: list[int] = []
    for place, name in enumerate(model.vocabulary.names):
        own: list[Token] = []
        if place in events:
            own.append(_measured(name, events[place], case, evidence[place], vector[place]))
            if np.abs(vector[count + place]).max(initial=0.0) > 0.0:
                moved = evidence[count + place], vector[count + place]
                own.append(_changed(f"{name}{CHANGE}", events[place], case, *moved))
        elif np.abs(evidence[place]).max(initial=0.0) >= NEGLIGIBLE:
            own.append(_unmeasured(_absence(model, place), "", evidence[place], vector[place]))
        else:
            rest.append(place)
        tokens += _about(own, model.vocabulary.concepts[place])
    if rest and np.abs(vector[rest]).max(initial=0.0) > 0.0:
        detail = f"{len(rest)} more, each of negligible evidence"
        tokens.append(
            _unmeasured("other facts not recorded", detail, evidence[rest].sum(0), vector[rest].sum(0))
        )
    return tuple(tokens)


def _about(tokens: Sequence[Token], concept: Concept) -> list[Token]:
    """A concept's tokens, level first, with what they are about, told with and one with."""
    subject = f"{concept.code} {concept.unit}".rstrip()
    family = "demographics" if concept.code in FROM_THE_START else FAMILIES[concept.kind]
    subjects = (subject, f"{subject}{CHANGE}")
    return [
        replace(token, subject=own, family=family, topic=concept.code)
        for token, own in zip(tokens, subjects, strict=False)
    ]


def _absence(model: ClinicalEvidence, place: int) -> str:
    occurrence = model.vocabulary.concepts[place].kind == "occurrence"
    return f"{model.vocabulary.names[place]} not {'recorded' if occurrence else 'measured'}"


def _by_part(columns: Floats, part: NDArray[np.int64], count: int) -> Floats:
    total = np.zeros((count, *columns.shape[1:]))
    np.add.at(total, part, columns)
    return total


def _events_by_concept(model: ClinicalEvidence, case: Case) -> dict[int, list[Event]]:
    """The usable events of each concept, the oldest first."""
    reader = model.vocabulary.reader()
    places = model.vocabulary.places()
    found: dict[int, list[Event]] = {}
    for event in sorted(facts(case, model.vocabulary.entry_codes), key=lambda event: event.time):
        reading = reader.reading(event)
        place = None if reading is None or reading.refusal else places.get(reading.concept)
        if place is None or reading is None:
            continue
        if reading.concept.kind == "category" and event.text not in model.vocabulary.categories[place]:
            continue
        own = reading.as_read(event)
        if own.number is not None and not abs(own.number) <= LARGEST:
            continue
        found.setdefault(place, []).append(own)
    return found


def _measured(name: str, events: Sequence[Event], case: Case, evidence: Floats, vector: Floats) -> Token:
    last = events[-1]
    known_from_the_start = str(last.code) in FROM_THE_START
    return Token(
        modality="clinical",
        name=name,
        detail=_detail(events, dated=not known_from_the_start),
        source=last.source,
        time="" if known_from_the_start else last.time.isoformat(),
        age_days=max(0.0, (case.index_time - last.time).total_seconds() / 86400.0),
        evidence=evidence,
        vector=vector,
    )


def _changed(name: str, events: Sequence[Event], case: Case, evidence: Floats, vector: Floats) -> Token:
    last = events[-1]
    before = next(event for event in reversed(events) if event.time < last.time)
    return Token(
        modality="clinical",
        name=name,
        detail=_difference(before, last),
        source=last.source,
        time=last.time.isoformat(),
        age_days=max(0.0, (case.index_time - last.time).total_seconds() / 86400.0),
        evidence=evidence,
        vector=vector,
    )


def _difference(before: Event, last: Event) -> str:
    """How far the number moved, in how many days, from what on which date."""
    days = (last.time - before.time).total_seconds() / 86400.0
    moved = (last.number or 0.0) - (before.number or 0.0)
    unit = f" {last.unit}" if last.unit and last.unit != "1" else ""
    since = f"{before.number:.4g} on {before.time.astimezone(UTC):%Y-%m-%d}"
    gap = f"{days:.0f}" if days >= 10.0 else f"{days:.2g}"
    return f"{moved:+.4g}{unit} in {gap} days (from {since})"


def _unmeasured(name: str, detail: str, evidence: Floats, vector: Floats) -> Token:
    return Token("clinical", name, detail, "", "", 0.0, evidence, vector)


def _detail(events: Sequence[Event], *, dated: bool) -> str:
    """The last value, when it was known, where it is heading and how many there are."""
    last = events[-1]
    if last.number is not None:
        unit = {"a": "years", "d": "days", "1": ""}.get(last.unit or "", last.unit or "")
        whole = last.unit in {"a", "d"}
        number = f"{int(last.number)}" if whole else f"{last.number:.4g}"
        value = f"{last.comparator or ''}{number} {unit}".strip()
    else:
        value = last.text or "recorded"
    if not dated:
        return value
    detail = f"{value} on {last.time.astimezone(UTC):%Y-%m-%d}{_trend(events)}"
    return f"{detail} (n={len(events)})" if len(events) > 1 else detail


def _trend(events: Sequence[Event]) -> str:
    """The word "rising" where the last number is a tenth or more above the one before."""
    numbers = [event.number for event in events if event.number is not None]
    if len(numbers) < 2:
        return ""
    change = numbers[-1] - numbers[-2]
    if abs(change) < _TREND * max(abs(numbers[-2]), 1e-12):
        return ", steady"
    return ", rising" if change > 0.0 else ", falling"
