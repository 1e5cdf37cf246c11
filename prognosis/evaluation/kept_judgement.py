"""The judgement of a method on a cohort, kept beside its predictions: resampling takes as long as fitting."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from prognosis.evaluation.judged_runs import JudgedRuns
from prognosis.evaluation.results import CalibrationCurve, CalibrationTest, DecisionCurve, MetricSet
from prognosis.survival.bootstrap import Interval

_DRAWN, _FOLDS = "drawn ", "folds "


def read_judgement(path: Path, fingerprint: str) -> JudgedRuns | None:
    """What was kept; None when there is nothing, or of another run."""
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as found:
        if str(found["fingerprint"]) != fingerprint:
            return None
        stated: dict[str, Any] = json.loads(str(found["stated"]))
        arrays = {name: found[name] for name in found.files}
    metrics = {name: Interval(*values) for name, values in stated["metrics"].items()}
    return JudgedRuns(
        MetricSet(metrics, stated["refused"], stated["fewer"]),
        {name.removeprefix(_DRAWN): arrays[name] for name in arrays if name.startswith(_DRAWN)},
        {name.removeprefix(_FOLDS): arrays[name] for name in arrays if name.startswith(_FOLDS)},
        tuple(CalibrationCurve(**_with_tuples(curve)) for curve in stated["calibration"]),
        tuple(DecisionCurve(**_with_tuples(curve)) for curve in stated["decisions"]),
        tuple(CalibrationTest(**test) for test in stated["tests"]),
    )


def write_judgement(path: Path, fingerprint: str, judged: JudgedRuns) -> None:
    """Keep a judgement; an earlier file is replaced whole or not at all."""
    result = judged.result
    stated = {
        "metrics": {name: [i.value, i.low, i.high, i.level] for name, i in result.metrics.items()},
        "refused": dict(result.refused),
        "fewer": dict(result.fewer_replicates),
        "calibration": [asdict(curve) for curve in judged.calibration],
        "decisions": [asdict(curve) for curve in judged.decisions],
        "tests": [asdict(test) for test in judged.tests],
    }
    arrays: dict[str, Any] = {_DRAWN + name: values for name, values in judged.drawn.items()}
    arrays |= {_FOLDS + name: values for name, values in judged.fold_values.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, fingerprint=fingerprint, stated=json.dumps(stated), **arrays)
    unfinished.replace(path)


def _with_tuples(stated: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in stated.items()}
