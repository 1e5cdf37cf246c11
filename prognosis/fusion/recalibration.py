"""A small intercept and slope for each observed subset of modalities, and how they change with follow-up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.head import HazardHead, bin_positions, straight, subset_number
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure, negative_log_likelihood

Array = NDArray[np.float64]

SHRINKAGE = 5.0
SCALE_TREND_SHRINKAGE = 40.0  # with few events a scale that changes is the noise of the fit
MASKED_WEIGHT = 0.25

_NEUTRAL = np.array([[0.0], [1.0]])  # shift, scale
_TREND_SHRINKAGE = np.array([[SHRINKAGE], [SCALE_TREND_SHRINKAGE]])


def recalibrate(head: HazardHead, inputs: FusionInputs, exposure: Exposure, weights: Array) -> HazardHead:
    """Fit a_S and c_S for every subset S of modalities.

    A subset is judged on the cases that show exactly it, and, at a lower weight, on cases with more
    modalities from which the others are taken away: those tell what the subset's evidence is worth even where
    nobody was observed that way. That a modality is missing can itself be informative; a_S carries it.

    Both run straight over the bins. What a subset leaves unexplained thins out the patients at high risk, so
    that the average hazard of those who remain, and the weight of the evidence, fall with time: the more, the
    less is known. Levels are shrunk toward 0 and 1, the differences between the last bin and the first toward
    none. c_S is at least 0 in every bin.

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
    """(K, B) shift and (K, B) scale, each fitted by its values in the first and in the last bin."""
    from scipy.optimize import minimize

    deviation = head.deviation(inputs)
    causes, bins = head.alpha.shape
    late = bin_positions(bins)

    def loss_and_gradient(values: Array) -> tuple[float, Array]:
        ends = values.reshape(2, 2, causes)  # shift and scale, first and last
        shift, scale = straight(ends[:, 0], ends[:, 1], bins)
        eta = head.alpha + shift + scale * deviation
        loss = float(weights @ negative_log_likelihood(eta, exposure))
        residual = exposure.at_risk * exposure.mean(eta) - exposure.happened
        residual = residual * weights[:, None, None]
        by_bin = np.stack([residual.sum(axis=0), (residual * deviation).sum(axis=0)])
        gradient = np.stack([by_bin @ (1.0 - late), by_bin @ late], axis=1)
        level, trend = ends.mean(axis=1) - _NEUTRAL, ends[:, 1] - ends[:, 0]
        loss += float((SHRINKAGE * level**2 + _TREND_SHRINKAGE * trend**2).sum())
        pulled, turned = SHRINKAGE * level, 2.0 * _TREND_SHRINKAGE * trend
        return loss, (gradient + np.stack([pulled - turned, pulled + turned], axis=1)).ravel()

    start = np.broadcast_to(_NEUTRAL[:, None], (2, 2, causes)).ravel()
    bounds = [(None, None)] * (2 * causes) + [(0.0, None)] * (2 * causes)
    solved = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=bounds)
    ends = solved.x.reshape(2, 2, causes)
    shift, scale = straight(ends[:, 0], ends[:, 1], bins)
    return shift, scale
