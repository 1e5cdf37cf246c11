"""Text evidence: every sentence's own share, from its terms and from its encoded meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence.text.config import TextConfig
from prognosis.evidence.text.encoder import SentenceEncoder
from prognosis.evidence.text.features import SentenceTable, TextFeatures, age_weight, sentence_table
from prognosis.evidence.text.sentences import (
    DatedSentence,
    ReadNotes,
    Sentence,
    normal_form,
    read_notes,
    split_note,
)
from prognosis.evidence.text.spans import sentence_spans
from prognosis.evidence.token import ModalityEvidence, Token
from prognosis.record import Note

if TYPE_CHECKING:
    from prognosis.evidence.array_cache import ArrayCache

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SentenceWeights:
    """What one sentence adds, before it is weighted by its age: features @ weights - centre.

    The centre is that of the average training sentence, each weighted by its age, so that the training
    cases' sums average to zero without a further term: a sentence counts against an ordinary sentence.

    Attributes:
        terms: (terms, outputs).
        components: (component features, outputs).
        centre: (outputs,).
    """

    terms: Floats
    components: Floats
    centre: Floats

    def of(self, terms: object, components: Floats) -> Floats:
        """(sentences, outputs) what each sentence adds."""
        return np.asarray(terms @ self.terms + components @ self.components - self.centre, dtype=np.float64)  # type: ignore[operator]


class TextEvidence:
    """The average over fold models of a term member and an encoder member; a sum over sentences.

    Outputs of a sentence are the evidence per cause, then unsupervised directions for the vector.
    """

    modality = "text"

    def __init__(
        self,
        config: TextConfig,
        causes: tuple[str, ...],
        sentence_patterns: tuple[str, ...],
        features: TextFeatures,
        weights: SentenceWeights,
        usual: float,
        share: Floats,
    ) -> None:
        self.config = config
        self.causes = causes
        self.sentence_patterns = sentence_patterns
        self.features = features
        self.weights = weights
        self.usual = usual
        self.share = share  # (folds, causes) weight of the encoder member
        self.encoder = None if config.encoder == "none" else SentenceEncoder(config.encoder)
        self.kept: ArrayCache | None = None
        self.width = len(weights.centre)
        self._patterns = compiled(sentence_patterns)

    def summarise(self, cases: Sequence[Case]) -> ModalityEvidence:
        """The text evidence of each case; zeros where no sentence can be read."""
        notes = [read_notes(case, self._patterns, self.config.most_sentences) for case in cases]
        table = sentence_table(notes, self.config.half_life_days)
        told = self._of(table.distinct) if len(cases) > 1 else self._of_one(table.distinct)
        outputs = np.asarray(table.weights @ told, dtype=float)
        return assemble(table, notes, outputs, len(self.causes), self.usual)

    def tokens(self, case: Case) -> tuple[Token, ...]:
        """One token a sentence of the notes that are read, the oldest first."""
        read = read_notes(case, self._patterns, self.config.most_sentences)
        outputs = self._of_one([dated.sentence for dated in read.sentences])
        spans = {id(note): _spans(note) for note in {id(d.note): d.note for d in read.sentences}.values()}
        return tuple(
            self._token(dated, own, spans[id(dated.note)][dated.sentence.number])
            for dated, own in zip(read.sentences, outputs, strict=True)
        )

    def tokens_of(self, cases: Sequence[Case]) -> list[tuple[Token, ...]]:
        """The tokens of each case."""
        return [self.tokens(case) for case in cases]

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors into `folder`; an encoder stays where it is installed."""
        from prognosis.evidence.text.storage import save_text

        save_text(self, folder)

    def _of(self, sentences: Sequence[Sentence]) -> Floats:
        return self.weights.of(*self.features.of(sentences, self.encoder))

    def _of_one(self, sentences: Sequence[Sentence]) -> Floats:
        """The same of one case's sentences, kept where there is a cache.

        A vector differs in its last digits with the sentences that it was encoded beside, so what was encoded
        for another case before is no part of what is kept.
        """
        texts = [sentence.text for sentence in sentences]
        if self.kept is None or self.encoder is None or not self.encoder.knows_only(texts):
            return self._of(sentences)
        read = repr([(each.text, each.copied, each.repeated) for each in sentences]).encode(
            "utf-8", "surrogatepass"
        )
        return self.kept.kept(read, (len(sentences), self.width), lambda: self._of(sentences))

    def _token(self, dated: DatedSentence, outputs: Floats, span: tuple[int, int]) -> Token:
        sentence, note = dated.sentence, dated.note
        own = outputs * age_weight(dated.age_days, self.config.half_life_days)
        mark = (
            " (copied forward)"
            if sentence.copied
            else " (as in an earlier note)"
            if sentence.repeated
            else ""
        )
        return Token(
            modality=self.modality,
            name=f"{sentence.section or note.kind or 'note'}{mark}",
            detail=sentence.text,
            source=f"{note.source}#{sentence.number}",
            time=note.time.isoformat(),
            age_days=dated.age_days,
            evidence=own[: len(self.causes), None],
            vector=own,
            subject=f"{note.source or note.time.isoformat()}#{sentence.number}",
            family=sentence.section or note.kind or "note",
            topic=normal_form(sentence.text),
            span=span,
        )


def assemble(
    table: SentenceTable, notes: Sequence[ReadNotes], outputs: Floats, causes: int, usual: float
) -> ModalityEvidence:
    """The modality's evidence from each case's summed outputs (n, width); absent cases are zero."""
    outputs = np.where(table.present[:, None], outputs, 0.0)
    return ModalityEvidence(
        present=table.present,
        evidence=outputs[:, :causes, None],
        vector=outputs,
        typical_distance=(outputs[:, causes:] ** 2).sum(axis=1) / usual,
        withheld=tuple(read.withheld for read in notes),
    )


def _spans(note: Note) -> dict[int, tuple[int, int]]:
    """Where each sentence of a note stands in it, by its number."""
    sentences = split_note(note.text)
    spans = sentence_spans(note.text, sentences)
    return {sentence.number: span for sentence, span in zip(sentences, spans, strict=True)}


def compiled(patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """Screening patterns, which ignore case."""
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
