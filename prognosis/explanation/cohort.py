"""Explanations of many cases together: what matters to a cohort, from which modality, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.errors import CohortError
from prognosis.evidence import Token
from prognosis.evidence.clinical import ClinicalEvidence
from prognosis.evidence.clinical.concepts import ConceptReader
from prognosis.evidence.clinical.tokens import CHANGE
from prognosis.explanation.case import additive_scale, cause_of
from prognosis.explanation.explanation import Scale
from prognosis.explanation.tokens import CaseTokens, cohort_tokens
from prognosis.fusion import FusionModel

if TYPE_CHECKING:
    import shap

Array = NDArray[np.float64]

AGES_DAYS = (0.0, 7.0, 30.0, 90.0, 365.0)
"""Where the stretches of the evidence's age begin."""

_ABSENCE = (" not measured", " not recorded")


@dataclass(frozen=True, slots=True)
class CohortExplanation:
    """Exact Shapley values of n cases by concept, on the log-hazard averaged over the time bins (log-odds).

    A concept is a clinical concept, a section of the notes, or a region of the images, with the change in it.

    Attributes:
        cause: Of which cause.
        scale: "log_hazard", "log_odds", "value" or "log_value".
        modalities: Names, in order.
        concepts: (modality, name) of F concepts, largest mean magnitude first.
        values: (n, F) contributions; 0 where a case has no such evidence.
        measured: (n, F) the last number of a clinical concept, NaN where there is none.
        base: (n,) each case's answer when none of its evidence is known.
        total: (n,) each case's answer.
        edges: (B + 1,) time bins of the hazard in days.
        by_time: (M, B) mean magnitude of what a modality's evidence adds in each bin, over all cases.
        by_age: (M, A) mean magnitude of what a modality's evidence of each age adds; `AGES_DAYS`, and last
            what has no date.
        max_additivity_error: Largest |base + sum - total| of any case.
        model_id: Which model.
    """

    cause: str
    scale: Scale
    modalities: tuple[str, ...]
    concepts: tuple[tuple[str, str], ...]
    values: Array
    measured: Array
    base: Array
    total: Array
    edges: Array
    by_time: Array
    by_age: Array
    max_additivity_error: float
    model_id: str

    def __len__(self) -> int:
        return len(self.values)

    def importance(self) -> Array:
        """(F,) mean magnitude of each concept's contribution over all cases."""
        return np.asarray(np.abs(self.values).mean(axis=0))

    def shares_over_time(self) -> Array:
        """(M, B) each modality's share of all magnitudes in a bin; a column sums to 1, or to 0 for none."""
        return _shares(self.by_time)

    def shares_by_age(self) -> Array:
        """(M, A) each modality's share of all magnitudes of evidence of one age, likewise."""
        return _shares(self.by_age)

    def to_shap(self) -> shap.Explanation:
        """The same values as shap holds them, so that its plots work on them."""
        import shap

        return shap.Explanation(
            values=self.values,
            base_values=self.base,
            data=self.measured,
            feature_names=[f"{modality}: {name}" for modality, name in self.concepts],
        )


def explain_cohort(model: FusionModel, cases: Sequence[Case], cause: str | None = None) -> CohortExplanation:
    """Explain many cases, concept by concept.

    Args:
        model: The model.
        cases: At least one; patients that did not train the model, where the model is judged.
        cause: Which cause; the task's first by default.

    Raises:
        CohortError: There is no case.
        InputError: The cause is unknown.
    """
    if not cases:
        raise CohortError("cohort to be explained", "has no case", "give at least one")
    name, which = cause_of(model, cause)
    known = cohort_tokens(model, cases)
    shares = [np.sum(each.game.shares(), axis=0)[:, which] for each in known]
    values, measured, concepts = _by_concept(cases, known, shares, _reader(model))
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")
    base = np.array([each.game.base[which].mean() for each in known])
    total = np.array([model.head.log_hazard(each.inputs)[0, which].mean() for each in known])
    return CohortExplanation(
        cause=name,
        scale=additive_scale(model.task),
        modalities=model.modalities,
        concepts=tuple(concepts[place] for place in order),
        values=values[:, order],
        measured=measured[:, order],
        base=base,
        total=total,
        edges=model.edges,
        by_time=_by_time(known, which),
        by_age=_by_age(known, shares, len(model.modalities)),
        max_additivity_error=float(np.abs(base + values.sum(axis=1) - total).max()),
        model_id=model.model_id,
    )


def _reader(model: FusionModel) -> ConceptReader:
    """What reads events as the model's clinical evidence does: one unit for each gathered concept."""
    clinical = model.evidence.get("clinical")
    if isinstance(clinical, ClinicalEvidence):
        return clinical.vocabulary.reader()
    return ConceptReader(frozenset())


def _by_concept(
    cases: Sequence[Case], known: Sequence[CaseTokens], shares: Sequence[Array], reader: ConceptReader
) -> tuple[Array, Array, list[tuple[str, str]]]:
    """(n, F) contributions and last numbers in the concept's unit, and the concepts."""
    places: dict[tuple[str, str], int] = {}
    names: dict[int, tuple[str, str]] = {}
    found: list[tuple[int, int, float, float]] = []
    for row, (case, each, own) in enumerate(zip(cases, known, shares, strict=True)):
        numbers = _numbers(case, reader)
        for token, value in zip(each.tokens, own, strict=True):
            place = places.setdefault(_concept(token), len(places))
            names.setdefault(place, (token.modality, _name(token)))
            number = _number(numbers.get(token.source, {}), token)
            found.append((row, place, float(value), float(number)))
    values, measured = np.zeros((len(cases), len(places))), np.full((len(cases), len(places)), np.nan)
    for row, place, value, number in found:
        values[row, place] += value
        measured[row, place] = number
    return values, measured, [names[place] for place in range(len(places))]


def _numbers(case: Case, reader: ConceptReader) -> Mapping[str, Mapping[str, float]]:
    """What each resource says, as the model reads it: by source, and by code and unit."""
    numbers: dict[str, dict[str, float]] = {}
    for event in case.record.events:
        reading = reader.reading(event) if event.number is not None else None
        if reading is not None and reading.refusal:
            continue
        own = event if reading is None else reading.as_read(event)
        if own.number is not None:
            code = str(own.code) if reading is None else reading.concept.code
            numbers.setdefault(own.source, {})[f"{code} {own.unit or ''}".rstrip()] = own.number
    return numbers


def _number(of_source: Mapping[str, float], token: Token) -> float:
    """What the cited resource says: its only number, or of a panel's the one of the token's code and unit."""
    if token.modality != "clinical":
        return float("nan")
    if len(of_source) == 1 and not token.subject.endswith(CHANGE):
        return next(iter(of_source.values()))
    return of_source.get(token.subject, float("nan"))


def _concept(token: Token) -> tuple[str, str]:
    if token.modality == "clinical":
        return (token.modality, token.subject or token.name)
    return (token.modality, token.family or token.name)


def _name(token: Token) -> str:
    """For people; a concept that was not measured has the name of what it would be."""
    if token.modality != "clinical":
        return token.family or token.name
    name = token.name
    for ending in _ABSENCE:
        name = name.removesuffix(ending)
    return name


def _by_time(known: Sequence[CaseTokens], which: int) -> Array:
    """(M, B) mean over cases of the magnitude of a modality's sum in each bin."""
    total = []
    for each in known:
        game = each.game
        own = game.main[:, which] + game.shares()[1][:, which, None]
        total.append(np.abs([own[game.modality == place].sum(axis=0) for place in range(game.modalities)]))
    return np.asarray(np.mean(total, axis=0))


def _by_age(known: Sequence[CaseTokens], shares: Sequence[Array], modalities: int) -> Array:
    total = np.zeros((modalities, len(AGES_DAYS) + 1))
    for each, own in zip(known, shares, strict=True):
        for token, place, value in zip(each.tokens, each.game.modality, own, strict=True):
            age = int(np.searchsorted(AGES_DAYS, token.age_days, side="right")) - 1
            total[place, age if token.time else -1] += abs(value)
    return total / len(known)


def _shares(sizes: Array) -> Array:
    whole = sizes.sum(axis=0)
    return np.asarray(np.divide(sizes, whole, out=np.zeros_like(sizes), where=whole > 0.0))
