"""A small intercept, which may change over follow-up, and slope for each observed subset of modalities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.head import HazardHead, bin_positions, straight, subset_number
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure, negative_log_likelihood

Array = NDArray[np.float64]

SHRINKAGE = 5.0
MASKED_WEIGHT = 0.25


def recalibrate(head: HazardHead, inputs: FusionInputs, exposure: Exposure, weights: Array) -> HazardHead:
    """Fit a_S and c_S for every subset S of modalities.

    A subset is judged on the cases that show exactly it and on those with more modalities from which the
    others are taken away. What its evidence is worth is the same in both, so c_S counts them alike; that a
    modality is missing can itself be informative, so a_S, fitted with c_S held, counts the latter less.

    a_S runs straight over the bins: what a subset leaves unexplained thins out the patients at high risk, so
    that the average hazard of those who remain falls with time, the faster the less is known. Its level and
    the difference between the last bin and the first are shrunk toward none, c_S toward 1 and held at or
    above 0.

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
        part, happened = inputs.take(able).keeping(keep), exposure.take(able)
        _, scale[subset] = _shift_and_scale(head, part, happened, weights[able])
        less = weights[able] * np.where(observed[able] == subset, 1.0, MASKED_WEIGHT)
        shift[subset], _ = _shift_and_scale(head, part, happened, less, scale[subset])
    return replace(head, shift=shift, scale=scale)


def _shift_and_scale(
    head: HazardHead, inputs: FusionInputs, exposure: Exposure, weights: Array, held: Array | None = None
) -> tuple[Array, Array]:
    """(K, B) shift, fitted by its first and last bin, and (K,) scale, or the one held."""
    from scipy.optimize import minimize

    deviation = head.deviation(inputs)
    causes, bins = head.alpha.shape
    late = bin_positions(bins)

    def loss_and_gradient(values: Array) -> tuple[float, Array]:
        first, last, scale = values.reshape(3, causes)
        eta = head.alpha + straight(first, last, bins) + scale[:, None] * deviation
        loss = float(weights @ negative_log_likelihood(eta, exposure))
        residual = exposure.at_risk * exposure.mean(eta) - exposure.happened
        residual = residual * weights[:, None, None]
        by_bin = residual.sum(axis=0)
        away = np.stack([(first + last) / 2.0, last - first, scale - 1.0])
        level, trend, slope = SHRINKAGE * away
        gradient = [
            by_bin @ (1.0 - late) + level - 2.0 * trend,
            by_bin @ late + level + 2.0 * trend,
            (residual * deviation).sum(axis=(0, 2)) + 2.0 * slope,
        ]
        return loss + SHRINKAGE * float((away**2).sum()), np.concatenate(gradient)

    start = np.concatenate([np.zeros(2 * causes), np.ones(causes) if held is None else held])
    slopes = [(0.0, None)] * causes if held is None else [(each, each) for each in held]
    bounds = [(None, None)] * (2 * causes) + slopes
    solved = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=bounds)
    first, last, scale = solved.x.reshape(3, causes)
    return straight(first, last, bins), scale
