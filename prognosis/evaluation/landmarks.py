"""Landmark curves: how well the future is told at each landmark, among those at risk there and nobody else.

At every landmark and horizon: Uno's C of events before the horizon, the Brier score integrated up to it, the
AUC and Brier score at it, and events observed over expected. Later landmarks have fewer people at risk, and
other ones, so that a curve over landmarks is not one of the same patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from prognosis.evaluation.comparison import compare
from prognosis.evaluation.held_out import GRID_POINTS, HeldOut, JudgingDays
from prognosis.evaluation.landmark_metrics import LandmarkMetrics
from prognosis.evaluation.results import MetricSet
from prognosis.evaluation.survival_folds import rows_by_landmark
from prognosis.evaluation.survival_metrics import PreparedMetrics, prepare_survival

KINDS = ("uno_c", "auc", "ibs", "brier", "observed_over_expected")
COMPARED = ("uno_c", "ibs")
LEAST_EVENTS = 5
"""Of the first cause, within the horizon: with fewer an interval says nothing."""


def judge_landmarks(
    predicted: Mapping[str, Sequence[HeldOut]], horizons: Sequence[float], seed: int, replicates: int
) -> tuple[LandmarkMetrics, ...]:
    """Judge each landmark and horizon by itself; nothing for a class, or for a task without landmarks.

    Args:
        predicted: Each method's held-out predictions, one element a fold, the same cases for all; the first
            method is the one judged, the others stand beside it.
        horizons: Days from the landmark.
        seed: Of the bootstrap over patients.
        replicates: Bootstrap samples.
    """
    first = next(iter(predicted.values()))
    if not first[0].target.survival:
        return ()
    landmarks = sorted({own for part in first for own, _ in rows_by_landmark(part.target) if own is not None})
    return tuple(
        _judge(
            {name: _at_landmark(parts, landmark) for name, parts in predicted.items()},
            landmark,
            float(horizon),
            seed,
            replicates,
        )
        for landmark in landmarks
        for horizon in sorted(horizons)
    )


def _at_landmark(parts: Sequence[HeldOut], landmark: float) -> list[HeldOut]:
    found = []
    for part in parts:
        rows = next((rows for own, rows in rows_by_landmark(part.target) if own == landmark), None)
        if rows is not None:
            found.append(
                replace(part, cif=part.cif[rows], target=part.target.take(rows), clusters=part.clusters[rows])
            )
    return found


def _judge(
    predicted: Mapping[str, Sequence[HeldOut]], landmark: float, horizon: float, seed: int, replicates: int
) -> LandmarkMetrics:
    own, *others = predicted
    targets = [part.target for part in predicted[own]]
    days = np.concatenate([target.days for target in targets])
    cause = np.concatenate([target.cause for target in targets])
    events = {
        name: int(((cause == place) & (days <= horizon)).sum())
        for place, name in enumerate(targets[0].causes, start=1)
    }
    asked = (landmark, horizon, len(days), events)
    if events[targets[0].causes[0]] < LEAST_EVENTS:
        return LandmarkMetrics(*asked, MetricSet({}, {"all": f"fewer than {LEAST_EVENTS} events"}))
    prepared = {name: _prepared(parts, horizon) for name, parts in predicted.items()}
    reason = prepared[own].refused.get("brier")
    if reason is not None:
        return LandmarkMetrics(*asked, MetricSet({}, {"all": reason}))
    causes = ("", *(f":{name}" for name in targets[0].causes[1:]))
    compared = [f"{kind}{of}" for of in causes for kind in COMPARED]
    return LandmarkMetrics(
        *asked,
        prepared[own].bootstrap(replicates, seed),
        {name: prepared[name].bootstrap(replicates, seed) for name in others},
        tuple(
            found
            for name in others
            for found in compare(own, name, prepared[own], prepared[name], compared, seed, replicates)
        ),
    )


def _prepared(parts: Sequence[HeldOut], horizon: float) -> PreparedMetrics:
    """The metrics of `KINDS` up to one horizon, without the horizon in their names."""
    grid = np.linspace(0.0, horizon, GRID_POINTS + 1)[1:]
    found = prepare_survival(parts, JudgingDays((horizon,), horizon, grid))

    def renamed(name: str) -> str:
        return name.replace(f"@{horizon:g}", "")

    def wanted(name: str) -> bool:
        kind, _, cause = name.replace(f"@{horizon:g}", "").partition(":")
        unanswerable = f"brier@{horizon:g}{':' if cause else ''}{cause}" in found.refused
        return kind in KINDS and not (kind in COMPARED and unanswerable)

    return PreparedMetrics(
        {renamed(name): value for name, value in found.statistics.items() if wanted(name)},
        found.clusters,
        {renamed(name): reason for name, reason in found.refused.items() if wanted(name)},
    )
