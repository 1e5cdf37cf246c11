"""Landmark curves for the terminal and for the report."""

from __future__ import annotations

from rich.table import Table

from prognosis.cohort import Task
from prognosis.evaluation.landmark_metrics import LandmarkMetrics
from prognosis.evaluation.results import EvaluationResult
from prognosis.outputs.estimate import Estimate, in_days
from prognosis.outputs.landmark_curves import LandmarkCurves, LandmarkLine, LandmarkPoint
from prognosis.survival.bootstrap import Interval

TITLES = {
    "uno_c": "Uno's C",
    "ibs": "integrated Brier score",
    "auc": "AUC",
    "brier": "Brier score",
    "observed_over_expected": "observed over expected",
}
DRAWN = ("uno_c", "ibs")


def landmark_table(result: EvaluationResult, task: Task) -> Table:
    """The first cause's metrics at each landmark and horizon; --json and --report hold the others."""
    cause = task.causes[0]
    table = Table(title=f"{cause.replace('_', ' ')}, among those at risk at the landmark")
    for name in ("landmark", "within", "at risk", "events", *TITLES.values()):
        table.add_column(name, justify="left" if name in {"landmark", "within"} else "right")
    for found in result.landmarks:
        cells = [_cell(found.result.metrics.get(kind)) for kind in TITLES]
        asked = landmark_name(found.landmark, task), in_days(found.horizon_days)
        table.add_row(*asked, str(found.n), str(found.events[cause]), *cells)
    return table


def landmark_curves(result: EvaluationResult, task: Task) -> tuple[LandmarkCurves, ...]:
    """C and integrated Brier score of each cause over the landmarks; nothing without landmarks."""
    return tuple(
        LandmarkCurves(
            f"{TITLES[kind]}, {cause.replace('_', ' ')}",
            "visit" if task.index.visit_codes else "days since entry",
            tuple(_line(result, task, horizon, cause, kind) for horizon in _horizons(result)),
            kind == "uno_c",
        )
        for cause in task.causes
        for kind in DRAWN
        if any(_metric(found, task, cause, kind) for found in result.landmarks)
    )


def landmark_name(landmark: float, task: Task) -> str:
    """A landmark in words."""
    if task.index.visit_codes:
        return f"visit {landmark:g}"
    return "entry" if landmark == 0 else in_days(landmark)


def _line(result: EvaluationResult, task: Task, horizon: float, cause: str, kind: str) -> LandmarkLine:
    points = tuple(
        LandmarkPoint(
            found.landmark,
            landmark_name(found.landmark, task),
            found.n,
            found.events[cause],
            _metric(found, task, cause, kind),
        )
        for found in result.landmarks
        if found.horizon_days == horizon
    )
    return LandmarkLine(in_days(horizon), points)


def _metric(found: LandmarkMetrics, task: Task, cause: str, kind: str) -> Estimate | None:
    name = kind if cause == task.causes[0] else f"{kind}:{cause}"
    interval = found.result.metrics.get(name)
    return None if interval is None else Estimate(interval.value, interval.low, interval.high, interval.level)


def _horizons(result: EvaluationResult) -> list[float]:
    return sorted({found.horizon_days for found in result.landmarks})


def _cell(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.value:.3f} ({interval.low:.3f}, {interval.high:.3f})"
