"""Exact Shapley values by enumerating every coalition of at most some fourteen players."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

from prognosis.explanation.game import TokenGame
from prognosis.explanation.horizon import HorizonProbability

Array = NDArray[np.float64]

BLOCK = 1024
"""Coalitions evaluated at once: their log-hazards stay in a core's cache."""


def probabilities(game: TokenGame, answer: HorizonProbability, known: Array) -> Array:
    """(c,) the answer of each coalition, a column of `known` (n, c)."""
    found = np.empty(known.shape[1])
    for start in range(0, len(found), BLOCK):
        part = slice(start, start + BLOCK)
        found[part] = answer.of(game.log_hazard(*game.sums(known[:, part])))
    return found


def every_coalition(players: int) -> Array:
    """(players, 2**players) 1.0 where a player is in; bit i of the column's number says that player i is."""
    numbers = np.arange(2**players)
    return np.asarray((numbers >> np.arange(players)[:, None]) & 1, dtype=np.float64)


def shapley_values(worth: Array, players: int) -> Array:
    """(players,) Shapley values of a game by its worth (2**players,), in the order of `every_coalition`."""
    weight = np.array(
        [factorial(size) * factorial(players - size - 1) / factorial(players) for size in range(players)]
    )
    values = np.empty(players)
    for player in range(players):
        without, with_ = worth.reshape(-1, 2, 2**player).transpose(1, 0, 2).reshape(2, -1)
        values[player] = (with_ - without) @ weight[_sizes(players - 1)]
    return values


def _sizes(players: int) -> NDArray[np.int64]:
    """(2**players,) how many players each coalition holds."""
    sizes = np.zeros(1, dtype=np.int64)
    for _ in range(players):
        sizes = np.concatenate([sizes, sizes + 1])
    return sizes
