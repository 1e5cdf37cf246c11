"""Penalised maximum likelihood of the hazard head by L-BFGS-B, with torch for the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.head import HazardHead, modality_pairs
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
        modalities, causes = self.first.shape
        late = _bin_positions(self.alpha.shape[1])
        return HazardHead(
            alpha=self.alpha,
            beta=self.first[:, :, None] * (1.0 - late) + self.last[:, :, None] * late,
            factors=self.factors,
            strengths=self.strengths,
            shift=np.zeros((2**modalities, causes)),
            scale=np.ones((2**modalities, causes)),
        )


def minimise(
    inputs: FusionInputs,
    exposure: Exposure,
    weights: Array,
    rank: int,
    penalty: float,
    seed: int,
    start: Parameters | None = None,
) -> Parameters:
    """The head's parameters of highest penalised likelihood.

    Evidence is taken at its word, a weight of one, as far as the cases do not say otherwise. Weights are held
    at or above zero in every bin: evidence that misled out of fold is ignored, never reversed.

    Args:
        inputs: Evidence of the cases.
        exposure: What happened to them.
        weights: (n,) weight of each case.
        rank: Directions of interaction; 0 for none.
        penalty: Ridge on the interaction.
        seed: Of the starting point of the interaction.
        start: Begin from these parameters and keep their interaction as it is.
    """
    import torch
    from scipy.optimize import minimize

    causes, bins = exposure.happened.shape[1:]
    widths = tuple(vector.shape[1] for vector in inputs.vectors)
    layout = Layout(len(inputs.modalities), causes, bins, widths, rank)
    scales = _vector_scales(inputs)
    data = _Data.of(inputs, exposure, weights, scales, start)
    theta = layout.start(exposure, weights, seed) if start is None else layout.flatten(start)

    def loss_and_gradient(values: Array) -> tuple[float, Array]:
        parameter = torch.tensor(values, requires_grad=True)
        loss = data.loss(layout, parameter, penalty)
        (gradient,) = torch.autograd.grad(loss, parameter)
        return loss.item(), gradient.numpy()

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the tensors are small: sharing them out costs more than it saves
    options = {"maxiter": 300 if start is None else 40, "maxcor": 20}
    bounds = layout.bounds()
    solved = minimize(loss_and_gradient, theta, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    torch.set_num_threads(threads)
    return layout.parameters(solved.x, scales, start)


def _bin_positions(bins: int) -> Array:
    return np.linspace(0.0, 1.0, bins) if bins > 1 else np.full(1, 0.5)


def _vector_scales(inputs: FusionInputs) -> tuple[Array, ...]:
    scales = []
    for place, vector in enumerate(inputs.vectors):
        here = inputs.present[:, place]
        spread = vector[here].std(axis=0) if here.any() else np.ones(vector.shape[1])
        scales.append(np.where(spread > 1e-9, spread, np.inf))  # a constant direction cannot interact
    return tuple(scales)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each parameter stands in the flat vector that the optimiser sees."""

    modalities: int
    causes: int
    bins: int
    widths: tuple[int, ...]
    rank: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Lengths of alpha, first, last, factors, strengths."""
        pairs = len(modality_pairs(self.modalities))
        weights = self.modalities * self.causes
        factors = sum(self.widths) * self.rank
        return self.causes * self.bins, weights, weights, factors, pairs * self.causes * self.rank

    def start(self, exposure: Exposure, weights: Array, seed: int) -> Array:
        """Average hazard in each bin, evidence at its word, interactions away from their saddle at zero."""
        rng = np.random.default_rng(seed)
        _, first, last, factors, strengths = self.sizes
        return np.concatenate(
            [
                average_log_odds(exposure, weights).ravel(),
                np.ones(first + last),
                rng.normal(0.0, 1.0, factors),
                rng.normal(0.0, 0.5, strengths),
            ]
        )

    def flatten(self, fitted: Parameters) -> Array:
        """Fitted parameters, interaction left out, as the flat vector."""
        return np.concatenate([fitted.alpha.ravel(), fitted.first.ravel(), fitted.last.ravel()])

    def bounds(self) -> list[tuple[float | None, float | None]]:
        """Evidence weights from zero; everything else free."""
        alpha, first, last, *rest = self.sizes
        free: tuple[float | None, float | None] = (None, None)
        return [free] * alpha + [(0.0, None)] * (first + last) + [free] * sum(rest)

    def parameters(self, values: Array, scales: tuple[Array, ...], start: Parameters | None) -> Parameters:
        """The flat vector as named arrays, vectors' scales folded into the factors."""
        alpha, first, last, factors, strengths = np.split(values, np.cumsum(self.sizes)[:-1])
        pairs = len(modality_pairs(self.modalities))
        pieces = np.split(factors, np.cumsum([width * self.rank for width in self.widths])[:-1])
        folded = tuple(
            piece.reshape(width, self.rank) / scale[:, None]
            for piece, width, scale in zip(pieces, self.widths, scales, strict=True)
        )
        shape = (self.modalities, self.causes)
        return Parameters(
            alpha.reshape(self.causes, self.bins),
            first.reshape(shape),
            last.reshape(shape),
            folded if start is None else start.factors,
            strengths.reshape(pairs, self.causes, self.rank) if start is None else start.strengths,
        )


@dataclass(frozen=True, slots=True)
class _Data:
    """Evidence, vectors (in units of their spread) and outcomes as tensors."""

    evidence: list[Tensor]
    vectors: list[Tensor]
    at_risk: Tensor
    happened: Tensor
    weights: Tensor
    late: Tensor
    offset: Tensor

    @classmethod
    def of(
        cls,
        inputs: FusionInputs,
        exposure: Exposure,
        weights: Array,
        scales: tuple[Array, ...],
        start: Parameters | None,
    ) -> _Data:
        import torch

        kept: Array = np.zeros((1, 1, 1))
        if start is not None:
            silent = np.zeros_like(start.first)
            interaction = Parameters(start.alpha * 0.0, silent, silent, start.factors, start.strengths)
            kept = interaction.head().deviation(inputs)
        return cls(
            [torch.tensor(evidence) for evidence in inputs.evidence],
            [torch.tensor(vector / scale) for vector, scale in zip(inputs.vectors, scales, strict=True)],
            torch.tensor(exposure.at_risk),
            torch.tensor(exposure.happened),
            torch.tensor(weights),
            torch.tensor(_bin_positions(exposure.at_risk.shape[2])),
            torch.tensor(kept),
        )

    def loss(self, layout: Layout, values: Tensor, penalty: float) -> Tensor:
        """Weighted negative log-likelihood plus penalties on roughness, evidence weights and interaction."""
        import torch

        alpha, first, last, factors, strengths = torch.split(values, list(layout.sizes))
        alpha = alpha.view(layout.causes, layout.bins)
        first = first.view(layout.modalities, layout.causes, 1)
        last = last.view(layout.modalities, layout.causes, 1)
        level, trend = (first + last) / 2.0, (last - first) / 2.0
        eta = alpha + self.offset
        for place, evidence in enumerate(self.evidence):
            eta = eta + (first[place] * (1.0 - self.late) + last[place] * self.late) * evidence
        if layout.rank:
            eta = eta + self._interaction(layout, factors, strengths)[:, :, None]
        loss = (self.weights * torch_negative_log_likelihood(eta, self.at_risk, self.happened)).sum()
        loss = loss + EVIDENCE_PENALTY * (level - 1.0).square().sum() + TREND_PENALTY * trend.square().sum()
        loss = loss + penalty * (factors.square().sum() + strengths.square().sum())
        if layout.bins > 2:
            loss = loss + SMOOTHNESS * torch.diff(alpha, n=2, dim=1).square().sum()
        return loss

    def _interaction(self, layout: Layout, factors: Tensor, strengths: Tensor) -> Tensor:
        import torch

        pieces = torch.split(factors, [width * layout.rank for width in layout.widths])
        projected = [
            vector @ piece.view(width, layout.rank)
            for vector, piece, width in zip(self.vectors, pieces, layout.widths, strict=True)
        ]
        pairs = modality_pairs(layout.modalities)
        by_pair = strengths.view(len(pairs), layout.causes, layout.rank)
        total = torch.zeros(len(self.weights), layout.causes, dtype=torch.float64)
        for pair, (first, second) in enumerate(pairs):
            total = total + (projected[first] * projected[second]) @ by_pair[pair].T
        return total
