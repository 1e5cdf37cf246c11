"""Splits by patient: every case of a patient lands on the same side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def patient_folds(
    patients: NDArray[np.str_], strata: NDArray[np.int64], folds: int, seed: int
) -> NDArray[np.int64]:
    """The fold of each case: patients are shuffled within strata and dealt to folds in turn.

    Args:
        patients: (n,) the patient of each case.
        strata: (n,) what should be balanced over folds (the cause); a patient counts by its highest.
        folds: How many.
        seed: Of the shuffle.

    Returns:
        (n,) fold numbers 0 to folds - 1; equal for all cases of a patient.
    """
    names, first = np.unique(patients, return_inverse=True)
    fold_of_patient = np.empty(len(names), dtype=np.int64)
    fold_of_patient[_shuffled_by_stratum(first, len(names), strata, seed)] = np.arange(len(names)) % folds
    return fold_of_patient[first]


def held_out_rows(
    patients: NDArray[np.str_], strata: NDArray[np.int64], share: float, seed: int
) -> NDArray[np.bool_]:
    """(n,) True for the cases of about `share` of the patients, balanced over strata.

    Args:
        patients: (n,) the patient of each case.
        strata: (n,) what should be balanced.
        share: The share of patients held out, 0 to 1.
        seed: Of the choice.
    """
    names, first = np.unique(patients, return_inverse=True)
    held = np.empty(len(names), dtype=bool)
    # Going through the patients stratum by stratum, one is held out each time the running share passes a
    # whole number: exact to one patient in the cohort and in every stratum, however few there are.
    running = np.floor(np.arange(len(names) + 1) * share + 0.5)
    held[_shuffled_by_stratum(first, len(names), strata, seed)] = np.diff(running) > 0
    return held[first]


def _shuffled_by_stratum(
    patient: NDArray[np.intp], patients: int, strata: NDArray[np.int64], seed: int
) -> NDArray[np.intp]:
    """Patients in random order within strata, strata one after the other; a patient counts by its highest."""
    stratum = np.zeros(patients, dtype=np.int64)
    np.maximum.at(stratum, patient, strata)
    order = np.random.default_rng(seed).permutation(patients)
    return order[np.argsort(stratum[order], kind="stable")]
