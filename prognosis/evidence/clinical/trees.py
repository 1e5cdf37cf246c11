"""The boosted-tree members of the clinical stack, each read out as tables of leaves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evidence.clinical.boosting import TreeSettings, grow, threads
from prognosis.evidence.clinical.log_time import LogTime, log_time
from prognosis.evidence.clinical.person_steps import PersonSteps, person_steps
from prognosis.evidence.clinical.tree_algebra import added, fixed, scaled
from prognosis.evidence.clinical.tree_tables import LeafTable, leaf_table
from prognosis.evidence.readout import FEWEST_EVENTS, rows_of

if TYPE_CHECKING:
    from xgboost import Booster, DMatrix

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SHORTEST_DAYS = 1e-3


@dataclass(frozen=True, slots=True)
class TreeMember:
    """One kind of trees.

    XGBoost sums in single precision in an order of its own; a table adds in double precision, so that
    Shapley values add up to the margin to rounding of a double.

    Attributes:
        kind: See `TreeSettings.members`.
        tables: For each cause, a table for each step of time (one where the evidence does not change with
            time), higher is worse; None for a cause that was too rare to learn.
    """

    kind: str
    tables: tuple[tuple[LeafTable, ...] | None, ...]

    @property
    def steps(self) -> int:
        """Number of steps of time, 1 where the evidence does not change."""
        return max((len(own) for own in self.tables if own is not None), default=1)

    def margins(self, raw: Floats) -> Floats:
        """(n, causes, steps) up to a constant for each cause and step; NaN in `raw` means missing."""
        out = np.zeros((len(raw), len(self.tables), self.steps))
        for place, own in enumerate(self.tables):
            for step, table in enumerate(own or ()):
                out[:, place, step] = table.margin(raw)
        return out


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What every kind of trees learns from.

    Attributes:
        raw: (n, p) columns, NaN where missing.
        target: What happened.
        folds: (n,) inner folds by patient.
        weights: (n,) case weights.
        offset: (n, causes) log-hazard (log-odds of a class) known from elsewhere, from which the trees start;
            None for none.
    """

    raw: Floats
    target: Target
    folds: NDArray[np.int64]
    weights: Floats
    offset: Floats | None = None


def fit_tree_members(rows: TrainingRows, settings: TreeSettings, seed: int) -> tuple[TreeMember, ...]:
    """Each kind of trees, at the depth that the first kind found best.

    Args:
        rows: The training cases.
        settings: Which kinds and how.
        seed: Of the draws.
    """
    kinds = settings.members if rows.target.survival else ("boosted_class",)
    kinds = kinds if rows.target.values is None else ("boosted_value",)
    if not rows.raw.shape[1]:
        return tuple(TreeMember(kind, (None,) * len(rows.target.causes)) for kind in kinds)
    members: list[TreeMember] = []
    depths = settings.depths
    for kind in kinds:
        if kind == "boosted_hazard":
            deeper = tuple(depth + 1 for depth in depths)  # one split more, for the time
            member, found = _joint_hazard(rows, settings, deeper, seed), 0
        else:
            member, found = _by_cause(kind, rows, settings, depths, seed)
        members.append(member)
        depths = (found,) if found else depths
    return tuple(members)


def _by_cause(
    kind: str, rows: TrainingRows, settings: TreeSettings, depths: tuple[int, ...], seed: int
) -> tuple[TreeMember, int]:
    """One booster a cause, the other causes censored; of a class or finding, the cases that speak of it."""
    tables: list[tuple[LeafTable, ...] | None] = []
    depth = 0
    for place in range(len(rows.target.causes)):
        own = rows_of(rows.target, place)
        event = rows.target.happened[own, place]
        if event.sum() < 2 * FEWEST_EVENTS:
            tables.append(None)
            continue
        part = _Part(
            rows.raw[own].astype(np.float32),
            np.maximum(rows.target.days[own], _SHORTEST_DAYS),
            event,
            rows.weights[own],
            np.zeros(len(event)) if rows.offset is None else rows.offset[own, place],
            None if rows.target.values is None else rows.target.values[own],
        )
        parameters = {**settings.parameters(seed, len(event)), **_objective(kind, part)}
        grown = grow(partial(_MATRIX[kind], part), parameters, settings, depths, rows.folds[own], event)
        sign = -1.0 if kind == "boosted_aft" else 1.0  # a longer time is better
        tables.append(None if grown is None else (scaled(leaf_table(booster_trees(grown.booster)), sign),))
        depth = max(depth, grown.depth if grown else 0)
    return TreeMember(kind, tuple(tables)), depth


@dataclass(frozen=True, slots=True)
class _Part:
    raw: NDArray[np.float32]
    days: Floats
    event: Bools
    weights: Floats
    offset: Floats
    values: Floats | None = None

    @property
    def log_time(self) -> LogTime:
        """Where the log times lie before the columns are read."""
        return log_time(self.days, self.event, self.weights, self.offset)

    def start(self, kind: str) -> Floats | None:
        """(n,) the margin from which trees of a kind start; None leaves it to XGBoost."""
        if not self.offset.any():
            return None
        if kind == "boosted_aft":
            return self.log_time.centre
        share = float(np.clip(np.average(self.event, weights=self.weights), 1e-6, 1.0 - 1e-6))
        usual = np.log(share / (1.0 - share)) if kind == "boosted_class" else 0.0
        return np.asarray(self.offset - np.average(self.offset, weights=self.weights) + usual)


def _cox_matrix(part: _Part, kept: Bools) -> DMatrix:
    from xgboost import DMatrix

    signed, start = np.where(part.event, part.days, -part.days), part.start("boosted_cox")
    return DMatrix(
        part.raw[kept],
        label=signed[kept],
        weight=part.weights[kept],
        base_margin=None if start is None else start[kept],
        nthread=threads(len(kept)),
    )


def _aft_matrix(part: _Part, kept: Bools) -> DMatrix:
    from xgboost import DMatrix

    upper, start = np.where(part.event, part.days, np.inf), part.start("boosted_aft")
    return DMatrix(
        part.raw[kept],
        weight=part.weights[kept],
        label_lower_bound=part.days[kept],
        label_upper_bound=upper[kept],
        base_margin=None if start is None else start[kept],
        nthread=threads(len(kept)),
    )


def _class_matrix(part: _Part, kept: Bools) -> DMatrix:
    from xgboost import DMatrix

    start = part.start("boosted_class")
    return DMatrix(
        part.raw[kept],
        label=part.event[kept].astype(float),
        weight=part.weights[kept],
        base_margin=None if start is None else start[kept],
        nthread=threads(len(kept)),
    )


def _value_matrix(part: _Part, kept: Bools) -> DMatrix:
    """What is left of the values beside the offset: trees of squared error start from it at zero."""
    from xgboost import DMatrix

    left = np.zeros(len(kept)) if part.values is None else part.values - part.offset
    centred = left - np.average(left, weights=part.weights)
    return DMatrix(part.raw[kept], label=centred[kept], weight=part.weights[kept], nthread=threads(len(kept)))


def _objective(kind: str, part: _Part) -> dict[str, object]:
    if kind == "boosted_aft":
        return {
            "objective": "survival:aft",
            "eval_metric": "aft-nloglik",
            "aft_loss_distribution": "normal",
            "aft_loss_distribution_scale": part.log_time.spread,
        }
    if kind == "boosted_cox":
        return {"objective": "survival:cox", "eval_metric": "cox-nloglik"}
    if kind == "boosted_value":
        return {"objective": "reg:squarederror", "eval_metric": "rmse", "base_score": 0.0}
    return {"objective": "binary:logistic", "eval_metric": "logloss"}


_MATRIX = {
    "boosted_cox": _cox_matrix,
    "boosted_aft": _aft_matrix,
    "boosted_class": _class_matrix,
    "boosted_value": _value_matrix,
}


def _joint_hazard(
    rows: TrainingRows, settings: TreeSettings, depths: tuple[int, ...], seed: int
) -> TreeMember:
    """All causes' hazards in one booster over person-steps, with the step of time as one more column."""
    causes = len(rows.target.causes)
    expanded = person_steps(rows.target, rows.weights, settings.steps)
    start = expanded.baseline[expanded.step]
    if rows.offset is not None:
        start[:, -causes:] += rows.offset[expanded.case] - rows.offset.mean(axis=0)
    counts = np.bincount(expanded.outcome, minlength=causes + 1)[1:]
    if (counts < 2 * FEWEST_EVENTS).any():
        return TreeMember("boosted_hazard", (None,) * causes)
    table = np.column_stack([rows.raw[expanded.case], expanded.step]).astype(np.float32)
    several = {"objective": "multi:softprob", "num_class": causes + 1, "eval_metric": "mlogloss"}
    one = {"objective": "binary:logistic", "eval_metric": "logloss"}
    parameters = {**settings.parameters(seed, len(table)), **(several if causes > 1 else one)}
    make = partial(_hazard_matrix, table, expanded, start)
    grown = grow(make, parameters, settings, depths, rows.folds, rows.target.cause > 0)
    if grown is None:
        return TreeMember("boosted_hazard", (None,) * causes)
    by_class = _class_tables(grown.booster, causes)
    time = rows.raw.shape[1]
    return TreeMember(
        "boosted_hazard",
        tuple(tuple(fixed(own, time, step) for step in range(expanded.steps)) for own in by_class),
    )


def _hazard_matrix(table: NDArray[np.float32], expanded: PersonSteps, start: Floats, kept: Bools) -> DMatrix:
    from xgboost import DMatrix

    here = kept[expanded.case]
    return DMatrix(
        table[here],
        label=expanded.outcome[here],
        weight=expanded.weight[here],
        base_margin=start[here],
        nthread=threads(len(here)),
    )


def _class_tables(booster: Booster, causes: int) -> tuple[LeafTable, ...]:
    """The log-odds of each cause against surviving the step."""
    trees = booster_trees(booster)
    if causes == 1:
        return (leaf_table(trees),)
    width = causes + 1
    survive = scaled(leaf_table(trees[0::width]), -1.0)
    return tuple(added([leaf_table(trees[number::width]), survive]) for number in range(1, width))


def booster_trees(booster: Booster) -> list[dict[str, object]]:
    """The booster's trees as `leaf_table` reads them."""
    model = json.loads(bytes(booster.save_raw("json")))
    trees: list[dict[str, object]] = model["learner"]["gradient_booster"]["model"]["trees"]
    return trees
