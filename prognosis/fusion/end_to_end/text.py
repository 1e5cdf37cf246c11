"""Notes in joint training: the weights of terms and of the frozen encoder's components move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from prognosis.cohort import Case
from prognosis.evidence import EvidenceModel, ModalityEvidence
from prognosis.evidence.text.features import sentence_table
from prognosis.evidence.text.model import SentenceWeights, TextEvidence, assemble, compiled
from prognosis.evidence.text.sentences import read_notes
from prognosis.fusion.end_to_end.parts import Array, Flags, LinearReader, Reader


class TextPart:
    """The sentences of all cases and their features, which no fold changes.

    Args:
        cases: The cases.
        start: Any fold's model: they share their features.
    """

    def __init__(self, cases: Sequence[Case], start: EvidenceModel) -> None:
        model = cast("TextEvidence", start)
        patterns = compiled(model.sentence_patterns)
        self.notes = [read_notes(case, patterns, model.config.most_sentences) for case in cases]
        self.table = sentence_table(self.notes, model.config.half_life_days)
        self.terms, self.components = model.features.of(self.table.distinct, model.encoder)
        self.sums = np.concatenate(
            [np.asarray((self.table.weights @ self.terms).todense()), self.table.weights @ self.components],
            axis=1,
        )

    @property
    def present(self) -> Flags:
        """(n,) True where a case has a sentence."""
        return self.table.present

    def reader(self, start: EvidenceModel, learn: Flags) -> LinearReader:
        """The fold's model, whose weights of features move."""
        model, here = cast("TextEvidence", start), learn & self.present
        outputs, causes = self._outputs(model), len(model.causes)
        features = self.sums - self.table.totals() * self._average_sentence(here)
        return LinearReader(outputs[:, :causes, None], features, outputs[:, causes:], here)

    def model(self, start: EvidenceModel, reader: Reader, learn: Flags) -> TextEvidence:
        """The fold's model with its weights where training took them, an average sentence still at zero."""
        model, own = cast("TextEvidence", start), cast("LinearReader", reader)
        moved, causes, terms = own.coefficients(), len(model.causes), self.terms.shape[1]
        weights = model.weights
        parts = [weights.terms.copy(), weights.components.copy(), weights.centre.copy()]
        parts[0][:, :causes] += moved[:terms]
        parts[1][:, :causes] += moved[terms:]
        parts[2][:causes] += self._average_sentence(learn & self.present) @ moved
        return _with_weights(model, SentenceWeights(*parts), model.share)

    def evidence(self, model: EvidenceModel) -> ModalityEvidence:
        """What a model says of every case."""
        own = cast("TextEvidence", model)
        return assemble(self.table, self.notes, self._outputs(own), len(own.causes), own.usual)

    def average(self, models: Sequence[EvidenceModel], gain: Array) -> TextEvidence:
        """One model whose weights are the folds' means: an average of linear models is linear."""
        owned = [cast("TextEvidence", model) for model in models]
        each = [model.weights for model in owned]
        scale = np.concatenate([gain, np.ones(owned[0].width - len(gain))])  # directions stay as they are
        means = SentenceWeights(
            scale * np.mean([own.terms for own in each], axis=0),
            scale * np.mean([own.components for own in each], axis=0),
            scale * np.mean([own.centre for own in each], axis=0),
        )
        return _with_weights(owned[0], means, np.concatenate([model.share for model in owned]))

    def _outputs(self, model: TextEvidence) -> Array:
        return np.asarray(self.table.weights @ model.weights.of(self.terms, self.components), dtype=float)

    def _average_sentence(self, rows: Flags) -> Array:
        """(p,) the features of the average sentence of the cases at `rows`."""
        return np.asarray(self.sums[rows].sum(axis=0) / self.table.totals()[rows].sum(), dtype=float)


def _with_weights(model: TextEvidence, weights: SentenceWeights, share: Array) -> TextEvidence:
    return TextEvidence(
        model.config,
        model.causes,
        model.sentence_patterns,
        model.features,
        weights,
        model.usual,
        share,
    )
