"""Sets of classes calibrated on predictions that no case took part in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.fusion.bounds import head_of_others
from prognosis.fusion.config import FusionConfig
from prognosis.fusion.head import Array, cumulative_incidence
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure
from prognosis.survival.class_sets import ClassSets, fit_class_sets


def class_probabilities(incidence: Array) -> Array:
    """(n, 1 + K) the reference class's probability and every other's, from (n, K, 1)."""
    others = incidence[:, :, 0]
    return np.column_stack([np.clip(1.0 - others.sum(axis=1), 0.0, 1.0), others])


def fit_sets(
    config: FusionConfig,
    inputs: FusionInputs,
    exposure: Exposure,
    target: Target,
    patients: NDArray[np.str_],
    folds: NDArray[np.int64],
    shift: Array,
) -> ClassSets:
    """Calibrate the sets of a task whose classes exclude one another; see `fit_bounds`, which does alike.

    Args:
        config: How heads are fitted.
        inputs: Out-of-fold evidence of the training cases.
        exposure: What was true.
        target: The same as classes.
        patients: (n,) the patient of each case.
        folds: (n,) fold of each case, whole patients.
        shift: (K,) what the kept head's log-odds gain for the stated prevalence; see `prior_shift`.
    """
    probability = np.zeros((len(target), 1 + len(target.causes)))
    for left_out in np.unique(folds):
        rows = folds == left_out
        head = head_of_others(config, inputs, exposure, patients, rows)
        log_odds = head.log_hazard(inputs.take(rows)) + shift[:, None]
        incidence = cumulative_incidence(log_odds, target.edges, target.edges[-1:])
        probability[rows] = class_probabilities(incidence)
    return fit_class_sets(probability, target.cause, patients)
