"""The clinical model of one training fold: a linear read-out and trees, in a convex sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.clinical.person_steps import step_of_bin
from prognosis.evidence.clinical.preparation import Preparation
from prognosis.evidence.clinical.tree_tables import LeafTable
from prognosis.evidence.clinical.trees import TreeMember
from prognosis.evidence.clinical.windows import Column
from prognosis.evidence.readout import LinearReadout

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WeighedTable:
    """Trees that count: the cause and the bins that they speak of, and their factor."""

    cause: int
    bins: NDArray[np.int64]
    factor: float
    table: LeafTable


@dataclass(frozen=True, slots=True)
class FoldModel:
    """Evidence = factor of each member times (its margin - the margin's mean over the background).

    Attributes:
        preparation: Columns kept and how they are scaled.
        readout: The linear member, on standardised columns, centred on its training mean.
        members: The kinds of trees.
        factors: (1 + members, causes) of the linear member and of each kind of trees: its convex weight
            times the slope that puts it on the scale of log-hazards, over the sum of these; 1 in all of a
            fold's own model, and in all `averaging_gain` of one that is averaged with the others.
        bins: Bins of the evidence; 1 where no member that counts changes with time.
    """

    preparation: Preparation
    readout: LinearReadout
    members: tuple[TreeMember, ...]
    factors: Floats
    bins: int

    def parts(self, values: Floats, columns: Sequence[Column]) -> list[Floats]:
        """Each member's evidence, (n, causes, 1 or its steps), not weighed and, for trees, not centred."""
        raw = self.preparation.raw(values, columns)
        linear = self.readout.evidence(self.preparation.standardised(values, columns))
        return [linear[:, :, None], *(member.margins(raw) for member in self.members)]

    def evidence(self, values: Floats, columns: Sequence[Column], background: Floats) -> Floats:
        """(n, causes, bins) evidence of all members together.

        Args:
            values: (n, columns) of the window table.
            columns: The table's.
            background: (m, columns) rows on which the trees are centred.
        """
        total = np.zeros((len(values), self.factors.shape[1], self.bins))
        linear = self.readout.evidence(self.preparation.standardised(values, columns))
        total += (linear * self.factors[0])[:, :, None]
        raw, against = (self.preparation.raw(rows, columns) for rows in (values, background))
        for own in self.weighed_tables():
            centred = own.factor * (own.table.margin(raw) - own.table.margin(against).mean())
            total[:, own.cause, own.bins] += centred[:, None]
        return total

    def linear_by_column(self, values: Floats, columns: Sequence[Column]) -> Floats:
        """(n, columns, causes) exact linear Shapley values, weighed as in the sum."""
        standard = self.preparation.standardised(values, columns) - self.readout.means
        out = np.zeros((*values.shape, self.factors.shape[1]))
        out[:, self.preparation.kept] = standard[:, :, None] * self.readout.coefficients
        return out * self.factors[0]

    def weighed_tables(self) -> tuple[WeighedTable, ...]:
        """Every table whose factor is above zero."""
        found: list[WeighedTable] = []
        for number, member in enumerate(self.members):
            for place, tables in enumerate(member.tables):
                factor = float(self.factors[number + 1, place])
                if tables is None or factor == 0.0:
                    continue
                of_bin = step_of_bin(self.bins, len(tables))
                found += [
                    WeighedTable(place, np.flatnonzero(of_bin == step), factor, table)
                    for step, table in enumerate(tables)
                ]
        return tuple(found)


def bins_needed(members: Sequence[TreeMember], factors: Floats, bins: int) -> int:
    """All bins where a member that counts changes with time, else 1."""
    steps = [member.steps for member, own in zip(members, factors[1:], strict=True) if (own > 0.0).any()]
    return bins if max(steps, default=1) > 1 else 1
