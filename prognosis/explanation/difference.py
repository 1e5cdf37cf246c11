"""The difference of two explanations: of one patient under two arms, or of two patients."""

from __future__ import annotations

from dataclasses import dataclass

from prognosis.errors import InputError
from prognosis.explanation.explanation import Explanation


@dataclass(frozen=True, slots=True)
class DifferenceTerm:
    """One piece of evidence in two explanations.

    Attributes:
        modality: "clinical", "text" or "imaging".
        name: As in the explanation that has it.
        first: Its contribution to the first, 0.0 where it is not in it.
        second: To the second.
    """

    modality: str
    name: str
    first: float
    second: float

    @property
    def difference(self) -> float:
        """Second minus first: what it adds to the difference of the answers."""
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class ExplanationDifference:
    """Second answer minus first = base + the sum of the terms' differences.

    Attributes:
        cause: Of the second explanation.
        scale: Of both.
        base: Second base minus first: 0 for one patient with the same modalities under two arms.
        total: Second total minus first.
        terms: Largest difference first; matched by modality and subject.
        max_additivity_error: |base + sum - total|.
        standard_error: Of a term, at most: that of both explanations together.
    """

    cause: str
    scale: str
    base: float
    total: float
    terms: tuple[DifferenceTerm, ...]
    max_additivity_error: float
    standard_error: float


def difference(first: Explanation, second: Explanation) -> ExplanationDifference:
    """The second explanation less the first, piece of evidence by piece of evidence.

    Args:
        first: An explanation.
        second: Another, on the same scale and for the same horizon. Values of one subject (a concept, a
            sentence, a region) are set against each other, whatever their source.

    Raises:
        InputError: The causes, the scales or the horizons differ.
    """
    if first.cause != second.cause:
        raise InputError(
            "two explanations", f"are of {first.cause} and of {second.cause}", "explain one cause in both"
        )
    if (first.scale, first.horizon_days) != (second.scale, second.horizon_days):
        raise InputError(
            "two explanations",
            f"are on {_told(first)} and on {_told(second)}",
            "explain both on one scale and for one horizon",
        )
    names: dict[tuple[str, str], str] = {}
    sums: list[dict[tuple[str, str], float]] = [{}, {}]
    for each, own in zip((first, second), sums, strict=True):
        for attribution in each.attributions:
            own[attribution.key] = own.get(attribution.key, 0.0) + attribution.contribution
            names[attribution.key] = attribution.name
    terms = [
        DifferenceTerm(key[0], name, sums[0].get(key, 0.0), sums[1].get(key, 0.0))
        for key, name in names.items()
    ]
    base, total = second.base - first.base, second.total - first.total
    return ExplanationDifference(
        cause=second.cause,
        scale=second.scale,
        base=base,
        total=total,
        terms=tuple(sorted(terms, key=lambda term: -abs(term.difference))),
        max_additivity_error=abs(base + sum(term.difference for term in terms) - total),
        standard_error=(first.standard_error**2 + second.standard_error**2) ** 0.5,
    )


def _told(explanation: Explanation) -> str:
    by = "" if explanation.horizon_days is None else f" by {explanation.horizon_days:g} days"
    return f"{explanation.scale}{by}"
