"""A group's exact value split among its tokens, by antithetic permutations.

The values are those of Owen (1977): groups come in random order, and a group's tokens in random order within
it. Each draw is taken with its mirror image, the groups and tokens in reverse order, so that whatever is a
sum of single tokens and of products of two is told without error by every pair of draws. The group's own
value is known exactly, and is used as a control variate: the tokens' values sum to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from prognosis.explanation.coalitions import BLOCK
from prognosis.explanation.game import TokenGame
from prognosis.explanation.horizon import HorizonProbability

Array = NDArray[np.float64]

FEWEST_PAIRS = 24
"""Before the first look at a standard error, which from fewer draws says little."""

_MARGIN = 1.1


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
    """

    tokens: TokenGame
    groups: TokenGame
    members: Sequence[NDArray[np.intp]]
    worth: Array
    values: Array
    answer: HorizonProbability

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
        shares = np.empty((count, 0))
        wanted = min(FEWEST_PAIRS, most_pairs)
        at_once = max(1, BLOCK // (2 * count))
        while True:
            while shares.shape[1] < wanted:
                drawn = self._drawn(group, min(at_once, wanted - shares.shape[1]), random)
                shares = np.concatenate([shares, drawn], axis=1)
            values, errors = _with_control(shares, float(self.values[group]))
            worst = float(errors.max())
            if worst <= tolerance or wanted >= most_pairs:
                return GroupSplit(values, errors, 2 * wanted)
            more = ceil(_MARGIN * wanted * (worst / tolerance) ** 2)
            wanted = min(most_pairs, max(more, wanted + FEWEST_PAIRS // 2))

    def _drawn(self, group: int, pairs: int, random: np.random.Generator) -> Array:
        """(t, pairs) what each token adds, mean over a draw and its mirror image."""
        members = self.members[group]
        order = random.random((len(self.groups), pairs))
        tokens = np.argsort(random.random((len(members), pairs)), axis=0)
        before = np.concatenate([order < order[group], order > order[group]], axis=1)
        added = self._added(group, before, np.concatenate([tokens, tokens[::-1]], axis=1))
        return 0.5 * (added[:, :pairs] + added[:, pairs:])

    def _added(self, group: int, before: NDArray[np.bool_], order: NDArray[np.intp]) -> Array:
        """(t, s) what each token adds when it comes in its place.

        Args:
            group: Whose tokens come.
            before: (groups, s) groups that came before.
            order: (t, s) the tokens in the order in which they come.
        """
        members, draws = self.members[group], order.shape[1]
        number = (1 << np.arange(len(self.groups))) @ before
        inner = len(members) - 1
        main, projected = self.groups.sums(before.astype(np.float64))
        sums = self.tokens.main[members].transpose(1, 2, 0)[:, :, order[:-1]]
        own = self.tokens.projected[members].T[:, order[:-1]]
        for step in range(1, inner):
            sums[:, :, step] += sums[:, :, step - 1]
            own[:, step] += own[:, step - 1]
        sums += main[:, :, None]
        directions = np.repeat(projected[:, :, None], inner, axis=2)
        directions[self.tokens.modality[members[0]]] += own
        shape = (inner * draws,)
        eta = self.tokens.log_hazard(
            sums.reshape(*sums.shape[:2], *shape), directions.reshape(*directions.shape[:2], *shape)
        )
        worth = np.empty((inner + 2, draws))
        worth[0], worth[-1] = self.worth[number], self.worth[number + (1 << group)]
        worth[1:-1] = self.answer.of(eta).reshape(inner, draws)
        added = np.empty((len(members), draws))
        np.put_along_axis(added, order, np.diff(worth, axis=0), axis=0)
        return added


def _with_control(shares: Array, whole: float) -> tuple[Array, Array]:
    """Means of the (t, s) shares, moved so that they sum to `whole`, and their standard errors.

    What the sum over tokens misses of its known mean is taken from each in proportion to its covariance with
    the sum (a regression on a control variate; Owen, Monte Carlo, section 8.9).
    """
    count, draws = shares.shape
    together = shares.sum(axis=0)
    about = together - together.mean()
    spread = float(about @ about)
    rounding = 1e-12 * max(float(np.abs(shares).max(initial=0.0)), abs(whole))
    constant = spread <= draws * rounding**2  # nothing to learn from: all miss it alike
    slope = np.full(count, 1.0 / count) if constant else (shares @ about) / spread
    left = shares - slope[:, None] * (together - whole)
    values = left.mean(axis=1)
    residual = left - values[:, None]
    return values, np.sqrt((residual**2).sum(axis=1) / max(draws - 2, 1) / draws)
