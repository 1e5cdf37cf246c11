"""Penalised maximum likelihood of the hazard head by L-BFGS-B, with torch for the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.head import HazardHead, bin_positions, modality_pairs, straight
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure, average_log_odds, torch_negative_log_likelihood

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]

SMOOTHNESS = 1.0
EVIDENCE_PENALTY = 1.0
TREND_PENALTY = 5.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """The head's free parameters before recalibration.

    The weight of a modality's evidence runs straight from `first`, in the first bin, to `last`, in the last.
    """

    alpha: Array
    first: Array
    last: Array
    factors: tuple[Array, ...]
    strengths: Array

    def head(self) -> HazardHead:
        """The head with neutral recalibration."""
        subsets, bins = 2 ** len(self.first), self.alpha.shape[1]
        return HazardHead(
            alpha=self.alpha,
            beta=straight(self.first, self.last, bins),
            factors=self.factors,
            strengths=self.strengths,
            shift=np.zeros((subsets, *self.alpha.shape)),
            scale=np.ones((subsets, len(self.alpha))),
        )


def minimise(
    inputs: FusionInputs, exposure: Exposure, weights: Array, start: Parameters | None = None
) -> Parameters:
    """The head's parameters of highest penalised likelihood.

    Evidence is taken at its word, a weight of one, as far as the cases do not say otherwise. Weights are held
    at or above zero in every bin: evidence that misled out of fold is ignored, never reversed.

    Args:
        inputs: Evidence of the cases.
        exposure: What happened to them.
        weights: (n,) weight of each case.
        start: Begin from these parameters and keep their interaction as it is; without them there is none.
    """
    import torch
    from scipy.optimize import minimize

    causes, bins = exposure.happened.shape[1:]
    layout = _Layout(len(inputs.modalities), causes, bins)
    start = layout.without_interaction(inputs, exposure, weights) if start is None else start
    data = _Data.of(inputs, exposure, weights, start)

    def loss_and_gradient(values: Array) -> tuple[float, Array]:
        parameter = torch.tensor(values, requires_grad=True)
        loss = data.loss(layout, parameter)
        (gradient,) = torch.autograd.grad(loss, parameter)
        return loss.item(), gradient.numpy()

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the tensors are small: sharing them out costs more than it saves
    options = {"maxiter": 300, "maxcor": 20}
    theta, bounds = layout.flatten(start), layout.bounds()
    solved = minimize(loss_and_gradient, theta, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    torch.set_num_threads(threads)
    return layout.parameters(solved.x, start)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where each parameter stands in the flat vector that the optimiser sees: alpha, first, last."""

    modalities: int
    causes: int
    bins: int

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Lengths of alpha, first, last."""
        weights = self.modalities * self.causes
        return self.causes * self.bins, weights, weights

    def without_interaction(self, inputs: FusionInputs, exposure: Exposure, weights: Array) -> Parameters:
        """Average hazard in each bin, evidence at its word, no interaction."""
        at_its_word = np.ones((self.modalities, self.causes))
        return Parameters(
            average_log_odds(exposure, weights),
            at_its_word,
            at_its_word,
            tuple(np.zeros((vector.shape[1], 0)) for vector in inputs.vectors),
            np.zeros((len(modality_pairs(self.modalities)), self.causes, 0)),
        )

    def flatten(self, fitted: Parameters) -> Array:
        """Parameters, interaction left out, as the flat vector."""
        return np.concatenate([fitted.alpha.ravel(), fitted.first.ravel(), fitted.last.ravel()])

    def bounds(self) -> list[tuple[float | None, float | None]]:
        """Evidence weights from zero; the hazard free."""
        alpha, first, last = self.sizes
        return [(None, None)] * alpha + [(0.0, None)] * (first + last)

    def parameters(self, values: Array, start: Parameters) -> Parameters:
        """The flat vector as named arrays, with the interaction of `start`."""
        alpha, first, last = np.split(values, np.cumsum(self.sizes)[:-1])
        shape = (self.modalities, self.causes)
        return Parameters(
            alpha.reshape(self.causes, self.bins),
            first.reshape(shape),
            last.reshape(shape),
            start.factors,
            start.strengths,
        )


@dataclass(frozen=True, slots=True)
class _Data:
    """Evidence, the interaction's part and outcomes as tensors."""

    evidence: list[Tensor]
    joint: Tensor
    at_risk: Tensor
    happened: Tensor
    weights: Tensor
    late: Tensor
    gaussian: bool

    @classmethod
    def of(cls, inputs: FusionInputs, exposure: Exposure, weights: Array, start: Parameters) -> _Data:
        import torch

        silent = np.zeros_like(start.first)
        joint: Array = np.zeros((1, 1, 1))
        if start.strengths.size:
            interaction = Parameters(start.alpha * 0.0, silent, silent, start.factors, start.strengths)
            joint = interaction.head().deviation(inputs)
        return cls(
            [torch.tensor(evidence) for evidence in inputs.evidence],
            torch.tensor(joint),
            torch.tensor(exposure.at_risk),
            torch.tensor(exposure.happened),
            torch.tensor(weights),
            torch.tensor(bin_positions(exposure.at_risk.shape[2])),
            exposure.gaussian,
        )

    def loss(self, layout: _Layout, values: Tensor) -> Tensor:
        """Weighted negative log-likelihood plus penalties on roughness and on evidence weights."""
        import torch

        alpha, first, last = torch.split(values, list(layout.sizes))
        alpha = alpha.view(layout.causes, layout.bins)
        first = first.view(layout.modalities, layout.causes, 1)
        last = last.view(layout.modalities, layout.causes, 1)
        level, trend = (first + last) / 2.0, (last - first) / 2.0
        eta = alpha + self.joint
        for place, evidence in enumerate(self.evidence):
            eta = eta + (first[place] * (1.0 - self.late) + last[place] * self.late) * evidence
        each = torch_negative_log_likelihood(eta, self.at_risk, self.happened, gaussian=self.gaussian)
        loss = (self.weights * each).sum()
        loss = loss + EVIDENCE_PENALTY * (level - 1.0).square().sum() + TREND_PENALTY * trend.square().sum()
        if layout.bins > 2:
            loss = loss + SMOOTHNESS * torch.diff(alpha, n=2, dim=1).square().sum()
        return loss
