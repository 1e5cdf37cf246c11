"""Settings of the text evidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextConfig:
    """How text evidence is made.

    Attributes:
        encoder: "minilm" (the small one of the `text` extra), a Hugging Face folder, or "none".
        dimensions: Principal components kept of a sentence's vector.
        trend_dimensions: Leading ones that are also read for worsening and for improving sentences apart.
        half_life_days: After so many days a sentence counts half.
        most_sentences: Sentences read of one case, those of the most recent notes.
        fewest_cases: A term needs this many cases ...
        fewest_share: ... and this share of them.
        most_terms: Terms kept.
        directions: Most unsupervised directions in the vector.
        inner_folds: For the penalty.
    """

    encoder: str = "minilm"
    dimensions: int = 96
    trend_dimensions: int = 8
    half_life_days: float = 30.0
    most_sentences: int = 400
    fewest_cases: int = 5
    fewest_share: float = 0.01
    most_terms: int = 500
    directions: int = 6
    inner_folds: int = 3

    def fewest(self, cases: int) -> int:
        """The number of cases that a term needs among `cases`."""
        return max(self.fewest_cases, round(self.fewest_share * cases))
