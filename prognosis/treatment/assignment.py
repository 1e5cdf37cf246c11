"""Who was given which arm, and how that came about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.splits import patient_folds
from prognosis.errors import CohortError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Assignment(StrEnum):
    """How arms came to patients; the task states it, since no table can tell."""

    RANDOMISED = "randomised"
    OBSERVATIONAL = "observational"


@dataclass(frozen=True, slots=True)
class ArmCases:
    """Cases with what was known of them before treatment and the arm that each was given.

    Attributes:
        covariates: (n, p) finite; everything known at the index by which the arm may have been chosen or by
            which its effect may differ: columns, or tokens of films and notes.
        arm: (n,) number of the arm given, 0 to A - 1.
        arms: Names of the A arms, two or more.
        assignment: Randomised or observational.
        patients: (n,) the patient of each case; paired eyes share one.
        allocation: (A,) the trial's known allocation, in all 1; None to take the shares seen.

    Raises:
        CohortError: Something is missing, not finite, or an arm has no case.
    """

    covariates: Floats
    arm: Ints
    arms: tuple[str, ...]
    assignment: Assignment
    patients: NDArray[np.str_]
    allocation: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise CohortError("treatment arms", *problem)
        stated = self.allocation
        if stated is not None and (len(stated) != len(self.arms) or abs(sum(stated) - 1.0) > 1e-6):
            raise CohortError("allocation", "is no share of each arm", "give one share an arm, in all 1")

    def _problem(self) -> tuple[str, str] | None:
        if len(self.arms) < 2:
            return "are fewer than two", "name the arms that are to be compared"
        if not len(self.covariates) == len(self.arm) == len(self.patients):
            return "do not speak of as many cases as the covariates", "give one row a case"
        if not np.isfinite(self.covariates).all():
            return "have a covariate that is not finite", "impute it first"
        counts = np.bincount(self.arm, minlength=len(self.arms))
        if self.arm.min(initial=0) < 0 or len(counts) > len(self.arms):
            return "are numbered outside their names", "number arms from 0 in the order of their names"
        if not counts.all():
            empty = ", ".join(name for name, count in zip(self.arms, counts, strict=True) if not count)
            return f"have no case of {empty}", "leave the arm out of the task or add cases"
        return None

    def __len__(self) -> int:
        return len(self.arm)

    @property
    def randomised(self) -> bool:
        """True when chance alone chose the arm."""
        return self.assignment is Assignment.RANDOMISED

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> ArmCases:
        """The cases at `rows`."""
        return replace(
            self, covariates=self.covariates[rows], arm=self.arm[rows], patients=self.patients[rows]
        )

    def with_arm(self, arm: Ints) -> ArmCases:
        """The same cases under other arms: what a permutation test asks about."""
        return replace(self, arm=arm)

    def folds(self, happened: NDArray[np.bool_], folds: int, seed: int) -> Ints:
        """(n,) folds by patient, balanced over arms and over what happened.

        Args:
            happened: (n,) True where the outcome did.
            folds: How many.
            seed: Of the shuffle.
        """
        return patient_folds(self.patients, self.arm * 2 + happened, folds, seed)
