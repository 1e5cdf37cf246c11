"""Clinical evidence: windows over coded events, read by a linear model and by trees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence.clinical.concepts import Vocabulary
from prognosis.evidence.clinical.config import ClinicalConfig
from prognosis.evidence.clinical.fold_model import FoldModel
from prognosis.evidence.clinical.patient_space import PatientSpace
from prognosis.evidence.clinical.tree_shapley import InterventionalTables
from prognosis.evidence.clinical.windows import Column, WindowTable, table_columns, window_table
from prognosis.evidence.token import ModalityEvidence, Token

if TYPE_CHECKING:
    from prognosis.evidence.array_cache import ArrayCache

Floats = NDArray[np.float64]


class ClinicalEvidence:
    """The average over fold models of a linear read-out and trees, split by clinical concept.

    Trees are centred on the mean of the background rows, the linear member on its training mean; the rows
    are spread evenly over the training patients' risk so that both are the same population.
    """

    modality = "clinical"

    def __init__(
        self,
        config: ClinicalConfig,
        causes: tuple[str, ...],
        vocabulary: Vocabulary,
        space: PatientSpace,
        folds: Sequence[FoldModel],
        background: Floats,
    ) -> None:
        self.config = config
        self.causes = causes
        self.vocabulary = vocabulary
        self.space = space
        self.folds = tuple(folds)
        self.background = background
        self.columns = table_columns(vocabulary, config.windows_days)
        self.width = len(causes) + space.levels.shape[1]
        self.shares: ArrayCache | None = None
        self._prepared: dict[int, list[InterventionalTables]] = {}

    def __getstate__(self) -> dict[str, object]:
        """Without the prepared tables: they hold functions, and are made again when asked for."""
        return {**self.__dict__, "_prepared": {}}

    def summarise(self, cases: Sequence[Case]) -> ModalityEvidence:
        """The clinical evidence of each case; zeros where nothing usable was known."""
        table = window_table(cases, self.vocabulary, self.columns)
        each = [fold.evidence(table.values, self.columns, self.background) for fold in self.folds]
        evidence = np.sum(each, axis=0)
        return assemble(table, evidence / len(self.folds), self.space, self.columns)

    def tokens(self, case: Case) -> tuple[Token, ...]:
        """One token a clinical concept; what was not measured has one where its absence says something."""
        return self.tokens_of([case])[0]

    def tokens_of(self, cases: Sequence[Case]) -> list[tuple[Token, ...]]:
        """The tokens of each case; trees are asked about all of them at once."""
        from prognosis.evidence.clinical.tokens import concept_tokens

        return concept_tokens(self, cases)

    def by_column(self, values: Floats) -> Floats:
        """(n, columns, causes, bins) exact Shapley values of the evidence, averaged over folds.

        Those of one case are kept where there is a cache; of many, tables pay for themselves.
        """
        if self.shares is None or len(values) != 1:
            return self._by_column(values)
        shape = (*values.shape, len(self.causes), self.folds[0].bins)
        read = np.ascontiguousarray(values[0], "<f8").tobytes()
        return self.shares.kept(read, shape, lambda: self._by_column(values))

    def _by_column(self, values: Floats) -> Floats:
        total = np.zeros((*values.shape, len(self.causes), self.folds[0].bins))
        for number, fold in enumerate(self.folds):
            total += fold.linear_by_column(values, self.columns)[:, :, :, None]
            raw = fold.preparation.raw(values, self.columns)
            for own, tables in zip(fold.weighed_tables(), self._tables(number), strict=True):
                explained = own.factor * tables.values(raw)
                for bin_number in own.bins:
                    total[:, fold.preparation.kept, own.cause, bin_number] += explained
        return total / len(self.folds)

    def vector_by_column(self, values: Floats) -> Floats:
        """(n, columns, L) each column's part of the levels."""
        own = self.space.preparation
        out = np.zeros((*values.shape, self.space.levels.shape[1]))
        out[:, own.kept] = own.standardised(values, self.columns)[:, :, None] * self.space.levels
        return out

    def save(self, folder: Path) -> None:
        """Write config.json, model.safetensors and background.parquet into `folder`."""
        from prognosis.evidence.clinical.storage import save_clinical

        save_clinical(self, folder)

    def _tables(self, number: int) -> list[InterventionalTables]:
        """The fold's trees, prepared against the background once."""
        if number not in self._prepared:
            fold = self.folds[number]
            against = fold.preparation.raw(self.background, self.columns)
            self._prepared[number] = [
                InterventionalTables.prepare(own.table, against) for own in fold.weighed_tables()
            ]
        return self._prepared[number]


def assemble(
    table: WindowTable, evidence: Floats, space: PatientSpace, columns: Sequence[Column]
) -> ModalityEvidence:
    """The modality's evidence from each case's, with absent cases zeroed.

    Args:
        table: The cases' window table.
        evidence: (n, causes, bins or 1).
        space: For the vector and the distance.
        columns: The table's.
    """
    scores = space.scores(table.values, columns)
    vector = np.concatenate([evidence.mean(axis=2), scores], axis=1)
    distance = space.distance(table.values, columns)
    here = table.present
    return ModalityEvidence(
        present=here,
        evidence=np.where(here[:, None, None], evidence, 0.0),
        vector=np.where(here[:, None], vector, 0.0),
        typical_distance=np.where(here, distance, 0.0),
        withheld=table.withheld,
    )
