"""What tokens add to a probability as they come one after the other, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import compiled

Array = NDArray[np.float64]


class Groups(NamedTuple):
    """The game of G groups as compiled loops take it; numba knows named tuples and not dataclasses.

    Attributes:
        base: (K, B) log-hazards when nothing is known.
        main: (G, K, B) what a group adds to them by itself.
        coupling: (K, M R, M R) as in `TokenGame`.
    """

    base: Array
    main: Array
    coupling: Array


@compiled
def fill_starts(
    groups: Groups, number: NDArray[np.intp], directions: Array, log_odds: Array, pull: Array
) -> None:
    """Write what s coalitions of groups come to, and how they act on whatever comes next.

    Args:
        groups: The game.
        number: (s,) bit g says that group g is in.
        directions: (s, M R) of each coalition.
        log_odds: (s, K, B) written to: its log-hazards.
        pull: (s, K, M R) written to: what one more unit in a direction adds to them.
    """
    causes, width = groups.coupling.shape[:2]
    for draw in range(len(number)):
        log_odds[draw] = groups.base
        for group in range(len(groups.main)):
            if number[draw] >> group & 1:
                log_odds[draw] += groups.main[group]
        for k in range(causes):
            joint = 0.0
            for row in range(width):
                total = 0.0
                for column in range(width):
                    total += groups.coupling[k, row, column] * directions[draw, column]
                pull[draw, k, row] = total
                joint += 0.5 * total * directions[draw, row]
            log_odds[draw, k] += joint


class Members(NamedTuple):
    """The t tokens of one group.

    Attributes:
        factor: (t, K, B) by what a token multiplies the odds by itself.
        apart: (t, M R) a token in the directions in which modalities interact.
    """

    factor: Array
    apart: Array


@compiled
def add_in_order(
    odds: Array,
    pull: Array,
    members: Members,
    order: NDArray[np.intp],
    cause: int,
    part: float,
    ends: Array,
    added: Array,
) -> None:
    """Write what each token of a group adds to the probability, in each of s draws.

    Tokens of one group are of one modality, so that a token multiplies the odds by the same whichever others
    of its group came before: an exponential a cause is taken on the way instead of one a bin.

    Args:
        odds: (s, K, B) of what came before; used up.
        pull: (s, K, M R) as `fill_starts` writes it.
        members: The tokens.
        order: (s, t) as they come.
        cause: Place of the cause among the K.
        part: As in `HorizonProbability`.
        ends: (2, s) the probability before the first token and after the last.
        added: (s, t) written to, in the tokens' own order.
    """
    draws, causes, bins = odds.shape
    for draw in range(draws):
        own, value = odds[draw], ends[0, draw]
        for step in range(order.shape[1] - 1):
            token = order[draw, step]
            for k in range(causes):
                joint = 0.0
                for row in range(pull.shape[2]):
                    joint += members.apart[token, row] * pull[draw, k, row]
                times = np.exp(min(joint, 300.0))
                for b in range(bins):
                    own[k, b] = min(own[k, b] * members.factor[token, k, b] * times, 1e130)  # exp(300)
            found, surviving = 0.0, 1.0
            for b in range(bins):
                total = 0.0
                for k in range(causes):
                    total += own[k, b]
                if b == bins - 1 and part < 1.0:
                    share = own[cause, b] / max(total, 1e-300)
                    found -= surviving * share * np.expm1(-part * np.log1p(total))
                else:
                    kept = 1.0 / (1.0 + total)
                    found += surviving * own[cause, b] * kept
                    surviving *= kept
            added[draw, token] = found - value
            value = found
        added[draw, order[draw, -1]] = ends[1, draw] - value
