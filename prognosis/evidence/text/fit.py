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
from prognosis.evidence.text.model import SentenceWeights, TextEvidence, assemble, compiled
from prognosis.evidence.text.sentences import ReadNotes, read_notes
from prognosis.evidence.text.terms import learn_terms
from prognosis.evidence.token import FittedEvidence, Fitting

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Member:
    """One member's features: (cases, p) sums over sentences, not yet centred.

    Terms are brought to one scale; a principal component counts by how far sentences spread along it and by
    its `belief`.
    """

    sums: Floats
    totals: Floats
    belief: Floats | None = None

    def centre(self, kept: NDArray[np.bool_]) -> Floats:
        """(p,) the average sentence of the kept cases."""
        return np.asarray(self.sums[kept].sum(axis=0) / self.totals[kept].sum(), dtype=float)

    def centred(self, centre: Floats) -> Floats:
        """(cases, p) sums of sentences less the average one."""
        return np.asarray(self.sums - self.totals * centre, dtype=float)


@dataclass(frozen=True, slots=True)
class _FoldWeights:
    """(p, causes) weights of one member from one fold, and the average sentence that centred it."""

    coefficients: Floats
    centre: Floats


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
    members = _members(table, features, encoder)
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
    members: tuple[_Member, ...]
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
    evidence = [_left_out(member, own, folds) for member, own in zip(members, fitted, strict=True)]
    share = _shares(evidence, rows, folds)
    gain = averaging_gain(_by_fold(members, fitted, share), folds, table.present)
    directions = _directions(members[-1], table.present, config.directions)
    usual = _usual(members[-1].centred(directions.centre)[table.present] @ directions.coefficients)
    left_out = evidence[0]
    if len(members) > 1:
        left_out = (1.0 - share[folds]) * evidence[0] + share[folds] * evidence[1]
    scores = members[-1].centred(directions.centre) @ directions.coefficients
    outputs = np.concatenate([left_out, scores], axis=1)

    def of(own: Sequence[Sequence[_FoldWeights]], part: Floats, gain: Floats) -> TextEvidence:
        weights = _average(members, own, part, directions, gain)
        return TextEvidence(config, target.causes, read.patterns, read.features, weights, usual, part)

    by_fold = tuple(
        of([[member[fold]] for member in fitted], share[fold : fold + 1], np.ones_like(gain))
        for fold in range(len(share))
    )
    left_out_evidence = assemble(table, read.notes, outputs, len(target.causes), usual)
    widened = spread_of_average(left_out_evidence, gain, len(target.causes))
    return FittedEvidence(of(fitted, share, gain), left_out_evidence, by_fold, widened)


def _members(
    table: SentenceTable, features: TextFeatures, encoder: SentenceEncoder | None
) -> tuple[_Member, ...]:
    """The term member and, where there is an encoder, the encoder member."""
    terms, components = features.of(table.distinct, encoder)
    totals = table.totals()
    first = _Member(np.asarray((table.weights @ terms).toarray(), dtype=float), totals)
    if features.components is None:
        return (first,)
    sums = np.asarray(table.weights @ components, dtype=float)
    return (first, _Member(sums, totals, features.components.belief))


def _fit_folds(
    members: Sequence[_Member],
    rows: _Rows,
    folds: NDArray[np.int64],
    config: TextConfig,
    seed: int,
    on_progress: Callable[[str, int, int], None] | None,
) -> list[list[_FoldWeights]]:
    """Per member, per fold: weights learned without the fold."""
    fitted: list[list[_FoldWeights]] = [[] for _ in members]
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
            own.append(_FoldWeights((believed * readout.coefficients.T).T, centre))
        if on_progress is not None:
            on_progress("text evidence", fold + 1, count)
    return fitted


def _by_fold(members: Sequence[_Member], fitted: Sequence[Sequence[_FoldWeights]], share: Floats) -> Floats:
    """(folds, cases, causes) evidence of every case by every fold's weights."""
    parts = (1.0 - share, share)
    return np.sum(
        [
            [
                part * (member.centred(fold.centre) @ fold.coefficients)
                for fold, part in zip(own, each, strict=True)
            ]
            for member, own, each in zip(members, fitted, parts, strict=False)
        ],
        axis=0,
    )


def _left_out(member: _Member, fitted: Sequence[_FoldWeights], folds: NDArray[np.int64]) -> Floats:
    """(cases, causes) evidence of each case by the weights that did not see it."""
    evidence = np.zeros((len(folds), fitted[0].coefficients.shape[1]))
    for fold, own in enumerate(fitted):
        out = folds == fold
        evidence[out] = (member.centred(own.centre) @ own.coefficients)[out]
    return evidence


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


def _directions(member: _Member, present: NDArray[np.bool_], most: int) -> _FoldWeights:
    """(p, directions) principal directions of the cases' standardised sums, of unit variance."""
    centre = member.centre(present)
    sums = member.centred(centre)[present]
    scale = np.sqrt((sums**2).mean(axis=0))
    scale = np.where(scale > 1e-9, scale, np.inf)
    spread, vectors = np.linalg.eigh((sums / scale).T @ (sums / scale) / len(sums))
    count = min(most, int((spread > 1e-6).sum()))
    leading, spread = vectors[:, ::-1][:, :count], spread[::-1][:count]
    signs = np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(count)]) if count else np.ones(0)
    return _FoldWeights(leading * signs / np.sqrt(spread) / scale[:, None], centre)


def _usual(scores: Floats) -> float:
    return max(float(np.quantile((scores**2).sum(axis=1), 0.99)), 1e-12)


def _average(
    members: Sequence[_Member],
    fitted: Sequence[Sequence[_FoldWeights]],
    share: Floats,
    directions: _FoldWeights,
    gain: Floats,
) -> SentenceWeights:
    """The fold models as one, times `gain` (causes,): an average of linear models is linear."""
    width = directions.coefficients.shape[1]
    parts = (1.0 - share, share)
    weights: list[Floats] = []
    centre = np.zeros(share.shape[1])
    for member, own, part in zip(members, fitted, parts, strict=False):
        average = np.zeros((member.sums.shape[1], share.shape[1]))
        for fold, weight in zip(own, part, strict=True):
            average += gain * fold.coefficients * weight / len(own)
            centre += gain * (fold.centre @ fold.coefficients) * weight / len(own)
        weights.append(np.concatenate([average, np.zeros((len(average), width))], axis=1))
    weights[-1][:, share.shape[1] :] = directions.coefficients
    if len(weights) == 1:
        weights.append(np.zeros((0, share.shape[1] + width)))
    whole = np.concatenate([centre, directions.centre @ directions.coefficients])
    return SentenceWeights(weights[0], weights[1], whole)
