"""A cohort: a task, its cases, and the count of everyone left out with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.task import Task
from prognosis.record import PatientRecord


@dataclass(frozen=True, slots=True)
class SurvivalLabel:
    """What happened first and when: `cause` is None when censored after `days` from the index."""

    cause: str | None
    days: float


@dataclass(frozen=True, slots=True)
class ClassLabel:
    """The class that turned out to be true; the task's reference class has no cause."""

    category: str


@dataclass(frozen=True, slots=True)
class FindingsLabel:
    """The findings stated to be present and those stated to be absent; of all others nothing is known."""

    present: tuple[str, ...]
    absent: tuple[str, ...]

    def state(self, finding: str) -> bool | None:
        """True where the finding is present, False where it is absent, None where it is not known."""
        return True if finding in self.present else False if finding in self.absent else None


@dataclass(frozen=True, slots=True)
class MaskLabel:
    """The studies at the index (their UIDs) on which somebody marked every structure that is asked about."""

    studies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeasurementLabel:
    """The value that was measured, in the task's unit, and how many days after the index it was."""

    value: float
    days: float


Label = SurvivalLabel | ClassLabel | FindingsLabel | MaskLabel | MeasurementLabel


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """Why a case has no label; `never_asked` when the question does not apply to it at all."""

    reason: str
    never_asked: bool = False


@dataclass(frozen=True, slots=True)
class Began:
    """The arm of a case, and how many days after the index it began: None for the arm of no other."""

    arm: str
    days: float | None = None


@dataclass(frozen=True, slots=True)
class OfNoArm:
    """Why a case is of no arm: `ambiguous` where it could be of more than one, or where nobody could tell."""

    reason: str
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One question asked of one patient: the record as known at the index, and the answer.

    `label` is None when the answer is not known (a patient to be predicted).
    `arm` is None for a task that compares no arms.
    `part` is "train", "validation" or "test" where the source fixes the split, else "".
    """

    record: PatientRecord
    index_time: datetime
    label: Label | None = None
    arm: Began | OfNoArm | None = None
    part: str = ""

    @property
    def patient(self) -> str:
        """The unit of splitting: no patient is ever on two sides."""
        return self.record.person


@dataclass(frozen=True, slots=True)
class Cohort:
    """Cases of one task, with what was excluded, by reason."""

    task: Task
    cases: tuple[Case, ...]
    exclusions: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.cases)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> Cohort:
        """The cohort of the cases at `rows`."""
        return Cohort(self.task, tuple(self.cases[int(row)] for row in rows), self.exclusions)

    def where(self, keep: Callable[[Case], bool]) -> Cohort:
        """The cohort of the cases for which `keep` is true."""
        return Cohort(self.task, tuple(case for case in self.cases if keep(case)), self.exclusions)

    @property
    def patients(self) -> NDArray[np.str_]:
        """The patient of each case: the clusters for splits and bootstraps."""
        return np.array([case.patient for case in self.cases])
