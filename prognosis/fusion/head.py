"""The additive-bilinear hazard: how the modalities' evidence becomes a cumulative incidence.

    eta_k(b) = alpha_k(b) + a_Sk(b) + c_Sk * ( sum_m beta_mk(b) g_mk(b) + 1/2 sum_{m != n} z_m' W_mnk z_n )

g_m and z_m are sums over tokens, zero for an absent modality. a_S and c_S are a small recalibration for the
observed subset S of modalities; like beta a_S runs straight from the first bin to the last. The hazard of
cause k in bin b is softmax over the K causes and survival, so a class at the index is the special case of one
bin. Findings are asked about each by itself: K questions of one cause, a sigmoid each, on the same eta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.inputs import FusionInputs

Array = NDArray[np.float64]

LARGEST_LOG_ODDS = 300.0
"""Beyond it exp is near overflow, and a cause is as good as certain."""

_CANCELLED = 1e-6  # of a bin survived: below it 1 - hazard has lost digits


@dataclass(frozen=True, slots=True)
class HazardHead:
    """Fitted parameters of the hazard.

    Attributes:
        alpha: (K, B) log-odds of each cause against survival in each bin, for the average patient.
        beta: (M, K, B) weight of each modality's evidence.
        factors: M arrays (width, rank): directions in which modalities interact.
        strengths: (P, K, rank) strength of each direction for each pair of modalities (m < n, in order).
        shift: (2**M, K, B) a_S by subset; bit m of the row number says that modality m is present.
        scale: (2**M, K) c_S by subset, at least 0.
    """

    alpha: Array
    beta: Array
    factors: tuple[Array, ...]
    strengths: Array
    shift: Array
    scale: Array

    def interaction_matrix(self, first: int, second: int) -> Array:
        """(K, width of first, width of second) W between two modalities; symmetric under exchange."""
        low, high = min(first, second), max(first, second)
        strength = self.strengths[modality_pairs(len(self.beta)).index((low, high))]
        matrix = np.einsum("ir,kr,jr->kij", self.factors[low], strength, self.factors[high])
        return matrix if first == low else matrix.transpose(0, 2, 1)

    def deviation(self, inputs: FusionInputs) -> Array:
        """(n, K, B) what the evidence adds to the average patient's log-hazard, before recalibration."""
        cases = len(inputs)
        total = np.zeros((cases, *self.alpha.shape))
        for place, evidence in enumerate(inputs.evidence):
            total += self.beta[place] * evidence
        projected = [vector @ factor for vector, factor in zip(inputs.vectors, self.factors, strict=True)]
        for pair, (first, second) in enumerate(modality_pairs(len(self.beta))):
            joint = (projected[first] * projected[second]) @ self.strengths[pair].T
            total += joint[:, :, None]
        return total

    def log_hazard(self, inputs: FusionInputs) -> Array:
        """(n, K, B) eta: log-odds of each cause against surviving the bin."""
        subset = subset_number(inputs.present)
        scale = self.scale[subset][:, :, None]
        return np.asarray(self.alpha + self.shift[subset] + scale * self.deviation(inputs))


def bin_positions(bins: int) -> Array:
    """(B,) where each bin stands between the first, 0, and the last, 1; a single one is half way."""
    return np.linspace(0.0, 1.0, bins) if bins > 1 else np.full(1, 0.5)


def straight(first: Array, last: Array, bins: int) -> Array:
    """(.., B) the line through `first` (..) in the first bin and `last` (..) in the last."""
    late = bin_positions(bins)
    return np.asarray(first[..., None] * (1.0 - late) + last[..., None] * late)


def modality_pairs(modalities: int) -> list[tuple[int, int]]:
    """Every unordered pair of modalities, in the order in which their strengths are stored."""
    return [(first, second) for first in range(modalities) for second in range(first + 1, modalities)]


def subset_number(present: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) the observed subset of each case as a number: bit m says that modality m is present."""
    return np.asarray(present.astype(np.int64) @ (1 << np.arange(present.shape[1])), dtype=np.int64)


def cause_hazards(log_hazard: Array, questions: int = 1) -> Array:
    """Discrete hazards (n, K, B) from log-odds (n, K, B): softmax over a question's causes and survival.

    Args:
        log_hazard: (n, K, B).
        questions: 1 where the causes exclude one another, K where each is asked about by itself.
    """
    grouped = log_hazard.reshape(len(log_hazard), questions, -1, log_hazard.shape[-1])
    top = np.maximum(grouped.max(axis=2, keepdims=True), 0.0)
    odds = np.exp(grouped - top)
    return np.asarray(odds / (np.exp(-top) + odds.sum(axis=2, keepdims=True))).reshape(log_hazard.shape)


def bounded(log_hazard: Array, causes: int) -> Array:
    """Log-odds of which none is above `LARGEST_LOG_ODDS`; the causes' odds among each other stay as they are.

    Args:
        log_hazard: Of any shape.
        causes: The axis along which causes exclude one another.
    """
    if log_hazard.max(initial=LARGEST_LOG_ODDS) <= LARGEST_LOG_ODDS:
        return log_hazard
    top = log_hazard.max(axis=causes, keepdims=True)
    return np.asarray(log_hazard - np.maximum(top - LARGEST_LOG_ODDS, 0.0))


def cumulative_incidence(log_hazard: Array, edges: Array, days: Array, questions: int = 1) -> Array:
    """Probability that each cause has happened by each day.

    The cumulative hazard is linear within a bin. Beyond the last edge nothing was observed, so the
    incidence stays at its last value there.

    Args:
        log_hazard: (n, K, B).
        edges: (B + 1,) bin edges in days.
        days: (T,) times asked for, >= 0.
        questions: 1 where the causes exclude one another, K where each is asked about by itself.

    Returns:
        (n, K, T); sums over the causes of a question to at most 1 and never falls with time.
    """
    if questions > 1:
        alone = log_hazard.reshape(-1, 1, log_hazard.shape[2])
        return cumulative_incidence(alone, edges, days).reshape(*log_hazard.shape[:2], -1)
    log_hazard = bounded(log_hazard, causes=1)
    hazard = cause_hazards(log_hazard)
    total = np.clip(hazard.sum(axis=1), 0.0, 1.0)
    kept = 1.0 - total
    if kept.min(initial=1.0) < _CANCELLED:
        kept = np.where(kept < _CANCELLED, 1.0 / (1.0 + np.exp(log_hazard).sum(axis=1)), kept)
    surviving = np.concatenate([np.ones((len(hazard), 1)), np.cumprod(kept, axis=1)], axis=1)
    share = hazard / np.maximum(total, 1e-300)[:, None, :]
    whole_bins = share * (surviving[:, :-1] - surviving[:, 1:])[:, None, :]
    before = np.concatenate([np.zeros((*hazard.shape[:2], 1)), np.cumsum(whole_bins, axis=2)], axis=2)
    asked = np.clip(np.asarray(days, dtype=np.float64), 0.0, edges[-1])
    bin_number = np.clip(np.searchsorted(edges, asked, side="right") - 1, 0, len(edges) - 2)
    fraction = (asked - edges[bin_number]) / (edges[bin_number + 1] - edges[bin_number])
    fallen = surviving[:, bin_number] * (1.0 - kept[:, bin_number] ** fraction)
    return np.asarray(before[:, :, bin_number] + share[:, :, bin_number] * fallen[:, None, :])
