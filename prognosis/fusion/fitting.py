"""Fitting the hazard head: penalised likelihood, masked copies of cases, interactions that they speak for."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.config import FusionConfig
from prognosis.fusion.head import Array
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.interaction import fit_interaction
from prognosis.fusion.likelihood import Exposure, negative_log_likelihood
from prognosis.fusion.optimiser import Parameters, minimise
from prognosis.survival.conformal import patient_shares


def fit_head(
    inputs: FusionInputs,
    exposure: Exposure,
    config: FusionConfig,
    patients: NDArray[np.str_] | None = None,
) -> Parameters:
    """Fit the head on out-of-fold evidence, with the interactions that the cases speak for.

    On a small cohort nothing speaks for an interaction, and the result is a late fusion.

    Args:
        inputs: Out-of-fold evidence of the training cases.
        exposure: What happened to them.
        config: Rank of the interactions and weight of the masked copies.
        patients: (n,) the patient of each case, who speaks for an interaction once; None where each case is
            of another patient.
    """
    rows, masks, copies = masked_copies(inputs, config.dropout_weight)
    fitted = minimise(masks, exposure.take(rows), copies)
    if len(inputs.modalities) == 1 or config.rank == 0:
        return fitted
    observed = minimise(inputs, exposure, np.ones(len(inputs))).head()
    shares = np.ones(len(inputs)) if patients is None else patient_shares(patients)
    found = fit_interaction(observed, inputs, exposure, config.rank, shares)
    if not found.rank:
        return fitted
    start = replace(fitted, factors=found.factors, strengths=found.strengths)
    return minimise(masks, exposure.take(rows), copies, start)


def refit(
    start: Parameters, inputs: FusionInputs, exposure: Exposure, weights: NDArray[np.float64]
) -> Parameters:
    """Refit from a fitted head under other case weights (a bootstrap replicate); the interaction stays."""
    return minimise(inputs, exposure, weights, start)


def masked_copies(
    inputs: FusionInputs, dropout_weight: float
) -> tuple[NDArray[np.intp], FusionInputs, NDArray[np.float64]]:
    """Every case as observed, and again with each smaller subset of its modalities.

    This is modality dropout taken to its expectation: instead of sampling masks, all are present.

    Returns:
        (row of the case, inputs, weight) of the copies; observed cases weigh 1, each case's masked copies
        weigh `dropout_weight` together.
    """
    modalities = len(inputs.modalities)
    smaller = [keep for keep in product([False, True], repeat=modalities) if not all(keep)]
    everyone = np.arange(len(inputs))
    if dropout_weight == 0.0 or modalities == 1:
        return everyone, inputs, np.ones(len(inputs))
    parts = [inputs, *(inputs.keeping(np.array(keep)) for keep in smaller)]
    joined = FusionInputs(
        inputs.modalities,
        np.concatenate([part.present for part in parts]),
        tuple(np.concatenate([part.evidence[m] for part in parts]) for m in range(modalities)),
        tuple(np.concatenate([part.vectors[m] for part in parts]) for m in range(modalities)),
        np.concatenate([part.distance for part in parts]),
        inputs.withheld * len(parts),
    )
    copies = np.full(len(smaller) * len(inputs), dropout_weight / len(smaller))
    return np.tile(everyone, len(parts)), joined, np.concatenate([np.ones(len(inputs)), copies])


def held_out_loss(
    inputs: FusionInputs, exposure: Exposure, folds: NDArray[np.int64], dropout_weight: float
) -> Array:
    """(n,) negative log-likelihood of each case and its masked copies, by heads that did not see its fold."""
    rows, masks, copies = masked_copies(inputs, dropout_weight)
    loss = np.zeros(len(rows))
    for left_out in np.unique(folds):
        train, test = np.flatnonzero(folds[rows] != left_out), np.flatnonzero(folds[rows] == left_out)
        fitted = minimise(masks.take(train), exposure.take(rows[train]), copies[train])
        eta = fitted.head().log_hazard(masks.take(test))
        loss[test] = copies[test] * negative_log_likelihood(eta, exposure.take(rows[test]))
    return np.asarray(np.bincount(rows, weights=loss, minlength=len(inputs)), dtype=np.float64)
