"""The transformer: additive fusion, and what self-attention over all tokens adds to it.

    eta_k(b) = alpha_k(b) + sum_m beta_mk(b) g_mk(b) + u_k(b)

g_m is the sum of a modality's evidence, as in `prognosis.fusion.head`; beta runs straight from the first bin
to the last, and so does u, which is read from a token of its own that attends to every token, to one state a
modality (present or [absent], learned), and to itself. u starts at zero: the challenger sets out from
additive fusion, and is free from there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from prognosis.fusion.challenger.config import ChallengerConfig
from prognosis.fusion.challenger.tokens import PADDING, TokenTable


@dataclass(frozen=True, slots=True)
class Batch:
    """Cases as tensors; see `TokenTable`."""

    modality: Tensor
    evidence: Tensor
    vector: Tensor
    age_days: Tensor

    @classmethod
    def of(cls, tokens: TokenTable, device: torch.device) -> Batch:
        """The same cases, on a device."""
        arrays = tokens.modality, tokens.evidence, tokens.vector, tokens.age_days
        return cls(*(torch.as_tensor(array).to(device) for array in arrays))


@dataclass(frozen=True, slots=True)
class Scales:
    """Root mean squares over training tokens, by which the embedding's inputs are divided.

    Attributes:
        evidence: (M, K) of the evidence, averaged over bins.
        vector: (M, V).
    """

    evidence: NDArray[np.float32]
    vector: NDArray[np.float32]

    @classmethod
    def of(cls, tokens: TokenTable) -> Scales:
        """Of training tokens; 1 where there is nothing, or nothing but zero."""
        evidence, vector = [], []
        for place in range(len(tokens.modalities)):
            own = tokens.modality == place
            evidence.append(_root_mean_square(tokens.evidence[own].mean(axis=2)))
            vector.append(_root_mean_square(tokens.vector[own]))
        return cls(np.stack(evidence), np.stack(vector))


def _root_mean_square(values: NDArray[np.float32]) -> NDArray[np.float32]:
    if not len(values):
        return np.ones(values.shape[1], dtype=np.float32)
    found = np.sqrt((values.astype(np.float64) ** 2).mean(axis=0))
    return np.where(found > 1e-9, found, 1.0).astype(np.float32)


class FusionTransformer(nn.Module):
    """Log-odds of each cause in each bin from a case's tokens, whatever their number and order.

    Args:
        scales: Of the training tokens.
        baseline: (K, B) log-odds of the average training case, where alpha starts.
        config: Settings.
    """

    def __init__(self, scales: Scales, baseline: NDArray[np.float64], config: ChallengerConfig) -> None:
        super().__init__()
        modalities, causes = scales.evidence.shape
        inputs = scales.vector.shape[1] + causes + 1
        bins = baseline.shape[1]
        self.evidence_scale: Tensor
        self.vector_scale: Tensor
        self.late: Tensor
        self.register_buffer("evidence_scale", torch.tensor(scales.evidence))
        self.register_buffer("vector_scale", torch.tensor(scales.vector))
        late = np.linspace(-1.0, 1.0, bins) if bins > 1 else np.zeros(1)
        self.register_buffer("late", torch.tensor(late, dtype=torch.float32))
        self.alpha = nn.Parameter(torch.tensor(baseline, dtype=torch.float32))
        self.level = nn.Parameter(torch.ones(modalities, causes))
        self.trend = nn.Parameter(torch.zeros(modalities, causes))
        self.embedding = nn.ModuleList(nn.Linear(inputs, config.width) for _ in range(modalities))
        self.state = nn.Parameter(torch.randn(modalities, 2, config.width) * config.width**-0.5)
        self.reader = nn.Parameter(torch.randn(config.width) * config.width**-0.5)
        self.layers = nn.ModuleList(
            AttentionLayer(config.width, config.heads, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self.readout = nn.Linear(config.width, 2 * causes)
        nn.init.zeros_(self.readout.weight)
        nn.init.zeros_(self.readout.bias)

    @property
    def additive(self) -> list[nn.Parameter]:
        """The parameters of additive fusion."""
        return [self.alpha, self.level, self.trend]

    def forward(self, batch: Batch) -> Tensor:
        """(n, K, B) eta."""
        here = batch.modality != PADDING
        evidence = torch.where(here[:, :, None, None], batch.evidence, 0.0)
        of = functional.one_hot(batch.modality.clamp(min=0), len(self.embedding)) * here[:, :, None]
        summed = torch.einsum("ntm,ntkb->nmkb", of.to(evidence.dtype), evidence)
        beta = self.level[:, :, None] + self.trend[:, :, None] * self.late
        eta = self.alpha + (beta * summed).sum(dim=1)
        if not self.layers:
            return eta
        hidden, readable = self._embedded(batch, evidence, here, of.bool())
        for layer in self.layers:
            hidden = layer(hidden, readable)
        level, trend = self.readout(self.norm(hidden[:, 0])).chunk(2, dim=1)
        return eta + level[:, :, None] + trend[:, :, None] * self.late

    def _embedded(self, batch: Batch, evidence: Tensor, here: Tensor, of: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 1 + M + T, width) the reading token, a state a modality, the tokens; and which may be read."""
        vector = torch.where(here[:, :, None], batch.vector, 0.0)
        age = torch.where(here, batch.age_days, 0.0).log1p() / 7.0  # log(1 + three years) is about 7
        tokens = torch.zeros(*here.shape, len(self.reader), device=evidence.device)
        for place, embed in enumerate(self.embedding):
            scaled = [
                evidence.mean(dim=3) / self.evidence_scale[place],
                vector / self.vector_scale[place],
                age[:, :, None],
            ]
            tokens = torch.where(of[:, :, place, None], embed(torch.cat(scaled, dim=2)), tokens)
        absent = (~of.any(dim=1)).long()
        states = self.state[torch.arange(absent.shape[1], device=absent.device), absent]
        reader = self.reader.expand(len(here), 1, -1)
        always = torch.ones(len(here), 1 + states.shape[1], dtype=torch.bool, device=here.device)
        return torch.cat([reader, states, tokens], dim=1), torch.cat([always, here], dim=1)


class AttentionLayer(nn.Module):
    """Self-attention and a two-layer network, residual, normalised first (Xiong et al., ICML 2020)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.queries = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.network = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, hidden: Tensor, readable: Tensor) -> Tensor:
        """(n, T, width) each token after reading those that are `readable` (n, T)."""
        split = self.queries(self.before(hidden)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mask = readable[:, None, None, :]
        read = functional.scaled_dot_product_attention(split[0], split[1], split[2], attn_mask=mask)
        hidden = hidden + self.dropout(self.joined(read.transpose(1, 2).flatten(2)))
        added: Tensor = hidden + self.dropout(self.network(hidden))
        return added
