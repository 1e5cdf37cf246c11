"""Clinical evidence told concept by concept, each with the resource that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence.clinical.concepts import AGE, SEX, ConceptReader, facts
from prognosis.evidence.clinical.windows import window_table
from prognosis.evidence.token import Token
from prognosis.record import Event

if TYPE_CHECKING:
    from prognosis.evidence.clinical.model import ClinicalEvidence

Floats = NDArray[np.float64]

NEGLIGIBLE = 0.02
_TREND = 0.1
_FROM_THE_START = frozenset({str(AGE), str(SEX)})


def concept_tokens(model: ClinicalEvidence, case: Case) -> tuple[Token, ...]:
    """One token a concept; they sum to the row of `summarise`.

    A concept that was not measured has a token of its own when that moves any cause's evidence by 0.02 or
    more; the rest share one token, so that the sum stays exact.

    Args:
        model: The fitted evidence.
        case: Whose record is read.
    """
    table = window_table([case], model.vocabulary, model.columns)
    if not table.present[0]:
        return ()
    concept = np.array([column.concept for column in model.columns], dtype=np.int64)
    count = len(model.vocabulary.concepts)
    evidence = _by_concept(model.by_column(table.values)[0], concept, count)
    scores = _by_concept(model.vector_by_column(table.values)[0], concept, count)
    vector = np.concatenate([evidence.mean(axis=2), scores], axis=1)
    events = _events_by_concept(model, case)
    tokens: list[Token] = []
    rest: list[int] = []
    for place, name in enumerate(model.vocabulary.names):
        if place in events:
            tokens.append(_measured(name, events[place], case, evidence[place], vector[place]))
        elif np.abs(evidence[place]).max(initial=0.0) >= NEGLIGIBLE:
            tokens.append(_unmeasured(_absence(model, place), "", evidence[place], vector[place]))
        else:
            rest.append(place)
    if rest and np.abs(vector[rest]).max(initial=0.0) > 0.0:
        detail = f"{len(rest)} more, each of negligible evidence"
        tokens.append(
            _unmeasured("other facts not recorded", detail, evidence[rest].sum(0), vector[rest].sum(0))
        )
    return tuple(tokens)


def _absence(model: ClinicalEvidence, place: int) -> str:
    occurrence = model.vocabulary.concepts[place].kind == "occurrence"
    return f"{model.vocabulary.names[place]} not {'recorded' if occurrence else 'measured'}"


def _by_concept(parts: Floats, concept: NDArray[np.int64], count: int) -> Floats:
    total = np.zeros((count, *parts.shape[1:]))
    np.add.at(total, concept, parts)
    return total


def _events_by_concept(model: ClinicalEvidence, case: Case) -> dict[int, list[Event]]:
    """The usable events of each concept, the oldest first."""
    reader = ConceptReader(model.vocabulary.excluded_codes)
    places = model.vocabulary.places()
    found: dict[int, list[Event]] = {}
    for event in sorted(facts(case), key=lambda event: event.time):
        concept = reader.concept(event)
        place = None if concept is None else places.get(concept)
        if place is None or concept is None:
            continue
        if concept.kind == "category" and event.text not in model.vocabulary.categories[place]:
            continue
        found.setdefault(place, []).append(event)
    return found


def _measured(name: str, events: Sequence[Event], case: Case, evidence: Floats, vector: Floats) -> Token:
    last = events[-1]
    known_from_the_start = str(last.code) in _FROM_THE_START
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


def _unmeasured(name: str, detail: str, evidence: Floats, vector: Floats) -> Token:
    return Token("clinical", name, detail, "", "", 0.0, evidence, vector)


def _detail(events: Sequence[Event], *, dated: bool) -> str:
    """The last value, when it was known, where it is heading and how many there are."""
    last = events[-1]
    if last.number is not None:
        unit = {"a": "years", "1": ""}.get(last.unit or "", last.unit or "")
        whole_years = last.unit == "a"
        number = f"{int(last.number)}" if whole_years else f"{last.number:.4g}"
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
