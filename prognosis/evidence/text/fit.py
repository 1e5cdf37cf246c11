"""Training of the text evidence, fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.cohort.splits import patient_folds
from prognosis.cohort.target import Target
from prognosis.errors import CohortError
from prognosis.evidence.averaging import averaging_gain, spread_of_average
from prognosis.evidence.readout import case_weights, fit_readout
from prognosis.evidence.stack import convex_weights_by_fold
from prognosis.evidence.text.config import TextConfig
from prognosis.evidence.text.encoder import SentenceEncoder
from prognosis.evidence.text.features import (
    SentenceTable,
    TextFeatures,
    learn_components,
    sentence_table,
)
from prognosis.evidence.text.members import (
    FoldWeights,
    Member,
    average,
    evidence_by_fold,
    left_out,
    members_of,
    principal_directions,
)
from prognosis.evidence.text.model import TextEvidence, assemble, compiled
from prognosis.evidence.text.sentences import ReadNotes, read_notes
from prognosis.evidence.text.terms import learn_terms
from prognosis.evidence.token import FittedEvidence, Fitting

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What goes with each case."""

    target: Target
    patients: NDArray[np.str_]
    weights: Floats
    present: NDArray[np.bool_]
    offset: Floats | None = None

    @property
    def known(self) -> Floats:
        """(cases, causes) evidence known from elsewhere; zeros for none."""
        return np.zeros((len(self.target), len(self.target.causes))) if self.offset is None else self.offset


def fit_text(
    cases: Sequence[Case],
    target: Target,
    folds: NDArray[np.int64],
    config: TextConfig,
    seed: int,
    sentence_patterns: tuple[str, ...],
    on_progress: Callable[[str, int, int], None] | None = None,
) -> FittedEvidence:
    """Read the notes and fit them; see `text_fitting`."""
    return text_fitting(cases, target, folds, config, seed, sentence_patterns, on_progress)(None)


def text_fitting(
    cases: Sequence[Case],
    target: Target,
    folds: NDArray[np.int64],
    config: TextConfig,
    seed: int,
    sentence_patterns: tuple[str, ...],
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Fitting:
    """What trains a term member and an encoder member a fold from the cases' notes, and keeps their average.

    The vocabulary and the principal components come from all cases without their labels; read-outs, centres
    and the share of the encoder are learned without the fold that they are tested on.

    Args:
        cases: (n) training cases.
        target: What happened to each.
        folds: (n,) fold of each case, 0 to F - 1, equal for all cases of a patient.
        config: Settings.
        seed: Of the inner folds.
        sentence_patterns: Regular expressions; a sentence that matches one is dropped and counted.
        on_progress: Told (what, folds done, folds in all).

    Raises:
        CohortError: No case has a sentence that can be read.
        MissingDependencyError: The encoder is not installed.
    """
    patterns = compiled(sentence_patterns)
    notes = [read_notes(case, patterns, config.most_sentences) for case in cases]
    table = sentence_table(notes, config.half_life_days)
    if not table.present.any():
        raise CohortError("text evidence", "no case has a sentence", "check the notes and the screening")
    encoder = None if config.encoder == "none" else SentenceEncoder(config.encoder)
    read = [[dated.sentence for dated in own.sentences] for own in notes if own.sentences]
    fewest = config.fewest(len(read))
    terms = learn_terms(read, fewest, config.most_terms, config.fewest_share)
    features = TextFeatures(terms, None)
    if encoder is not None:
        vectors = encoder.encode([sentence.text for sentence in table.distinct])
        components = learn_components(vectors, config.dimensions, config.trend_dimensions)
        features = TextFeatures(terms, components)
    members = members_of(table, features, encoder)
    patients = np.array([case.patient for case in cases])
    rows = _Rows(target, patients, case_weights(target, patients), table.present)
    read_so_far = _Read(tuple(notes), table, features, members, sentence_patterns)
    return partial(_fit, read_so_far, rows, folds, config, seed, on_progress)


@dataclass(frozen=True, slots=True)
class _Read:
    """The training cases' notes as features."""

    notes: tuple[ReadNotes, ...]
    table: SentenceTable
    features: TextFeatures
    members: tuple[Member, ...]
    patterns: tuple[str, ...]


def _fit(
    read: _Read,
    rows: _Rows,
    folds: NDArray[np.int64],
    config: TextConfig,
    seed: int,
    on_progress: Callable[[str, int, int], None] | None,
    offset: Floats | None,
) -> FittedEvidence:
    """The read-outs of all folds, beside evidence known from elsewhere."""
    rows = replace(rows, offset=offset)
    members, table, target = read.members, read.table, rows.target
    fitted = _fit_folds(members, rows, folds, config, seed, on_progress)
    evidence = [left_out(member, own, folds) for member, own in zip(members, fitted, strict=True)]
    share = _shares(evidence, rows, folds)
    gain = averaging_gain(evidence_by_fold(members, fitted, share), folds, table.present)
    directions = principal_directions(members[-1], table.present, config.directions)
    usual = _usual(members[-1].centred(directions.centre)[table.present] @ directions.coefficients)
    unseen = evidence[0]
    if len(members) > 1:
        unseen = (1.0 - share[folds]) * evidence[0] + share[folds] * evidence[1]
    scores = members[-1].centred(directions.centre) @ directions.coefficients
    outputs = np.concatenate([unseen, scores], axis=1)

    def of(own: Sequence[Sequence[FoldWeights]], part: Floats, gain: Floats) -> TextEvidence:
        weights = average(members, own, part, directions, gain)
        return TextEvidence(config, target.causes, read.patterns, read.features, weights, usual, part)

    by_fold = tuple(
        of([[member[fold]] for member in fitted], share[fold : fold + 1], np.ones_like(gain))
        for fold in range(len(share))
    )
    left_out_evidence = assemble(table, read.notes, outputs, len(target.causes), usual)
    widened = spread_of_average(left_out_evidence, gain, len(target.causes))
    return FittedEvidence(of(fitted, share, gain), left_out_evidence, by_fold, widened)


def _fit_folds(
    members: Sequence[Member],
    rows: _Rows,
    folds: NDArray[np.int64],
    config: TextConfig,
    seed: int,
    on_progress: Callable[[str, int, int], None] | None,
) -> list[list[FoldWeights]]:
    """Per member, per fold: weights learned without the fold."""
    fitted: list[list[FoldWeights]] = [[] for _ in members]
    count = int(folds.max()) + 1
    for fold in range(count):
        kept = (folds != fold) & rows.present
        target = rows.target.take(kept)
        inner = patient_folds(rows.patients[kept], target.cause, config.inner_folds, seed + 1)
        for own, member in zip(fitted, members, strict=True):
            centre = member.centre(kept)
            believed = 1.0 if member.belief is None else member.belief
            features, weights = believed * member.centred(centre)[kept], rows.weights[kept]
            known = None if rows.offset is None else rows.offset[kept]
            readout = fit_readout(
                features, target, inner, weights, offset=known, standardise=member.belief is None
            )
            own.append(FoldWeights((believed * readout.coefficients.T).T, centre))
        if on_progress is not None:
            on_progress("text evidence", fold + 1, count)
    return fitted


def _shares(evidence: Sequence[Floats], rows: _Rows, folds: NDArray[np.int64]) -> Floats:
    """(folds, causes) weight of the encoder member."""
    here = rows.present
    if len(evidence) == 1:
        return np.zeros((int(folds.max()) + 1, evidence[0].shape[1]))
    first, second = (own + rows.known for own in evidence)
    return convex_weights_by_fold(
        first[here],
        second[here],
        rows.target.take(here),
        folds[here],
        weights=rows.weights[here],
    )


def _usual(scores: Floats) -> float:
    return max(float(np.quantile((scores**2).sum(axis=1), 0.99)), 1e-12)
