"""Cross-validation in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort import Case, Cohort, patient_folds
from prognosis.errors import CohortError, MissingDependencyError
from prognosis.evaluation.apart import cross_validate_apart
from prognosis.evaluation.cross_validation import CrossValidated, cross_validate
from prognosis.evaluation.entrant import Fit, Predictor
from prognosis.evaluation.held_out import judging_days
from prognosis.evaluation.peer_registry import peer_fits
from prognosis.survival.curves import Floats
from tests.evaluation.cohorts import cohort, target

MIB = 1024 * 1024


@dataclass(frozen=True)
class Half:
    """Predicts one half, after holding some memory."""

    mib: int = 0

    def __call__(self, known: Cohort) -> Predictor:
        """Hold the memory and let it go."""
        del known
        held = np.ones(self.mib * MIB, dtype=np.uint8)
        assert held.size == self.mib * MIB
        return self

    def cumulative_incidence(self, cases: Sequence[Case], days: Floats) -> Floats:
        """One half for everybody."""
        return np.full((len(cases), 1, len(days)), 0.5)


def refuses(known: Cohort) -> Predictor:
    del known
    raise MissingDependencyError("forest", "is not installed", "pip install forest")


def breaks(known: Cohort) -> Predictor:
    del known
    os._exit(3)


def never_ends(known: Cohort) -> Predictor:
    while known:
        pass
    return Half()


def run(fit: Fit, minutes: float = 1.0) -> CrossValidated:
    known = cohort(40)
    labels = target(known)
    fold = patient_folds(known.patients, labels.cause, 2, seed=1)
    return cross_validate_apart(known, fit, fold, judging_days(labels, known.task.horizons_days), minutes)


def test_another_process_predicts_what_this_one_does() -> None:
    known = cohort(40)
    labels = target(known)
    fold = patient_folds(known.patients, labels.cause, 2, seed=1)
    here = cross_validate(
        known, peer_fits(1)["cox_ridge"], fold, judging_days(labels, known.task.horizons_days)
    )
    np.testing.assert_array_equal(run(peer_fits(1)["cox_ridge"]).incidence, here.incidence)


def test_memory_that_a_method_held_for_a_moment_is_counted_and_what_was_there_before_is_not() -> None:
    little, much = run(Half()).peak_mib, run(Half(300)).peak_mib
    assert little is not None
    assert much is not None
    assert little < 50
    assert 250 < much - little < 350


def test_a_refusal_comes_back_as_it_was_raised() -> None:
    with pytest.raises(MissingDependencyError, match="forest: is not installed; pip install forest"):
        run(refuses)


def test_a_method_that_breaks_its_process_is_an_error_of_that_method_alone() -> None:
    with pytest.raises(CohortError, match="exit status 3"):
        run(breaks)


def test_a_method_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(CohortError, match=r"longer than 0\.01 minutes"):
        run(never_ends, minutes=0.01)


def test_a_peer_of_a_file_is_fitted_in_the_other_process_too(tmp_path: Path) -> None:
    path = tmp_path / "peers.py"
    path.write_text(
        "from prognosis.survival.cox import fit_cox_ridge\n"
        "def fit(covariates, days, event, folds, *, seed):\n"
        "    return fit_cox_ridge(covariates, days, event, 10.0)\n"
        "PEERS = {'cox_ten': fit}\n",
        encoding="utf-8",
    )
    found = run(peer_fits(1, [path])["cox_ten"])
    assert np.ptp(found.incidence[:, 0, -1]) > 0.1
