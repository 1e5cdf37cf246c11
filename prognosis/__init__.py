"""Explained, calibrated prognosis from health records, images and notes together.

    import prognosis

    task = prognosis.Task.load("configs/tasks/cxr_intensive_care.yaml")
    cohort = prognosis.build_cohort(task, records)
    model = prognosis.train(cohort)
    risk = prognosis.predict(model, record)
    why = prognosis.explain(model, record)

Names are loaded when first used: importing this package imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prognosis.api import evaluate, explain, load, train, treat
    from prognosis.cohort import Cohort, Task, build_cohort
    from prognosis.estimator import SurvivalStack
    from prognosis.explanation import difference, explain_cohort, what_changed
    from prognosis.fusion import FusionModel, ModelConfig
    from prognosis.prediction import Prediction, predict
    from prognosis.record import PatientRecord

__version__ = "0.1.0"

_PLACES = {
    "Cohort": "prognosis.cohort",
    "FusionModel": "prognosis.fusion",
    "ModelConfig": "prognosis.fusion",
    "PatientRecord": "prognosis.record",
    "Prediction": "prognosis.prediction",
    "SurvivalStack": "prognosis.estimator",
    "Task": "prognosis.cohort",
    "build_cohort": "prognosis.cohort",
    "difference": "prognosis.explanation",
    "evaluate": "prognosis.api",
    "explain": "prognosis.api",
    "explain_cohort": "prognosis.explanation",
    "load": "prognosis.api",
    "predict": "prognosis.prediction",
    "train": "prognosis.api",
    "treat": "prognosis.api",
    "what_changed": "prognosis.explanation",
}

__all__ = [
    "Cohort",
    "FusionModel",
    "ModelConfig",
    "PatientRecord",
    "Prediction",
    "SurvivalStack",
    "Task",
    "__version__",
    "build_cohort",
    "difference",
    "evaluate",
    "explain",
    "explain_cohort",
    "load",
    "predict",
    "train",
    "treat",
    "what_changed",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562: whatever the name stands for
    if name not in _PLACES:
        message = f"module 'prognosis' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
