"""Tokens with a known answer behind them, without any evidence model."""

from __future__ import annotations

import numpy as np

from prognosis.fusion.challenger import TokenTable
from prognosis.fusion.challenger.tokens import PADDING

MODALITIES = ("clinical", "text", "imaging")


def tokens_of_chance(cases: int, seed: int = 0, causes: int = 2, bins: int = 4) -> TokenTable:
    """Up to six tokens a case, of any modality, all standard normal."""
    rng = np.random.default_rng(seed)
    modality = rng.integers(PADDING, 3, (cases, 6))
    return TokenTable(
        MODALITIES,
        modality,
        rng.normal(size=(cases, 6, causes, bins)).astype(np.float32),
        rng.normal(size=(cases, 6, 5)).astype(np.float32),
        rng.exponential(100.0, (cases, 6)).astype(np.float32),
    )


def signs(cases: int, seed: int = 0) -> tuple[TokenTable, np.ndarray]:
    """One token of each of two modalities, whose vectors are a sign; and whether the two signs differ.

    Neither sign alone says anything of the answer, and neither has any evidence.
    """
    rng = np.random.default_rng(seed)
    sign = rng.choice([-1.0, 1.0], (cases, 2))
    tokens = TokenTable(
        MODALITIES[:2],
        np.tile([0, 1], (cases, 1)),
        np.zeros((cases, 2, 1, 1), dtype=np.float32),
        sign[:, :, None].astype(np.float32),
        np.zeros((cases, 2), dtype=np.float32),
    )
    return tokens, sign[:, 0] != sign[:, 1]
