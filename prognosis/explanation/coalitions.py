"""Exact Shapley values by enumerating every coalition of at most some fourteen players."""

from __future__ import annotations

from functools import cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

from prognosis.explanation.game import TokenGame
from prognosis.explanation.horizon import HorizonProbability

Array = NDArray[np.float64]

BLOCK = 1024
"""Coalitions evaluated at once: their log-hazards stay in a core's cache."""

_SAFE = 300.0  # log-odds at most, whatever is known: far from overflow


def probabilities(game: TokenGame, answer: HorizonProbability, known: Array) -> Array:
    """(c,) the answer of each coalition, a column of `known` (n, c)."""
    found = np.empty(known.shape[1])
    for start in range(0, len(found), BLOCK):
        part = slice(start, start + BLOCK)
        found[part] = answer.of(game.log_hazard(*game.sums(known[:, part])))
    return found


def every_probability(game: TokenGame, answer: HorizonProbability) -> Array:
    """(2**players,) the answer of every coalition, in the order of `every_coalition`.

    The odds of a coalition and of the same with one player more differ by that player's factor, so all of
    them are made by doubling, without an exponential for each.
    """
    base, main = game.base[answer.causes], game.main[:, answer.causes]
    known = every_coalition(len(game))
    if np.abs(base).max() + np.abs(main).sum(axis=0).max(initial=0.0) > _SAFE:
        return probabilities(game, answer, known)
    odds = np.empty((*base.shape, known.shape[1]))
    odds[:, :, 0] = np.exp(base)
    for player, factor in enumerate(np.exp(main)):
        half = 1 << player
        np.multiply(odds[:, :, :half], factor[:, :, None], out=odds[:, :, half : 2 * half])
    joint = np.exp(game.joint(game.direction_sums(known))[answer.causes])
    found = np.empty(known.shape[1])
    for start in range(0, len(found), BLOCK):
        part = slice(start, start + BLOCK)
        found[part] = answer.of_odds(odds[:, :, part] * joint[:, None, part])
    return found


@cache
def every_coalition(players: int) -> Array:
    """(players, 2**players) 1.0 where a player is in; bit i of the column's number says that player i is.

    It is made once, and cannot be written to.
    """
    numbers = np.arange(2**players)
    known = np.asarray((numbers >> np.arange(players)[:, None]) & 1, dtype=np.float64)
    known.setflags(write=False)
    return known


def shapley_values(worth: Array, players: int) -> Array:
    """(players,) Shapley values of a game by its worth (2**players,), in the order of `every_coalition`."""
    weight = size_weights(players)
    values = np.empty(players)
    for player in range(players):
        halves = worth.reshape(-1, 2, 2**player)
        values[player] = (halves[:, 1] - halves[:, 0]).ravel() @ weight
    return values


@cache
def size_weights(players: int) -> Array:
    """(2**(players - 1),) the chance that just these others come before a player, in random order.

    They are made once, and cannot be written to.
    """
    by_size = np.array(
        [factorial(size) * factorial(players - size - 1) / factorial(players) for size in range(players)]
    )
    weights = np.asarray(by_size[_sizes(players - 1)])
    weights.setflags(write=False)
    return weights


def _sizes(players: int) -> NDArray[np.int64]:
    """(2**players,) how many players each coalition holds."""
    sizes = np.zeros(1, dtype=np.int64)
    for _ in range(players):
        sizes = np.concatenate([sizes, sizes + 1])
    return sizes
