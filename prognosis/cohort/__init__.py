"""Who is asked about, and what: tasks, selection with counted exclusions, labels and splits."""

from prognosis.cohort.arms import ArmCohort, compared_arms
from prognosis.cohort.case import (
    Began,
    Case,
    ClassLabel,
    Cohort,
    FindingsLabel,
    MaskLabel,
    MeasurementLabel,
    OfNoArm,
    SurvivalLabel,
)
from prognosis.cohort.selection import build_cohort
from prognosis.cohort.splits import held_out_rows, patient_folds
from prognosis.cohort.target import Target, cohort_target
from prognosis.cohort.task import Task

__all__ = [
    "ArmCohort",
    "Began",
    "Case",
    "ClassLabel",
    "Cohort",
    "FindingsLabel",
    "MaskLabel",
    "MeasurementLabel",
    "OfNoArm",
    "SurvivalLabel",
    "Target",
    "Task",
    "build_cohort",
    "cohort_target",
    "compared_arms",
    "held_out_rows",
    "patient_folds",
]
