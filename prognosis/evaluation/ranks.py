"""Methods across data sets: mean ranks, Friedman's test, and Wilcoxon's test of pairs with Holm's correction.

The data sets are the sample (Demsar, JMLR 2006;7:1): a difference on one of them says nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import friedmanchisquare, rankdata

LEAST_DATA_SETS = 5


@dataclass(frozen=True, slots=True)
class PairTest:
    """Wilcoxon's signed-rank test of two methods over the data sets on which both ran.

    Attributes:
        a: One method.
        b: The other.
        data_sets: On how many both ran.
        wins: On how many of them `a` is better.
        losses: On how many `b` is better; ties are neither.
        p_value: Two-sided and exact; a tie counts half to either side.
        adjusted: After Holm's correction (Scand J Stat 1979;6:65) for all tests of its family.
    """

    a: str
    b: str
    data_sets: int
    wins: int
    losses: int
    p_value: float
    adjusted: float

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Ranking:
    """One metric over all data sets.

    Attributes:
        metric: Which.
        data_sets: Those that the mean ranks are over: every ranked method ran on each.
        mean_ranks: Of each method that ran on every data set; 1 is best, ties share their mean.
        left_out: Methods that some data set lacks, and which are in pairs only.
        friedman_p: That all ranked methods are alike; None with fewer than three methods or data sets.
        pairs: Every pair of methods, one family.
        against_first: The first method against each other one, a family of its own.
    """

    metric: str
    data_sets: tuple[str, ...]
    mean_ranks: Mapping[str, float]
    left_out: tuple[str, ...]
    friedman_p: float | None
    pairs: tuple[PairTest, ...]
    against_first: tuple[PairTest, ...]

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "metric": self.metric,
            "data_sets": list(self.data_sets),
            "mean_ranks": dict(self.mean_ranks),
            "left_out": list(self.left_out),
            "friedman_p": self.friedman_p,
            "pairs": [pair.to_json() for pair in self.pairs],
            "against_first": [pair.to_json() for pair in self.against_first],
        }


def rank_methods(
    metric: str, table: Mapping[str, Mapping[str, float]], first: str, *, higher_is_better: bool
) -> Ranking:
    """Compare methods over data sets.

    Args:
        metric: Its name.
        table: Its value by data set and method; a method that did not run is absent there.
        first: The method that is compared with each other one.
        higher_is_better: False for errors.
    """
    sign = 1.0 if higher_is_better else -1.0
    gain = {place: {name: sign * value for name, value in row.items()} for place, row in table.items()}
    names = list(dict.fromkeys(name for row in gain.values() for name in row))
    ranked = [name for name in names if all(name in row for row in gain.values())]
    matrix = np.array([[gain[place][name] for name in ranked] for place in gain]).reshape(len(gain), -1)
    ranks = rankdata(-matrix, axis=1) if matrix.size else matrix
    others = [name for name in names if name != first]
    return Ranking(
        metric,
        tuple(gain),
        dict(zip(ranked, (float(rank) for rank in ranks.mean(axis=0)), strict=True)) if matrix.size else {},
        tuple(name for name in names if name not in ranked),
        _friedman(matrix),
        _tested(gain, list(combinations(names, 2))),
        _tested(gain, [(first, other) for other in others] if first in names else []),
    )


def _friedman(matrix: NDArray[np.float64]) -> float | None:
    data_sets, methods = matrix.shape
    if min(data_sets, methods) < 3 or not np.ptp(matrix, axis=1).any():
        return None
    return float(friedmanchisquare(*matrix.T).pvalue)


def _tested(
    gain: Mapping[str, Mapping[str, float]], pairs: Sequence[tuple[str, str]]
) -> tuple[PairTest, ...]:
    """The tests of those pairs that share enough data sets, corrected together."""
    found: list[PairTest] = []
    for a, b in pairs:
        differences = np.array([row[a] - row[b] for row in gain.values() if a in row and b in row])
        if len(differences) >= LEAST_DATA_SETS:
            wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
            p_value = signed_rank_p(differences)
            found.append(PairTest(a, b, len(differences), wins, losses, p_value, p_value))
    adjusted = holm([test.p_value for test in found])
    return tuple(
        PairTest(test.a, test.b, test.data_sets, test.wins, test.losses, test.p_value, p_value)
        for test, p_value in zip(found, adjusted, strict=True)
    )


def signed_rank_p(differences: NDArray[np.float64]) -> float:
    """Wilcoxon's exact two-sided p-value, with ties; a zero counts half to either side (Demsar 2006).

    Flipping the sign of each difference that is not zero gives every sum of ranks that could have been.

    Args:
        differences: (n,) one a data set.
    """
    twice = np.rint(2.0 * rankdata(np.abs(differences))).astype(np.int64)  # tied ranks are halves
    moving = twice[differences != 0]
    chances = np.ones(1)
    for rank in moving:
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2.0
    away = np.abs(2 * np.arange(len(chances)) - int(moving.sum()))
    seen = abs(2 * int(twice[differences > 0].sum()) - int(moving.sum()))
    return min(1.0, float(chances[away >= seen].sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given: the smallest times m, the next times m - 1, never falling."""
    order = np.argsort(p_values, kind="stable")
    scaled = np.array(p_values)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if len(scaled) else scaled
    return [float(value) for value in adjusted]
