"""Fitting the hazard head: penalised likelihood, masked copies of cases, interactions only if they pay."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.config import FusionConfig
from prognosis.fusion.head import Array
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure, negative_log_likelihood
from prognosis.fusion.optimiser import Parameters, minimise

LEAST_GAIN = 1.0
"""In nats over all cases: an interaction that shrank to nothing differs from none by rounding alone."""


def fit_head(
    inputs: FusionInputs,
    exposure: Exposure,
    config: FusionConfig,
    folds: NDArray[np.int64],
    seed: int,
) -> Parameters:
    """Fit the head on out-of-fold evidence, choosing by cross-fitted likelihood whether modalities interact.

    Interactions enter only when they lower the likelihood of patients left out by more than one standard
    error of the difference, and by more than `LEAST_GAIN`: on a small cohort the result is a late fusion.

    Args:
        inputs: Out-of-fold evidence of the training cases.
        exposure: What happened to them.
        config: Penalties and rank.
        folds: (n,) fold of each case, whole patients; the interaction is chosen across them.
        seed: Of the starting point of the interaction.
    """
    penalty = _choose_interaction(inputs, exposure, config, folds, seed)
    rows, masks, copies = masked_copies(inputs, config.dropout_weight)
    rank = config.rank if penalty is not None else 0
    return minimise(masks, exposure.take(rows), copies, rank, penalty or 0.0, seed)


def refit(
    start: Parameters, inputs: FusionInputs, exposure: Exposure, weights: NDArray[np.float64]
) -> Parameters:
    """Refit from a fitted head under other case weights (a bootstrap replicate); the factors stay."""
    return minimise(inputs, exposure, weights, 0, 0.0, 0, start=start)


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


def _choose_interaction(
    inputs: FusionInputs, exposure: Exposure, config: FusionConfig, folds: NDArray[np.int64], seed: int
) -> float | None:
    if config.rank == 0 or len(inputs.modalities) == 1:
        return None

    def held_out_loss(penalty: float | None) -> Array:
        loss = np.zeros(len(inputs))
        rank = config.rank if penalty is not None else 0
        for left_out in np.unique(folds):
            train, test = folds != left_out, folds == left_out
            ones = np.ones(int(train.sum()))
            fitted = minimise(inputs.take(train), exposure.take(train), ones, rank, penalty or 0.0, seed)
            eta = fitted.head().log_hazard(inputs.take(test))
            loss[test] = negative_log_likelihood(eta, exposure.take(test))
        return loss

    without = held_out_loss(None)
    best: float | None = None
    best_gain = LEAST_GAIN
    for penalty in config.interaction_penalties:
        gain = without - held_out_loss(penalty)
        error = float(gain.std(ddof=1)) * np.sqrt(len(gain))
        if gain.sum() > max(error, best_gain):
            best, best_gain = penalty, float(gain.sum())
    return best
