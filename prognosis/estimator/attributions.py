"""Shapley values of a records-only model, table column by table column, for many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.evidence.clinical.model import ClinicalEvidence
from prognosis.evidence.clinical.windows import window_table
from prognosis.fusion import FusionModel
from prognosis.fusion.head import subset_number

Floats = NDArray[np.float64]

ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Attributions:
    """Contributions to the log-hazard of one cause, averaged over time.

    Attributes:
        base: (n,) the log-hazard of the average patient with these modalities: with a record, or without one.
        values: (n, features) what each column adds; base + their sum is the row's log-hazard.
    """

    base: Floats
    values: Floats


def attribute_columns(
    model: FusionModel, evidence: ClinicalEvidence, cases: Sequence[Case], names: Sequence[str], which: int
) -> Attributions:
    """The exact Shapley values of every row; with one modality nothing is owed to interactions.

    Args:
        model: Trained on records alone.
        evidence: Its evidence model.
        cases: From `table_cases`.
        names: The table's columns.
        which: The cause's place.
    """
    table = window_table(cases, evidence.vocabulary, evidence.columns)
    places = {f"table|{name}": place for place, name in enumerate(names)}
    feature = [places[concept.code] for concept in evidence.vocabulary.concepts]
    belongs = np.eye(len(names))[[feature[column.concept] for column in evidence.columns]]
    head = model.head
    values = np.zeros((len(cases), len(names)))
    for first in range(0, len(cases), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        by_column = evidence.by_column(table.values[rows])[:, :, which]
        values[rows] = (by_column * head.beta[0, which]).mean(axis=2) @ belongs
    subset = subset_number(table.present[:, None])
    scale = np.where(table.present, head.scale[subset, which], 0.0)
    base = (head.alpha[which] + head.shift[subset, which]).mean(axis=1)
    return Attributions(np.asarray(base), scale[:, None] * values)
