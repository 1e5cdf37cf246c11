"""The trained challenger: one transformer a fold, their log-odds averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.challenger.tokens import TokenTable

if TYPE_CHECKING:
    from prognosis.fusion.challenger.network import FusionTransformer

CASES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Challenger:
    """Predicts from any subset of its modalities.

    Attributes:
        modalities: Those that its tokens may be of, in order.
        members: Each trained without one fold of patients, on which it stopped.
        held_out_loss: (members,) mean negative log-likelihood of those patients, where it stopped.
        epochs: (members,) passes after which it stopped.
    """

    modalities: tuple[str, ...]
    members: tuple[FusionTransformer, ...]
    held_out_loss: tuple[float, ...]
    epochs: tuple[int, ...]

    def log_hazard(self, tokens: TokenTable) -> NDArray[np.float64]:
        """(n, K, B) log-odds of each cause against surviving the bin."""
        return np.asarray(np.mean([log_hazard(member, tokens) for member in self.members], axis=0))


def log_hazard(member: FusionTransformer, tokens: TokenTable) -> NDArray[np.float64]:
    """(n, K, B) one transformer's answer."""
    import torch

    from prognosis.fusion.challenger.network import Batch

    device = member.alpha.device
    member.eval()
    parts = []
    with torch.inference_mode():
        for first in range(0, len(tokens), CASES_AT_ONCE):
            rows = np.arange(first, min(first + CASES_AT_ONCE, len(tokens)))
            parts.append(member(Batch.of(tokens.take(rows), device)).double().cpu().numpy())
    return np.concatenate(parts)
