"""The term member's vocabulary: one- and two-word terms that carry negation and copying in their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.text.polarity import words_with_negation
from prognosis.evidence.text.sentences import Sentence

if TYPE_CHECKING:
    from scipy import sparse

_STOP = frozenset(
    {
        "the", "a", "an", "of", "and", "to", "in", "is", "was", "were", "are", "be", "been", "with", "on",
        "at", "for", "by", "from", "this", "that", "it", "as", "has", "have", "had", "there",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """A vocabulary and each term's inverse document frequency, log((1 + n) / (1 + holders)) + 1."""

    names: tuple[str, ...]
    idf: NDArray[np.float64]

    def matrix(self, sentences: Sequence[Sentence]) -> sparse.csr_matrix:
        """(sentences, terms) idf where the sentence has the term, else 0."""
        from scipy import sparse

        place = {name: number for number, name in enumerate(self.names)}
        rows: list[int] = []
        columns: list[int] = []
        for row, sentence in enumerate(sentences):
            own = sorted({place[term] for term in terms_of(sentence) if term in place})
            rows += [row] * len(own)
            columns += own
        values = self.idf[columns] if columns else np.zeros(0)
        return sparse.csr_matrix((values, (rows, columns)), shape=(len(sentences), len(self.names)))


def terms_of(sentence: Sentence) -> list[str]:
    """The sentence's terms: "NEG_fever" where denied, "OLD_fever" where copied, "#" for a number.

    A sentence that only repeats an earlier note's has its terms twice, plain and as OLD_: whether repeating
    takes weight away is for the data to say.
    """
    words = [
        f"NEG_{_plain(word)}" if negated else _plain(word)
        for word, negated in words_with_negation(sentence.text)
    ]
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    plain = [word for word in words if word.removeprefix("NEG_") not in _STOP] + pairs
    old = [f"OLD_{term}" for term in plain]
    if sentence.copied:
        return old
    return plain + old if sentence.repeated else plain


def learn_terms(patients: Sequence[Sequence[Sentence]], fewest: int, most: int, rarest_share: float) -> Terms:
    """The terms that enough patients have; of more than `most`, the commonest.

    Args:
        patients: The sentences of each training case.
        fewest: Cases that a term needs.
        most: Terms kept.
        rarest_share: A term that fewer than this share of the cases lack tells them apart too little.
    """
    holders: Counter[str] = Counter()
    known: dict[Sentence, list[str]] = {}
    for sentences in patients:
        own: set[str] = set()
        for sentence in sentences:
            key = Sentence(sentence.text, 0, "", sentence.copied, sentence.repeated)
            if key not in known:
                known[key] = terms_of(key)
            own.update(known[key])
        holders.update(own)
    highest = (1.0 - rarest_share) * len(patients)
    kept = [term for term, count in holders.items() if fewest <= count <= max(highest, fewest)]
    kept = sorted(sorted(kept), key=lambda term: -holders[term])[:most]
    idf = [np.log((1.0 + len(patients)) / (1.0 + holders[term])) + 1.0 for term in kept]
    return Terms(tuple(kept), np.array(idf, dtype=float))


def _plain(word: str) -> str:
    return "#" if word[0].isdigit() else word
