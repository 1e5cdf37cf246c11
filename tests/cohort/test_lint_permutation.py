"""The permuted-label control: what has seen its test cases learns even from labels dealt out anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from prognosis.cohort import Cohort
from prognosis.cohort.lint.answer import auroc
from prognosis.cohort.lint.controls import Discrimination, permutation_control, permuted_labels
from tests.cohort.lint_plants import clean, cohort_of


def encoded(cohort: Cohort, *, honest: bool) -> Discrimination:
    """A model whose only column is each patient's own outcome, encoded within its fold or over everyone."""
    died = np.array([getattr(case.label, "cause", None) == "death" for case in cohort.cases])
    rng = np.random.default_rng(0)
    group = rng.integers(0, 60, len(died))
    fold = rng.integers(0, 2, len(died))
    risk = np.empty(len(died))
    for row in range(len(died)):
        others = (group == group[row]) & ((fold != fold[row]) if honest else True)
        risk[row] = died[others].mean() if others.any() else died.mean()
    value = auroc(died, risk)
    assert value is not None
    return Discrimination("auroc", value, 1.0 / np.sqrt(12.0 * len(died) / 4.0))


def test_encoding_labels_before_the_split_is_found_by_permuting_them_and_within_folds_it_is_not() -> None:
    cohort = cohort_of(clean())
    assert list(permutation_control(cohort, lambda c: encoded(c, honest=True))) == []
    (finding,) = permutation_control(cohort, lambda c: encoded(c, honest=False))
    assert (finding.kind, finding.fails) == ("permuted labels still predict", True)


def test_permuted_labels_are_the_same_labels_within_each_part() -> None:
    cohort = cohort_of(clean())
    parted = Cohort(cohort.task, tuple(replace(c, part=str(row % 3)) for row, c in enumerate(cohort.cases)))
    permuted = permuted_labels(parted, seed=1)
    for part in "012":
        of = [sorted(str(c.label) for c in found.cases if c.part == part) for found in (parted, permuted)]
        assert of[0] == of[1]
    assert [c.label for c in permuted.cases] != [c.label for c in parted.cases]
    assert [c.record for c in permuted.cases] == [c.record for c in parted.cases]
