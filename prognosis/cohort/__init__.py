"""Who is asked about, and what: tasks, selection with counted exclusions, labels and splits."""

from prognosis.cohort.case import (
    Case,
    ClassLabel,
    Cohort,
    FindingsLabel,
    MaskLabel,
    MeasurementLabel,
    SurvivalLabel,
)
from prognosis.cohort.selection import build_cohort
from prognosis.cohort.splits import held_out_rows, patient_folds
from prognosis.cohort.target import Target, cohort_target
from prognosis.cohort.task import Task

__all__ = [
    "Case",
    "ClassLabel",
    "Cohort",
    "FindingsLabel",
    "MaskLabel",
    "MeasurementLabel",
    "SurvivalLabel",
    "Target",
    "Task",
    "build_cohort",
    "cohort_target",
    "held_out_rows",
    "patient_folds",
]
