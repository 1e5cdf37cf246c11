"""Sentences as features: terms, and encoder components split by what the sentence does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.text.encoder import SentenceEncoder
from prognosis.evidence.text.polarity import is_negated, trend
from prognosis.evidence.text.sentences import ReadNotes, Sentence
from prognosis.evidence.text.terms import Terms

if TYPE_CHECKING:
    from scipy import sparse

Floats = NDArray[np.float64]

_DENIED_OR_COPIED = 0.2
_TREND = 0.5
"""Beliefs, chosen on simulated notes: at 2,000 patients (seed 0) text by itself correlated with what was
planted at .868 with ones and at .883 with these; three seeds at 300 patients gained .00 to .03.
"""


@dataclass(frozen=True, slots=True)
class Components:
    """Principal components of sentence vectors: (vector - mean) @ axes."""

    mean: Floats
    axes: Floats
    trends: int

    @property
    def width(self) -> int:
        """Number of features of one sentence."""
        return 3 * self.axes.shape[1] + 2 * self.trends + 5

    @property
    def belief(self) -> Floats:
        """(width,) how far a feature's weight is believed to lie from zero, affirmed meaning at 1.

        What a note denies, or repeats of an earlier one, tells less than what it affirms; so does a trend
        beside what is said to have it. A ridge holds to this until the cases say otherwise.
        """
        count = self.axes.shape[1]
        parts = (count, 1.0), (2 * count, _DENIED_OR_COPIED), (2 * self.trends, _TREND), (5, 1.0)
        return np.concatenate([np.full(width, size) for width, size in parts])

    def matrix(self, sentences: Sequence[Sentence], encoder: SentenceEncoder) -> Floats:
        """(sentences, width) components, apart for what is affirmed, denied and copied, and for trends.

        A small general encoder puts "effusion" and "no effusion" side by side, so each has weights of its
        own; the last five columns mark denied, copied, repeated, worsening and improving sentences.
        """
        texts = [sentence.text for sentence in sentences]
        scores = (
            (encoder.encode(texts) - self.mean) @ self.axes if texts else np.zeros((0, self.axes.shape[1]))
        )
        copied = np.array([sentence.copied for sentence in sentences], dtype=float).reshape(-1, 1)
        repeated = np.array([sentence.repeated for sentence in sentences], dtype=float).reshape(-1, 1)
        negated = np.array([is_negated(text) for text in texts], dtype=float).reshape(-1, 1) * (1.0 - copied)
        trends = np.array([trend(text) for text in texts], dtype=float).reshape(-1, 2) * (1.0 - copied)
        worse, better = trends[:, :1] * (1.0 - negated), trends[:, 1:] * (1.0 - negated)
        leading = scores[:, : self.trends]
        return np.concatenate(
            [
                scores * (1.0 - negated) * (1.0 - copied),
                scores * negated,
                scores * copied,
                leading * worse,
                leading * better,
                negated,
                copied,
                repeated,
                worse,
                better,
            ],
            axis=1,
        )


def learn_components(vectors: Floats, dimensions: int, trends: int) -> Components:
    """Principal components of distinct sentences' vectors (n, width)."""
    mean = vectors.mean(axis=0)
    spread, axes = np.linalg.eigh((vectors - mean).T @ (vectors - mean) / len(vectors))
    count = min(dimensions, int((spread > 1e-9).sum()))
    leading = axes[:, ::-1][:, :count]
    signs = np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(count)]) if count else np.ones(0)
    return Components(mean, leading * signs, min(trends, count))


@dataclass(frozen=True, slots=True)
class SentenceTable:
    """Distinct sentences, and how much of each a case has.

    Attributes:
        distinct: Sentences that differ in text, copying or repetition.
        weights: (cases, distinct) sum of 2^(-age / half-life) over a case's sentences.
        present: (cases,) True where a case has a sentence.
    """

    distinct: tuple[Sentence, ...]
    weights: sparse.csr_matrix
    present: NDArray[np.bool_]

    def totals(self) -> Floats:
        """(cases, 1) summed weight of each case's sentences."""
        return np.asarray(self.weights.sum(axis=1), dtype=float).reshape(-1, 1)


def sentence_table(notes: Sequence[ReadNotes], half_life_days: float) -> SentenceTable:
    """The cases' sentences, each distinct one once.

    Args:
        notes: Each case's sentences.
        half_life_days: After so many days a sentence counts half.
    """
    from scipy import sparse

    place: dict[Sentence, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    weights: list[float] = []
    for row, read in enumerate(notes):
        for dated in read.sentences:
            own = dated.sentence
            key = Sentence(own.text, 0, "", own.copied, own.repeated)
            rows.append(row)
            columns.append(place.setdefault(key, len(place)))
            weights.append(age_weight(dated.age_days, half_life_days))
    matrix = sparse.csr_matrix((weights, (rows, columns)), shape=(len(notes), len(place)))
    present = np.array([bool(read.sentences) for read in notes], dtype=bool)
    return SentenceTable(tuple(place), matrix, present)


def age_weight(age_days: float, half_life_days: float) -> float:
    """How much a sentence of that age counts, from 1 downward."""
    return float(0.5 ** (age_days / half_life_days))


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """What turns sentences into features: the terms and, where there is an encoder, its components."""

    terms: Terms
    components: Components | None

    def of(
        self, sentences: Sequence[Sentence], encoder: SentenceEncoder | None
    ) -> tuple[sparse.csr_matrix, Floats]:
        """(sentences, terms) and (sentences, components); the latter has no columns without an encoder."""
        terms = self.terms.matrix(sentences)
        if self.components is None or encoder is None:
            return terms, np.zeros((len(sentences), 0))
        return terms, self.components.matrix(sentences, encoder)
