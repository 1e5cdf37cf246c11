"""A small intercept and slope for each observed subset of modalities, shrunk toward none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.head import HazardHead, subset_number
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure, negative_log_likelihood

Array = NDArray[np.float64]

SHRINKAGE = 5.0
MASKED_WEIGHT = 0.25


def recalibrate(head: HazardHead, inputs: FusionInputs, exposure: Exposure, weights: Array) -> HazardHead:
    """Fit a_S and c_S for every subset S of modalities.

    A subset is judged on the cases that show exactly it, and, at a lower weight, on cases with more
    modalities from which the others are taken away: those tell what the subset's evidence is worth even where
    nobody was observed that way. That a modality is missing can itself be informative; a_S carries it.

    Args:
        head: A fitted head.
        inputs: Out-of-fold evidence of the training cases.
        exposure: What happened to them.
        weights: (n,) weight of each case.

    Returns:
        The head with `shift` and `scale` set.
    """
    modalities = len(inputs.modalities)
    shift, scale = head.shift.copy(), head.scale.copy()
    observed = subset_number(inputs.present)
    for subset in range(2**modalities):
        able = (observed & subset) == subset
        if not able.any():
            continue
        keep = np.array([bool(subset >> place & 1) for place in range(modalities)])
        part = inputs.take(able).keeping(keep)
        weight = weights[able] * np.where(observed[able] == subset, 1.0, MASKED_WEIGHT)
        shift[subset], scale[subset] = _shift_and_scale(head, part, exposure.take(able), weight)
    return replace(head, shift=shift, scale=scale)


def _shift_and_scale(
    head: HazardHead, inputs: FusionInputs, exposure: Exposure, weights: Array
) -> tuple[Array, Array]:
    from scipy.optimize import minimize

    deviation = head.deviation(inputs)
    causes = len(head.alpha)

    def loss_and_gradient(values: Array) -> tuple[float, Array]:
        shift, scale = values[:causes], values[causes:]
        eta = head.alpha + shift[:, None] + scale[:, None] * deviation
        loss = float(weights @ negative_log_likelihood(eta, exposure))
        residual = exposure.at_risk * exposure.mean(eta) - exposure.happened
        residual = residual * weights[:, None, None]
        gradient = np.concatenate([residual.sum(axis=(0, 2)), (residual * deviation).sum(axis=(0, 2))])
        away = np.concatenate([shift, scale - 1.0])
        return loss + SHRINKAGE * float(away @ away), gradient + 2.0 * SHRINKAGE * away

    start = np.concatenate([np.zeros(causes), np.ones(causes)])
    bounds = [(None, None)] * causes + [(0.0, None)] * causes
    solved = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return solved.x[:causes], solved.x[causes:]
