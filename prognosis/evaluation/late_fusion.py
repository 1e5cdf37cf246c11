"""Late fusion, the baseline: one risk a modality, joined by one logistic regression of what happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.head import cause_hazards
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure, average_log_odds, negative_log_likelihood

Array = NDArray[np.float64]

RIDGE = 0.5
"""Half a squared unit of each standardised covariate: the default of common libraries (C = 1)."""
SMOOTHNESS = 1.0


@dataclass(frozen=True, slots=True)
class LateFusion:
    """eta_k(b) = alpha_k(b) + sum_m (weight_mk x risk_mk + absent_mk x [m is absent]).

    Attributes:
        alpha: (K, B) log-odds of each cause against survival in each bin, where every risk is average.
        weight: (M, K) of each modality's own risk.
        absent: (M, K) what the absence of each modality adds.
    """

    alpha: Array
    weight: Array
    absent: Array

    def log_hazard(self, inputs: FusionInputs) -> Array:
        """(n, K, B) log-odds of each cause against surviving the bin."""
        added = np.einsum("nmk,mk->nk", modality_risks(inputs), self.weight) + ~inputs.present @ self.absent
        return np.asarray(self.alpha + added[:, :, None])


def modality_risks(inputs: FusionInputs) -> Array:
    """(n, M, K) what each modality says of each cause: one log-hazard, 0 where it is absent."""
    return np.stack([evidence.mean(axis=2) for evidence in inputs.evidence], axis=1)


def fit_late_fusion(inputs: FusionInputs, exposure: Exposure) -> LateFusion:
    """Fit the regression on risks that each modality gave of cases it had not seen (stacking, Wolpert 1992).

    A pooled logistic regression over persons and time bins for a time to event, softmax over competing
    causes; a plain logistic regression for a class and for each finding. An absent modality gives the
    average risk, and a flag. No interaction, no weight that changes with time, nothing by subset.

    Args:
        inputs: Out-of-fold evidence of the training cases.
        exposure: What happened to them.
    """
    from scipy.optimize import minimize

    modalities = inputs.present.shape[1]
    causes, bins = exposure.happened.shape[1:]
    risks, absent = modality_risks(inputs), (~inputs.present).astype(np.float64)
    unit = _units(risks)
    risks = risks / unit

    def loss_and_gradient(values: Array) -> tuple[float, Array]:
        alpha, weight, flag = _parts(values, modalities, causes, bins)
        eta = alpha + (np.einsum("nmk,mk->nk", risks, weight) + absent @ flag)[:, :, None]
        residual = exposure.at_risk * cause_hazards(eta, exposure.at_risk.shape[1]) - exposure.happened
        by_case = residual.sum(axis=2)
        rough, slope = _roughness(alpha)
        gradient = [
            residual.sum(axis=0) + slope,
            np.einsum("nmk,nk->mk", risks, by_case) + 2.0 * RIDGE * weight,
            absent.T @ by_case + 2.0 * RIDGE * flag,
        ]
        shrunk = RIDGE * float((weight**2).sum() + (flag**2).sum())
        loss = float(negative_log_likelihood(eta, exposure).sum()) + rough + shrunk
        return loss, np.concatenate([part.ravel() for part in gradient])

    begin = np.concatenate([average_log_odds(exposure).ravel(), np.zeros(2 * modalities * causes)])
    solved = minimize(loss_and_gradient, begin, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    alpha, weight, flag = _parts(solved.x, modalities, causes, bins)
    return LateFusion(alpha, weight / unit, flag)


def _units(risks: Array) -> Array:
    """(M, K) spread of each risk over all cases; infinite where it never varies."""
    spread = risks.std(axis=0)
    return np.where(spread > 1e-9, spread, np.inf)


def _roughness(alpha: Array) -> tuple[float, Array]:
    """The squared second differences of the baseline over bins, and their gradient."""
    if alpha.shape[1] < 3:
        return 0.0, np.zeros_like(alpha)
    operator = np.diff(np.eye(alpha.shape[1]), n=2, axis=0)
    bent = alpha @ operator.T
    return SMOOTHNESS * float((bent**2).sum()), 2.0 * SMOOTHNESS * bent @ operator


def _parts(values: Array, modalities: int, causes: int, bins: int) -> tuple[Array, Array, Array]:
    alpha, weight, flag = np.split(values, [causes * bins, (bins + modalities) * causes])
    return (
        alpha.reshape(causes, bins),
        weight.reshape(modalities, causes),
        flag.reshape(modalities, causes),
    )
