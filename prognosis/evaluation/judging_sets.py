"""Judging sets of classes: how often held-out cases find their true class in theirs.

What is calibrated holds within each class, for a patient and not for a case: so a patient's cases in a group
count one together. "True class" is the group to compare with the level; of the other groups nothing but
their mean over classes is promised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import reference_class
from prognosis.evaluation.judging_bounds import EVERYONE, JUDGED_LEVELS, observed_modalities
from prognosis.evaluation.set_coverage import SetCoverage
from prognosis.evaluation.subgroups import LEAST_CASES
from prognosis.survival.bootstrap import clustered_bootstrap
from prognosis.survival.conformal import patient_shares
from prognosis.survival.statistic import Statistic, once

if TYPE_CHECKING:
    from prognosis.evaluation.judging import Judged

TRUE_CLASS = "true class"


@dataclass(frozen=True, slots=True)
class SetCases:
    """Held-out cases with one set each.

    Attributes:
        holds: (n, C) True where a class is in the case's set.
        true_class: (n,) number of the true class.
        patients: (n,) the patient of each case.
    """

    holds: NDArray[np.bool_]
    true_class: NDArray[np.int64]
    patients: NDArray[np.str_]

    def take(self, rows: NDArray[np.bool_]) -> SetCases:
        """The cases at `rows`."""
        return SetCases(self.holds[rows], self.true_class[rows], self.patients[rows])

    def coverage(self) -> Statistic:
        """The share of patients whose set holds their true class, as a function of case weights."""
        covered = self.holds[np.arange(len(self.true_class)), self.true_class]
        return self._share(covered)

    def mean_size(self) -> float:
        """Mean number of classes in a set."""
        return self._of_everyone(np.count_nonzero(self.holds, axis=1))

    def empty(self) -> float:
        """Share of empty sets."""
        return self._of_everyone(np.count_nonzero(self.holds, axis=1) == 0)

    def _of_everyone(self, values: NDArray[np.int64] | NDArray[np.bool_]) -> float:
        return float(self._share(values)(once(len(values)))[0])

    def _share(self, values: NDArray[np.int64] | NDArray[np.bool_]) -> Statistic:
        shares = patient_shares(self.patients)
        return lambda weights: np.asarray(weights @ (values * shares) / (weights @ shares))


def judge_sets(
    folds: Sequence[Judged], groups: Mapping[str, NDArray[np.str_]], seed: int, replicates: int
) -> tuple[SetCoverage, ...]:
    """Coverage and size of the sets, for everyone, by true class, in each group and by what cases have.

    Args:
        folds: Models and cases that did not train them; nothing comes back where a model has no sets.
        groups: (n,) the level of each case, fold after fold, by the name of the grouping.
        seed: Of the bootstrap.
        replicates: Bootstrap samples of patients.
    """
    if any(fold.model.sets is None for fold in folds):
        return ()
    classes = np.array([reference_class(folds[0].cohort.task), *folds[0].target.causes])
    true_class = np.concatenate([fold.target.cause for fold in folds])
    patients = np.concatenate([fold.cohort.patients for fold in folds])
    observed = np.concatenate([observed_modalities(fold) for fold in folds])
    named = {EVERYONE: np.full(len(observed), EVERYONE), TRUE_CLASS: classes[true_class], **groups}
    if len(np.unique(observed)) > 1:
        named["modalities"] = observed
    found = []
    for level in JUDGED_LEVELS:
        sets = [fold.model.class_sets(fold.inputs, level) for fold in folds]
        holds = np.concatenate([own for own in sets if own is not None])
        cases = SetCases(holds, true_class, patients)
        for group, levels in named.items():
            for shared in np.unique(levels):
                part = cases.take(levels == shared)
                found.append(_coverage((level, group, str(shared)), part, seed, replicates))
    return tuple(found)


def _coverage(known: tuple[float, str, str], cases: SetCases, seed: int, replicates: int) -> SetCoverage:
    count, events = len(cases.patients), int((cases.true_class > 0).sum())
    enough = count >= LEAST_CASES
    interval = clustered_bootstrap(cases.coverage(), cases.patients, replicates, seed) if enough else None
    return SetCoverage(*known, count, events, interval, cases.mean_size(), cases.empty())
