"""What patients are like, learned without outcomes: how unusual one is, and what may interact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.clinical.config import ClinicalConfig
from prognosis.evidence.clinical.preparation import Preparation, learn_preparation
from prognosis.evidence.clinical.windows import Column, WindowTable

Floats = NDArray[np.float64]

_LEVELS = frozenset({"last", "mean", "min", "max", "is"})


@dataclass(frozen=True, slots=True)
class PatientSpace:
    """What was learned on all training patients; the same for every fold.

    Attributes:
        preparation: Of the columns.
        directions: (p, d) standardised columns to scores of unit training variance, for the distance from
            the other patients.
        levels: (p, L) standardised columns to the level of each of the facts that most patients have, of unit
            training variance: what may interact with other modalities.
        usual: The 99th percentile of the squared length of training scores.
    """

    preparation: Preparation
    directions: Floats
    levels: Floats
    usual: float

    def scores(self, values: Floats, columns: Sequence[Column]) -> Floats:
        """(n, L) levels; 0 is the training mean."""
        return np.asarray(self.preparation.standardised(values, columns) @ self.levels, dtype=float)

    def distance(self, values: Floats, columns: Sequence[Column]) -> Floats:
        """(n,) squared distance from the training mean in units of its 99th percentile there.

        A level far beyond all that were seen counts as far as it lies, though evidence reads it as the
        largest seen: a number under the wrong unit is told by this.
        """
        return _squared_length(self.preparation, self.directions, values, columns) / self.usual


def patient_space(table: WindowTable, columns: Sequence[Column], config: ClinicalConfig) -> PatientSpace:
    """Learn it on the rows that are there.

    Args:
        table: The training cases'.
        columns: The table's.
        config: How many directions and levels.
    """
    values = table.values[table.present]
    preparation = learn_preparation(values, columns, config.fewest(len(values)), config.closest)
    standard = preparation.standardised(values, columns)
    directions = _leading(standard, config.directions)
    length = _squared_length(preparation, directions, values, columns)
    usual = max(float(np.quantile(length, 0.99)), 1e-12) if directions.size else 1.0
    kept = [columns[place] for place in preparation.kept]
    levels = np.zeros((len(kept), 0))
    for concept in _commonest(values, columns, config.interacting):
        own = [place for place, column in enumerate(kept) if column.concept == concept]
        own = [place for place in own if kept[place].statistic in _LEVELS] or own
        if own:
            level = np.zeros((len(kept), 1))
            level[own] = _leading(standard[:, own], 1)[:, :1]
            levels = np.column_stack([levels, level])
    return PatientSpace(preparation, directions, levels, usual)


def _squared_length(
    preparation: Preparation, directions: Floats, values: Floats, columns: Sequence[Column]
) -> Floats:
    """(n,) of the scores in the directions, levels as far out as they lie."""
    scores = preparation.standardised(values, columns, far=True) @ directions
    return np.asarray((scores**2).sum(axis=1))


def _commonest(values: Floats, columns: Sequence[Column], most: int) -> list[int]:
    """The concepts that most rows have, in the vocabulary's order."""
    there = {
        column.concept: int((values[:, place] == 0.0).sum())
        for place, column in enumerate(columns)
        if column.statistic == "not_measured"
    }
    return sorted(sorted(there, key=lambda concept: (-there[concept], concept))[:most])


def _leading(standard: Floats, most: int) -> Floats:
    """(p, at most `most`) principal directions, scores of unit variance, the largest entry positive."""
    spread, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
    spread, vectors = spread[::-1], vectors[:, ::-1]
    count = min(most, int((spread > 1e-6).sum()))
    vectors = vectors[:, :count]
    if count:
        vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(count)])
    return np.asarray(vectors / np.sqrt(spread[:count]))
