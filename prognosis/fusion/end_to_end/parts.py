"""What one modality brings to joint training: its cases as tensors, and the way back to its model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from prognosis.evidence import EvidenceModel, ModalityEvidence

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader says of some cases.

    Attributes:
        evidence: (cases, causes, 1 or bins) log-hazard, zero for the average training case.
        vector: (cases, width) what interacts with other modalities, centred likewise.
    """

    evidence: Tensor
    vector: Tensor


class Reader(nn.Module, ABC):
    """One modality of one fold as a network: the numbers of cases that have it, to its evidence of them."""

    width: int

    @abstractmethod
    def forward(self, rows: Tensor) -> Read:
        """Read the cases at `rows`, each of which has the modality."""


class Part(Protocol):
    """One modality of all cases. What it makes of a model without training it is that model again."""

    @property
    def present(self) -> Flags:
        """(n,) True where a case has the modality."""
        ...

    def reader(self, start: EvidenceModel, learn: Flags) -> Reader:
        """The model of one fold as a network that starts where the model is.

        Args:
            start: Learned from some or all of the cases at `learn`.
            learn: (n,) cases that it will be trained on.
        """
        ...

    def model(self, start: EvidenceModel, reader: Reader, learn: Flags) -> EvidenceModel:
        """The trained reader as an evidence model.

        Args:
            start: What the reader was made from.
            reader: In evaluation mode, on the CPU.
            learn: (n,) cases that it was trained on. A network's evidence is centred on the others.
        """
        ...

    def evidence(self, model: EvidenceModel) -> ModalityEvidence:
        """What a model of this modality says of every case."""
        ...

    def average(self, models: Sequence[EvidenceModel], gain: Array) -> EvidenceModel:
        """The models of all folds as one: their mean, times `gain` (causes,) as `averaging_gain` says it."""
        ...


class LinearReader(Reader):
    """Evidence that is a fixed part and one linear in features, as of clinical facts and of sentences.

    Args:
        base: (n, causes, 1 or bins) evidence at the start.
        features: (n, p) centred.
        scores: (n, d) fixed directions of the vector.
        learn: (n,) cases on whose spread features are scaled.
    """

    def __init__(self, base: Array, features: Array, scores: Array, learn: Flags) -> None:
        super().__init__()
        spread = features[learn].std(axis=0) if learn.any() else np.ones(features.shape[1])
        self.scales = np.where(spread > 1e-9, spread, np.inf)
        self.width = base.shape[1] + scores.shape[1]
        self.moved = nn.Parameter(torch.zeros(features.shape[1], base.shape[1]))
        for name, values in (("base", base), ("features", features / self.scales), ("scores", scores)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32), persistent=False)

    def forward(self, rows: Tensor) -> Read:
        """Read the cases at `rows`."""
        base, features, scores = (self.get_buffer(name)[rows] for name in ("base", "features", "scores"))
        evidence = base + (features @ self.moved)[:, :, None]
        return Read(evidence, torch.cat([evidence.mean(dim=2), scores], dim=1))

    def coefficients(self) -> Array:
        """(p, causes) what training added to the evidence per unit of each feature."""
        return self.moved.detach().cpu().numpy().astype(np.float64) / self.scales[:, None]
