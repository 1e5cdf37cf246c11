"""The tokens of many cases as arrays, padded to the longest case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.errors import CohortError
from prognosis.evidence import EvidenceModel, Token
from prognosis.fusion.cross_fitting import CrossFitted

PADDING = -1


@dataclass(frozen=True, slots=True)
class TokenTable:
    """n cases of at most T tokens; what stands where `modality` is PADDING is never read.

    Attributes:
        modalities: Names of the M modalities, in order.
        modality: (n, T) place of each token's modality in `modalities`; PADDING where there is no token.
        evidence: (n, T, K, B) log-hazard (log-odds for a class) of each cause in each bin; B is 1 where no
            evidence changes with time.
        vector: (n, T, V) each token's vector, zero beyond the width of its modality.
        age_days: (n, T) days from when it was known to the index.
    """

    modalities: tuple[str, ...]
    modality: NDArray[np.int64]
    evidence: NDArray[np.float32]
    vector: NDArray[np.float32]
    age_days: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.modality)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> TokenTable:
        """The tokens of the cases at `rows`, padded to the longest of these."""
        longest = max(1, int((self.modality[rows] != PADDING).sum(axis=1).max(initial=0)))
        order = np.argsort(self.modality[rows] == PADDING, axis=1, kind="stable")[:, :longest]

        def taken(values: NDArray[np.float32]) -> NDArray[np.float32]:
            places = order.reshape(*order.shape, *([1] * (values.ndim - 2)))
            return np.asarray(np.take_along_axis(values[rows], places, axis=1))

        modality = np.take_along_axis(self.modality[rows], order, axis=1)
        return TokenTable(
            self.modalities, modality, taken(self.evidence), taken(self.vector), taken(self.age_days)
        )

    def keeping(self, keep: Sequence[bool] | NDArray[np.bool_]) -> TokenTable:
        """The tokens of only the modalities flagged in `keep`; the others become absent in every case."""
        kept = np.append(np.asarray(keep, dtype=bool), False)  # the last is the place of PADDING
        return replace(self, modality=np.where(kept[self.modality], self.modality, PADDING))


def tokens_of(models: Mapping[str, EvidenceModel], cases: Sequence[Case]) -> TokenTable:
    """What a trained model's evidence says of cases that it has not seen, token by token.

    Args:
        models: Modality to its evidence model.
        cases: At least one of them with a token.

    Raises:
        CohortError: No case has a token.
    """
    names, widths = tuple(models), [model.width for model in models.values()]
    return _padded(names, max(widths), _joined([model.tokens_of(cases) for model in models.values()]))


def out_of_fold_tokens(evidence: CrossFitted, cases: Sequence[Case]) -> TokenTable:
    """The training cases' tokens, each by the fold's model that did not see its patient.

    Args:
        evidence: The fitted modalities.
        cases: The training cases, in the order in which they were fitted.

    Raises:
        CohortError: No case has a token.
    """
    names, widths = tuple(evidence.fitted), [fitted.model.width for fitted in evidence.fitted.values()]
    found: list[list[Token]] = [[] for _ in cases]
    for fold in np.unique(evidence.folds):
        rows = np.flatnonzero(evidence.folds == fold)
        some = [cases[int(row)] for row in rows]
        told = _joined([fitted.by_fold[fold].tokens_of(some) for fitted in evidence.fitted.values()])
        for row, own in zip(rows, told, strict=True):
            found[int(row)] = own
    return _padded(names, max(widths), found)


def _joined(by_modality: Sequence[Sequence[Sequence[Token]]]) -> list[list[Token]]:
    """Each case's tokens of all modalities, one after the other."""
    return [[token for own in case for token in own] for case in zip(*by_modality, strict=True)]


def _padded(names: tuple[str, ...], width: int, found: Sequence[Sequence[Token]]) -> TokenTable:
    shape = len(found), max([1, *(len(own) for own in found)])
    causes, bins = _largest(token.evidence.shape for own in found for token in own)
    modality = np.full(shape, PADDING, dtype=np.int64)
    evidence = np.zeros((*shape, causes, bins), dtype=np.float32)
    vector = np.zeros((*shape, width), dtype=np.float32)
    age_days = np.zeros(shape, dtype=np.float32)
    for row, own in enumerate(found):
        for place, token in enumerate(own):
            modality[row, place] = names.index(token.modality)
            evidence[row, place] = token.evidence
            vector[row, place, : len(token.vector)] = token.vector
            age_days[row, place] = token.age_days
    return TokenTable(names, modality, evidence, vector, age_days)


def _largest(shapes: Iterable[tuple[int, ...]]) -> tuple[int, int]:
    stated = list(shapes)
    if not stated:
        raise CohortError(
            "tokens of the cases", "are none: no case has a modality that is read", "add sources or cases"
        )
    found = np.array(stated).max(axis=0)
    return int(found[0]), int(found[1])
