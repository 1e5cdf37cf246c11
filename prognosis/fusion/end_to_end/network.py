"""The additive-bilinear hazard of fusion/head.py as one network, from the cases' numbers to the likelihood.

eta_k(b) = alpha_k(b) + sum_m beta_mk(b) g_mk(b) + 1/2 sum_{m != n} z_m' W_mnk z_n
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from prognosis.fusion.end_to_end.parts import Reader
from prognosis.fusion.head import Array, modality_pairs
from prognosis.fusion.optimiser import EVIDENCE_PENALTY, SMOOTHNESS, TREND_PENALTY

_FACTOR = 0.1  # standard deviation of the first directions of interaction: away from their saddle at zero


@dataclass(frozen=True, slots=True)
class LogHazards:
    """The network's answer.

    Attributes:
        joint: (cases, causes, bins) eta from all modalities that were kept.
        own: By modality, (cases, causes, bins) eta from it alone, the intercept held fixed.
    """

    joint: Tensor
    own: tuple[Tensor, ...]


class JointNetwork(nn.Module):
    """All modalities' readers and the head that joins them.

    Args:
        readers: By modality.
        alpha: (causes, bins) intercepts to start from.
        rank: Directions in which modalities may interact.
    """

    def __init__(self, readers: Mapping[str, Reader], alpha: Array, rank: int) -> None:
        super().__init__()
        self.readers = nn.ModuleDict(readers)
        causes, self.bins = alpha.shape
        count = len(readers)
        self.alpha = nn.Parameter(torch.tensor(alpha, dtype=torch.float32))
        self.first = nn.Parameter(torch.ones(count, causes, 1))
        self.last = nn.Parameter(torch.ones(count, causes, 1))
        self.factors = nn.ParameterList(
            [nn.Parameter(_FACTOR * torch.randn(reader.width, rank)) for reader in readers.values()]
        )
        self.strengths = nn.Parameter(torch.zeros(len(modality_pairs(count)), causes, rank))
        late = torch.linspace(0.0, 1.0, self.bins) if self.bins > 1 else torch.full((1,), 0.5)
        self.register_buffer("late", late, persistent=False)

    def forward(self, rows: Tensor, keep: Tensor) -> LogHazards:
        """Read some cases by the modalities that are kept of them.

        Args:
            rows: (cases,) their places in the cohort.
            keep: (cases, modalities) True for what is read; only what a case has may be.
        """
        joint = self.alpha.expand(len(rows), -1, -1)
        own, projected = [], []
        for place, reader in enumerate(self.readers.values()):
            here = torch.nonzero(keep[:, place]).squeeze(1)
            evidence = joint.new_zeros(len(rows), *self.alpha.shape)
            directions = joint.new_zeros(len(rows), self.factors[place].shape[1])
            if len(here):
                read = reader(rows[here])
                weighed = self._weights(place) * read.evidence.float()
                evidence = evidence.index_copy(0, here, weighed.expand(-1, -1, self.bins))
                directions = directions.index_copy(
                    0, here, (read.vector.float() @ self.factors[place]).float()
                )
            joint = joint + evidence
            own.append(self.alpha.detach() + evidence)
            projected.append(directions)
        for pair, (first, second) in enumerate(modality_pairs(len(projected))):
            joint = joint + ((projected[first] * projected[second]) @ self.strengths[pair].T)[:, :, None]
        return LogHazards(joint, tuple(own))

    def reader(self, name: str) -> Reader:
        """A modality's."""
        return cast("Reader", self.readers[name])

    def penalty(self) -> Tensor:
        """Roughness of the intercepts over time, and how far evidence is not taken at its word."""
        level, trend = (self.first + self.last) / 2.0, (self.last - self.first) / 2.0
        total = EVIDENCE_PENALTY * (level - 1.0).square().sum() + TREND_PENALTY * trend.square().sum()
        if self.bins > 2:
            total = total + SMOOTHNESS * torch.diff(self.alpha, n=2, dim=1).square().sum()
        return total

    def _weights(self, place: int) -> Tensor:
        """(causes, bins) beta of one modality."""
        late = self.get_buffer("late")
        return self.first[place] * (1.0 - late) + self.last[place] * late


class Networks(nn.Module):
    """The networks of all folds, side by side: no weight belongs to two of them."""

    def __init__(self, networks: Sequence[JointNetwork]) -> None:
        super().__init__()
        self.folds = nn.ModuleList(networks)

    def __iter__(self) -> Iterator[JointNetwork]:
        """Each fold's."""
        return (cast("JointNetwork", network) for network in self.folds)

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return next(iter(self)).alpha.device
