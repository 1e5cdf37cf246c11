"""Members of the text evidence: sums over a case's sentences, the weights of each fold, their average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.text.encoder import SentenceEncoder
from prognosis.evidence.text.features import SentenceTable, TextFeatures
from prognosis.evidence.text.model import SentenceWeights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Member:
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
class FoldWeights:
    """(p, causes) weights of one member from one fold, and the average sentence that centred it."""

    coefficients: Floats
    centre: Floats


def members_of(
    table: SentenceTable, features: TextFeatures, encoder: SentenceEncoder | None
) -> tuple[Member, ...]:
    """The term member and, where there is an encoder, the encoder member."""
    terms, components = features.of(table.distinct, encoder)
    totals = table.totals()
    first = Member(np.asarray((table.weights @ terms).toarray(), dtype=float), totals)
    if features.components is None:
        return (first,)
    sums = np.asarray(table.weights @ components, dtype=float)
    return (first, Member(sums, totals, features.components.belief))


def evidence_by_fold(
    members: Sequence[Member], fitted: Sequence[Sequence[FoldWeights]], share: Floats
) -> Floats:
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


def left_out(member: Member, fitted: Sequence[FoldWeights], folds: NDArray[np.int64]) -> Floats:
    """(cases, causes) evidence of each case by the weights that did not see it."""
    evidence = np.zeros((len(folds), fitted[0].coefficients.shape[1]))
    for fold, own in enumerate(fitted):
        out = folds == fold
        evidence[out] = (member.centred(own.centre) @ own.coefficients)[out]
    return evidence


def principal_directions(member: Member, present: NDArray[np.bool_], most: int) -> FoldWeights:
    """(p, directions) principal directions of the cases' standardised sums, of unit variance."""
    centre = member.centre(present)
    sums = member.centred(centre)[present]
    scale = np.sqrt((sums**2).mean(axis=0))
    scale = np.where(scale > 1e-9, scale, np.inf)
    spread, vectors = np.linalg.eigh((sums / scale).T @ (sums / scale) / len(sums))
    count = min(most, int((spread > 1e-6).sum()))
    leading, spread = vectors[:, ::-1][:, :count], spread[::-1][:count]
    signs = np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(count)]) if count else np.ones(0)
    return FoldWeights(leading * signs / np.sqrt(spread) / scale[:, None], centre)


def average(
    members: Sequence[Member],
    fitted: Sequence[Sequence[FoldWeights]],
    share: Floats,
    directions: FoldWeights,
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
