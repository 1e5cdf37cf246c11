"""Clinical facts in joint training: the linear member moves, the trees stay as they were grown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from prognosis.cohort import Case
from prognosis.evidence import EvidenceModel, ModalityEvidence
from prognosis.evidence.clinical.fold_model import FoldModel
from prognosis.evidence.clinical.model import ClinicalEvidence, assemble
from prognosis.evidence.clinical.windows import window_table
from prognosis.fusion.end_to_end.parts import Array, Flags, LinearReader, Reader


class ClinicalPart:
    """The window table of all cases.

    Args:
        cases: The cases.
        start: Any fold's model: they share their columns.
    """

    def __init__(self, cases: Sequence[Case], start: EvidenceModel) -> None:
        model = cast("ClinicalEvidence", start)
        self.columns = model.columns
        self.table = window_table(cases, model.vocabulary, model.columns)

    @property
    def present(self) -> Flags:
        """(n,) True where a case has a usable fact."""
        return self.table.present

    def reader(self, start: EvidenceModel, learn: Flags) -> LinearReader:
        """The fold's model, whose linear member moves."""
        model = cast("ClinicalEvidence", start)
        (fold,) = model.folds
        features = fold.preparation.standardised(self.table.values, self.columns) - fold.readout.means
        scores = model.space.scores(self.table.values, self.columns)
        return LinearReader(self._evidence(model), features, scores, learn & self.present)

    def model(self, start: EvidenceModel, reader: Reader, learn: Flags) -> ClinicalEvidence:
        """The fold's model with the linear member where training took it; it is centred as it was."""
        model, own = cast("ClinicalEvidence", start), cast("LinearReader", reader)
        (fold,) = model.folds
        moved = fold.readout.coefficients * fold.factors[0] + own.coefficients()
        factors = np.concatenate([np.ones((1, fold.factors.shape[1])), fold.factors[1:]])
        trained = replace(fold, readout=replace(fold.readout, coefficients=moved), factors=factors)
        return _with_folds(model, [trained])

    def evidence(self, model: EvidenceModel) -> ModalityEvidence:
        """What a model says of every case."""
        own = cast("ClinicalEvidence", model)
        return assemble(self.table, self._evidence(own), own.space, self.columns)

    def average(self, models: Sequence[EvidenceModel], gain: Array) -> ClinicalEvidence:
        """The folds side by side in one model, which averages them."""
        owned = [cast("ClinicalEvidence", model) for model in models]
        folds = [replace(fold, factors=fold.factors * gain) for model in owned for fold in model.folds]
        return _with_folds(owned[0], folds)

    def _evidence(self, model: ClinicalEvidence) -> Array:
        each = [fold.evidence(self.table.values, self.columns, model.background) for fold in model.folds]
        return np.asarray(np.mean(each, axis=0))


def _with_folds(model: ClinicalEvidence, folds: Sequence[FoldModel]) -> ClinicalEvidence:
    return ClinicalEvidence(
        model.config, model.causes, model.vocabulary, model.space, folds, model.background
    )
