"""Ours against the floors, and against the peers of the same run, as two tables and a verdict.

    python -m benchmarks.floors runs/benchmark/results.json

Exit status 1 when a rule fails against the listed floors or a data set is not in the results. The floors have
three digits, and so has what is held against them. The second table holds the same rules, unrounded, against
the peers on the folds of the run; an average of several methods is not a single one and does not count there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FLOORS = Path(__file__).with_name("floors.yaml")
AVERAGES = ("plain_average",)
DIGITS = 3
_NOISE = 1e-9  # of the floating point, in differences of rounded numbers


@dataclass(frozen=True, slots=True)
class Value:
    """A method's Harrell C (higher is better) and integrated Brier score (lower is better)."""

    c: float
    ibs: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Ours on one data set beside the best single methods.

    Attributes:
        data_set: Its name.
        ours: Our values.
        best_c: The highest C, and whose.
        best_ibs: The lowest integrated Brier score, and whose.
    """

    data_set: str
    ours: Value
    best_c: tuple[float, str]
    best_ibs: tuple[float, str]

    @property
    def c_gain(self) -> float:
        """Ours minus the best C: positive is better."""
        return self.ours.c - self.best_c[0]

    @property
    def ibs_excess(self) -> float:
        """Ours minus the lowest integrated Brier score: negative is better."""
        return self.ours.ibs - self.best_ibs[0]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, on how many data sets it holds, and on how many it must."""

    words: str
    holds: int
    needed: int

    @property
    def passed(self) -> bool:
        """True when it holds often enough."""
        return self.holds >= self.needed


def standing(data_set: str, ours: Value, others: Mapping[str, Value]) -> Standing:
    """Ours beside the best of the others, by each measure."""
    by_c = max(others, key=lambda name: others[name].c)
    by_ibs = min(others, key=lambda name: others[name].ibs)
    return Standing(data_set, ours, (others[by_c].c, by_c), (others[by_ibs].ibs, by_ibs))


def judge(standings: list[Standing], rules: Mapping[str, Any]) -> list[Rule]:
    """The four rules over all data sets.

    Args:
        standings: One a data set.
        rules: `rules` of floors.yaml.
    """
    sets = len(standings)
    c, ibs = float(rules["c_margin"]), float(rules["ibs_margin"])
    gains = [each.c_gain for each in standings]
    excess = [each.ibs_excess for each in standings]
    return [
        Rule(f"C at least the best less {c}", sum(gain >= -c - _NOISE for gain in gains), sets),
        Rule("C above the best", sum(gain > _NOISE for gain in gains), int(rules["c_above"])),
        Rule("IBS at most the lowest", sum(gap <= _NOISE for gap in excess), int(rules["ibs_at_most"])),
        Rule(f"IBS at most the lowest and {ibs}", sum(gap <= ibs + _NOISE for gap in excess), sets),
    ]


def values_of(board: Mapping[str, Any]) -> dict[str, Value]:
    """Every method of one leaderboard that has both measures."""
    found: dict[str, Value] = {}
    for entry in board["entries"]:
        metrics = entry["metrics"]
        if "harrell_c" in metrics and "ibs" in metrics:
            found[entry["name"]] = Value(metrics["harrell_c"]["value"], metrics["ibs"]["value"])
    return found


def main(results: Path, ours: str = "prognosis") -> int:
    """Print both tables; 0 when every rule holds against the listed floors."""
    stated = yaml.safe_load(FLOORS.read_text(encoding="utf-8"))
    boards = {
        board["task"]: values_of(board)
        for board in json.loads(results.read_text(encoding="utf-8"))["leaderboards"]
    }
    listed: list[Standing] = []
    measured: list[Standing] = []
    absent = [name for name in stated["floors"] if ours not in boards.get(name, {})]
    for name, floors in stated["floors"].items():
        if name in absent:
            continue
        own = boards[name][ours]
        rounded = Value(round(own.c, DIGITS), round(own.ibs, DIGITS))
        listed.append(standing(name, rounded, {method: Value(*pair) for method, pair in floors.items()}))
        peers = {method: value for method, value in boards[name].items() if method not in (ours, *AVERAGES)}
        if peers:
            measured.append(standing(name, own, peers))
    reached = _print("the listed floors", listed, judge(listed, stated["rules"]))
    _print("the peers on the same folds", measured, judge(measured, stated["rules"]))
    if absent:
        print(f"no results of {ours} on: {', '.join(absent)}")
    return 0 if reached and not absent else 1


def _print(against: str, standings: list[Standing], rules: list[Rule]) -> bool:
    print(f"\nOurs against {against}: Harrell C (higher is better), IBS (lower is better)\n")
    print(
        f"{'data set':<10}{'C':>7}{'best':>7}{'gain':>9}  {'by':<26}{'IBS':>7}{'lowest':>8}{'excess':>9}  by"
    )
    for each in standings:
        (best, by), (lowest, whose) = each.best_c, each.best_ibs
        c = f"{each.ours.c:>7.3f}{best:>7.3f}{each.c_gain:>+9.4f}  {by:<26}"
        ibs = f"{each.ours.ibs:>7.3f}{lowest:>8.3f}{each.ibs_excess:>+9.4f}  {whose}"
        print(f"{each.data_set:<10}{c}{ibs}")
    print()
    for rule in rules:
        verdict = "pass" if rule.passed else "FAIL"
        print(f"{verdict}  {rule.words}: {rule.holds} of {len(standings)} data sets, {rule.needed} needed")
    return all(rule.passed for rule in rules)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m benchmarks.floors RESULTS.json [METHOD]")
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
