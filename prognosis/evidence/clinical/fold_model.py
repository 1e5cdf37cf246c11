"""The clinical model of one training fold: a linear read-out and trees, in a convex sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.clinical.preparation import Preparation
from prognosis.evidence.clinical.trees import Forest
from prognosis.evidence.clinical.windows import Column
from prognosis.evidence.readout import LinearReadout

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoldModel:
    """Evidence = (1 - share) linear + share (tree margin - its mean over the background).

    Attributes:
        preparation: Columns kept and how they are scaled.
        readout: The linear member, on standardised columns.
        forests: The tree member, one a cause; None where there is none.
        share: (causes,) weight of the trees, 0 to 1.
        tree_means: (causes,) mean margin over the background.
    """

    preparation: Preparation
    readout: LinearReadout
    forests: tuple[Forest | None, ...]
    share: Floats
    tree_means: Floats

    def linear(self, values: Floats, columns: Sequence[Column]) -> Floats:
        """(n, causes) evidence of the linear member alone."""
        return self.readout.evidence(self.preparation.standardised(values, columns))

    def margins(self, values: Floats, columns: Sequence[Column]) -> Floats:
        """(n, causes) margins of the trees, zero where there are none."""
        raw = self.preparation.raw(values, columns)
        none = np.zeros(len(raw))
        return np.column_stack([none if own is None else own.margin(raw) for own in self.forests])

    def evidence(self, values: Floats, columns: Sequence[Column]) -> Floats:
        """(n, causes) evidence of both members."""
        linear = (1.0 - self.share) * self.linear(values, columns)
        if not (self.share > 0.0).any():
            return linear
        return linear + self.share * (self.margins(values, columns) - self.tree_means)

    def linear_by_column(self, values: Floats, columns: Sequence[Column]) -> Floats:
        """(n, columns, causes) exact linear Shapley values, weighted as in the sum."""
        standard = self.preparation.standardised(values, columns) - self.readout.means
        out = np.zeros((*values.shape, len(self.share)))
        out[:, self.preparation.kept] = standard[:, :, None] * self.readout.coefficients
        return out * (1.0 - self.share)


def background_margin_means(model: FoldModel, background: Floats, columns: Sequence[Column]) -> Floats:
    """(causes,) the mean tree margin over the background rows."""
    return np.asarray(model.margins(background, columns).mean(axis=0), dtype=float)
