"""A group's exact value split among its tokens, by antithetic permutations.

The values are those of Owen (1977): groups come in random order, and a group's tokens in random order within
it. Each draw is taken with its mirror image, the groups and tokens in reverse order, so that whatever is a
sum of single tokens and of products of two is told without error by every pair of draws.

What every coalition of groups is worth is known, so the mean of whatever depends on a draw only through the
groups that came before is known as well, and may serve as a control variate: the group's own value, to which
the tokens' values then sum; how steep and how bent the curve is where the group comes; and how strongly other
modalities act on its tokens there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from prognosis.explanation.coalitions import every_coalition, every_probability, shapley_values, size_weights
from prognosis.explanation.game import TokenGame
from prognosis.explanation.horizon import HorizonProbability
from prognosis.explanation.orders import Groups, Members, add_in_order, fill_starts

Array = NDArray[np.float64]

FEWEST_PAIRS = 48
"""Before the first look at a standard error, which from fewer draws says little."""

FEWEST_CONTROLLED = 128
"""Before more than one control is used: regression on nine of few draws would look better than it is."""

_MARGIN = 1.1
_COLLINEAR = 1e-9  # of controls of unit length: what is left of one beside the others
_LARGEST = 300.0  # of log-odds: far from overflow, and a hazard of 1 - 1e-130 is 1


@dataclass(frozen=True, slots=True)
class GroupSplit:
    """The tokens of one group.

    Attributes:
        values: (t,) they sum to the group's value.
        standard_errors: (t,) of the values.
        permutations: Drawn, mirror images counted.
    """

    values: Array
    standard_errors: Array
    permutations: int


@dataclass(frozen=True, slots=True)
class GroupGame:
    """All groups of one case, and what each coalition of them is worth.

    Attributes:
        tokens: The game of single tokens.
        groups: The game of groups.
        members: Each group's tokens.
        worth: (2**groups,) the answer of each coalition of groups.
        values: (groups,) exact Shapley values of the groups.
        answer: What is explained.
        directions: (M R, 2**groups) of each coalition of groups.
        compact: The groups, of the causes that the answer depends on.
    """

    tokens: TokenGame
    groups: TokenGame
    members: Sequence[NDArray[np.intp]]
    worth: Array
    values: Array
    answer: HorizonProbability
    directions: Array
    compact: Groups

    @classmethod
    def of(
        cls, tokens: TokenGame, members: Sequence[NDArray[np.intp]], answer: HorizonProbability
    ) -> GroupGame:
        """Every coalition of the groups evaluated."""
        groups = tokens.of_groups(members)
        worth = every_probability(groups, answer)
        directions = groups.apart.T @ every_coalition(len(members))
        values = shapley_values(worth, len(members))
        asked = answer.causes
        of_causes = (groups.base[asked], groups.main[:, asked], groups.coupling()[asked])
        compact = Groups(*(np.ascontiguousarray(each) for each in of_causes))
        return cls(tokens, groups, members, worth, values, answer, directions, compact)

    def split(self, group: int, tolerance: float, most_pairs: int, random: np.random.Generator) -> GroupSplit:
        """One group's tokens, drawn until no standard error is above the tolerance.

        Args:
            group: Which.
            tolerance: Of the standard errors, above 0.
            most_pairs: Draws after which it ends, whatever the standard errors.
            random: Of the draws.
        """
        count = len(self.members[group])
        if count == 1:
            return GroupSplit(self.values[group : group + 1], np.zeros(1), 0)
        known = self.values[group : group + 1]  # of the first control; the others' take longer
        shares, controls = np.empty((count, 0)), np.empty((0, 0))
        wanted = min(FEWEST_PAIRS, most_pairs)
        while True:
            drawn, beside = self._drawn(group, wanted - shares.shape[1], random)
            shares = np.concatenate([shares, drawn], axis=1)
            controls = np.concatenate([controls, beside], axis=1) if controls.size else beside
            if wanted >= FEWEST_CONTROLLED and len(known) < len(controls):
                known = self._known_means(group)
            values, errors = _with_controls(shares, controls[: len(known)], known)
            values += (self.values[group] - values.sum()) / count
            worst = float(errors.max())
            if worst <= tolerance or wanted >= most_pairs:
                return GroupSplit(values, errors, 2 * wanted)
            more = max(ceil(_MARGIN * wanted * (worst / tolerance) ** 2), wanted + FEWEST_PAIRS // 2)
            if wanted < FEWEST_CONTROLLED:
                more = min(more, FEWEST_CONTROLLED)
            wanted = min(most_pairs, more)

    def _known_means(self, group: int) -> Array:
        """(controls,) the exact mean of each control of `_drawn` over the draws."""
        without, with_group = self.worth.reshape(-1, 2, 2**group).transpose(1, 0, 2).reshape(2, -1)
        weight = size_weights(len(self.groups))
        others = self.directions.reshape(len(self.directions), -1, 2, 2**group)[:, :, 0]
        directions = others.reshape(len(self.directions), -1) @ (weight * _steep(without, with_group))
        return np.concatenate([_curve(without, with_group) @ weight, self._acting(group) @ directions])

    def _acting(self, group: int) -> Array:
        """(R, M R) how strongly each direction acts on the group's tokens; (0, M R) where none does."""
        acting = self.compact.coupling[self.answer.place, self._along(group)]
        return acting if acting.any() else acting[:0]

    def _along(self, group: int) -> slice:
        """The group's own modality among the directions."""
        rank = len(self.directions) // self.tokens.modalities
        first = int(self.tokens.modality[self.members[group][0]]) * rank
        return slice(first, first + rank)

    def _drawn(self, group: int, pairs: int, random: np.random.Generator) -> tuple[Array, Array]:
        """Means over a draw and its mirror image: (t, pairs) what each token adds; (controls, pairs)."""
        order = random.random((len(self.groups), pairs))
        first = np.argsort(random.random((pairs, len(self.members[group]))), axis=1)
        before = np.concatenate([order < order[group], order > order[group]], axis=1)
        number = (1 << np.arange(len(self.groups))) @ before
        ends = np.stack([self.worth[number], self.worth[number + (1 << group)]])
        directions = self.directions[:, number]
        added = self._added(group, number, np.concatenate([first, first[:, ::-1]]), ends, directions)
        controls = np.concatenate([_curve(*ends), self._acting(group) @ (directions * _steep(*ends))])
        return 0.5 * (added[:, :pairs] + added[:, pairs:]), 0.5 * (controls[:, :pairs] + controls[:, pairs:])

    def _added(
        self, group: int, number: NDArray[np.intp], order: NDArray[np.intp], ends: Array, directions: Array
    ) -> Array:
        """(t, s) what each token adds when it comes in its place.

        Args:
            group: Whose tokens come.
            number: (s,) the coalition of groups that came before.
            order: (s, t) the tokens in the order in which they come.
            ends: (2, s) the answer before the first of them and after the last.
            directions: (M R, s) of the groups that came before.
        """
        members, (draws, count) = self.members[group], order.shape
        causes, bins = self.compact.base.shape
        log_odds, pull = np.empty((draws, causes, bins)), np.empty((draws, causes, len(directions)))
        fill_starts(self.compact, number, np.ascontiguousarray(directions.T), log_odds, pull)
        factor = np.exp(np.minimum(self.tokens.main[members][:, self.answer.causes], _LARGEST))
        added = np.empty((draws, count))
        add_in_order(
            np.exp(np.minimum(log_odds, _LARGEST)),
            pull,
            Members(np.ascontiguousarray(factor), np.ascontiguousarray(self.tokens.apart[members])),
            order,
            self.answer.place,
            self.answer.part,
            ends,
            added,
        )
        return added.T


def _steep(before: Array, after: Array) -> Array:
    """How steep the curve from log-odds to probability is half way between two answers."""
    middle = 0.5 * (before + after)
    return np.asarray(middle * (1.0 - middle))


def _curve(before: Array, after: Array) -> Array:
    """(4, ..) of the answers before and after a group: its value, and how the curve bends there."""
    return np.stack(
        [after - before, before**2 + after**2, (after - before) ** 2, (0.5 * (before + after)) ** 3]
    )


def _with_controls(shares: Array, controls: Array, known: Array) -> tuple[Array, Array]:
    """Means of the (t, s) shares and their standard errors, by regression on (f, s) controls of known mean.

    What the controls miss of their known means is taken from each share as far as they go together
    (Owen, Monte Carlo, section 8.9).
    """
    draws = shares.shape[1]
    mean = controls.mean(axis=1)
    about = controls - mean[:, None]
    size = np.sqrt((about**2).sum(axis=1))
    varies = size > 1e-12 * np.sqrt(draws) * np.abs(controls).max(axis=1, initial=0.0)
    basis, missed = about[varies] / size[varies, None], (mean - known)[varies] / size[varies]
    lengths, axes = np.linalg.eigh(basis @ basis.T)
    kept = lengths > _COLLINEAR
    apart = (axes[:, kept] / np.sqrt(lengths[kept])).T
    basis, missed = apart @ basis, apart @ missed
    slope = shares @ basis.T
    values = shares.mean(axis=1)
    residual = shares - values[:, None] - slope @ basis
    freedom = max(draws - 1 - int(kept.sum()), 1)
    return values - slope @ missed, np.sqrt(np.einsum("ts,ts->t", residual, residual) / freedom / draws)
