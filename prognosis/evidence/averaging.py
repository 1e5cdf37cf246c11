"""How much further the average of the fold models may be trusted than one of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.token import ModalityEvidence

Floats = NDArray[np.float64]


def averaging_gain(by_fold: Floats, folds: NDArray[np.int64], present: NDArray[np.bool_]) -> Floats:
    """(causes,) by what the average of the fold models is multiplied, from 1 to the number of folds.

    What is learned of evidence is learned of one model's, on cases that it did not see; what is kept is the
    average of all. Their errors partly cancel in it: it covaries with the truth as one of them does and
    varies less, so the slope of an outcome on it is steeper by Var(one) / Var(average). On a case of fold f
    model f is a stranger and the others are not: Var(one) is estimated from f's evidence of its own fold's
    cases, the covariance of two models from f's evidence and the other's of the same cases. What the other
    took from these cases' own outcomes is no part of what f says of them; where models remember single cases
    it takes the place of what both have in common, and the gain comes out too high (with almost no signal,
    1.7 for 1.4; with some, none was seen).

    Args:
        by_fold: (folds, n, causes) evidence of every training case by every fold's model.
        folds: (n,) fold of each case.
        present: (n,) cases that have the modality.
    """
    count, _, causes = by_fold.shape
    gain = np.ones(causes)
    own_spread, shared = np.zeros(causes), np.zeros(causes)
    for fold in range(count):
        rows = np.flatnonzero((folds == fold) & present)
        if len(rows) < 2 or count == 1:
            return gain
        centred = by_fold[:, rows] - by_fold[:, rows].mean(axis=1, keepdims=True)
        products = (centred * centred[fold]).mean(axis=1)
        own_spread += products[fold]
        shared += np.delete(products, fold, axis=0).mean(axis=0)
    speaks = own_spread > 0.0
    alike = np.clip(shared[speaks] / own_spread[speaks], 0.0, 1.0)
    gain[speaks] = count / (1.0 + (count - 1) * alike)
    return gain


def spread_of_average(out_of_fold: ModalityEvidence, gain: Floats, entries: int) -> ModalityEvidence:
    """Out-of-fold evidence spread as widely as that of the average, multiplied by its gain, on other cases.

    Args:
        out_of_fold: Each case's by the one model that did not see it.
        gain: (causes,) of `averaging_gain`: the average's variance is one model's over it.
        entries: How many leading entries of the vector are evidence, cause by cause; the others stay.
    """
    factor = np.sqrt(gain)
    of_entries = np.ones(out_of_fold.vector.shape[1])
    of_entries[:entries] = np.tile(factor, entries // len(factor))
    return replace(
        out_of_fold, evidence=out_of_fold.evidence * factor[:, None], vector=out_of_fold.vector * of_entries
    )
