"""One case's log-hazard as a function of which of its tokens are known: the game whose values are shared out.

    eta_k(b) = base_k(b) + sum_i main_ik(b) + sum_{m < n} sum_r strength_mnkr p_mr p_nr

p_m is the sum of modality m's tokens in the directions in which modalities interact. The recalibration of the
observed subset is held as it is for the case, and multiplied in: it belongs to what was there to be read, and
not to any token. A removed token is one at the training mean, zero, as in a case that never had it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence import Token
from prognosis.fusion.head import HazardHead, modality_pairs

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class TokenGame:
    """n players, K causes, B bins, M modalities, R directions.

    Attributes:
        base: (K, B) log-hazard when no token is known.
        main: (n, K, B) what a player adds by itself.
        apart: (n, M R) a player in the directions in which modalities interact: its own modality's R.
        modality: (n,) place of each player's modality.
        modalities: M.
        pairs: Places of the pairs of modalities that interact at all.
        strengths: (pairs, K, R) how strongly.
    """

    base: Array
    main: Array
    apart: Array
    modality: Places
    modalities: int
    pairs: tuple[tuple[int, int], ...]
    strengths: Array

    def __len__(self) -> int:
        return len(self.main)

    def of_bins(self, bins: int) -> TokenGame:
        """The game of the first bins only."""
        return replace(self, base=self.base[:, :bins], main=self.main[:, :, :bins])

    def of_groups(self, groups: Sequence[Places]) -> TokenGame:
        """The game in which the members of a group, all of one modality, are known together."""
        return replace(
            self,
            main=np.stack([self.main[group].sum(axis=0) for group in groups]),
            apart=np.stack([self.apart[group].sum(axis=0) for group in groups]),
            modality=self.modality[[group[0] for group in groups]],
        )

    def sums(self, known: Array) -> tuple[Array, Array]:
        """(K, B, c) main parts and (M, R, c) directions of c coalitions.

        Args:
            known: (n, c) 1.0 where a player is known.
        """
        flat = self.main.reshape(len(self), self.base.size)
        main = (flat.T @ known).reshape(*self.base.shape, known.shape[1])
        return main, self.direction_sums(known)

    def direction_sums(self, known: Array) -> Array:
        """(M, R, c) the directions of c coalitions, (n, c) as in `sums`."""
        return (self.apart.T @ known).reshape(self.modalities, -1, known.shape[1])

    def log_hazard(self, main: Array, projected: Array) -> Array:
        """(K, B, c) eta from sums over tokens: (K, B, c) main parts and (M, R, c) directions."""
        return main + self.base[:, :, None] + self.joint(projected)[:, None, :]

    def joint(self, projected: Array) -> Array:
        """(K, c) what the modalities add together, of (M, R, c) directions."""
        total = np.zeros((len(self.base), projected.shape[2]))
        for (first, second), strength in zip(self.pairs, self.strengths, strict=True):
            total += strength @ (projected[first] * projected[second])
        return total

    def shares(self) -> tuple[Array, Array]:
        """Exact Shapley values of the log-hazard averaged over the bins: (n, K) own and (n, K) joint part.

        A product of two modalities' sums is shared equally between the two; within a modality tokens only
        add, so nothing else is shared: phi_i = w_i + 1/2 z_i' sum_n W_mn z_n.
        """
        causes, bins = self.base.shape
        own = (self.main.reshape(-1, bins) @ np.full(bins, 1.0 / bins)).reshape(-1, causes)
        if not self.pairs:
            return own, np.zeros_like(own)
        return own, self.apart @ (0.5 * self.coupling() @ self.apart.sum(axis=0)).T

    def coupling(self) -> Array:
        """(K, M R, M R) symmetric: of directions d the modalities add 1/2 d' coupling d together."""
        causes, rank = self.strengths.shape[1:]
        found = np.zeros((causes, self.modalities, rank, self.modalities, rank))
        own_direction = np.einsum("kmrnr->kmnr", found)  # a view: directions interact with their own kind
        for (first, second), strength in zip(self.pairs, self.strengths, strict=True):
            own_direction[:, first, second] = own_direction[:, second, first] = strength
        return found.reshape(causes, self.modalities * rank, self.modalities * rank)


def token_game(head: HazardHead, tokens: Sequence[Token], places: Places, subset: int | None) -> TokenGame:
    """The game of one case's tokens.

    Args:
        head: Joins the modalities.
        tokens: Of the modalities that the case has, in the head's order.
        places: (n,) each token's modality; it never falls.
        subset: The observed subset's number, whose recalibration is held fixed; None for no recalibration.
    """
    causes, bins = head.alpha.shape
    shift = np.zeros((causes, bins)) if subset is None else head.shift[subset]
    scale = np.ones(causes) if subset is None else head.scale[subset]
    count, rank, modalities = len(tokens), head.strengths.shape[2], len(head.beta)
    main, apart = np.empty((count, causes, bins)), np.zeros((count, modalities, rank))
    bounds = np.searchsorted(places, np.arange(modalities + 1)).tolist()
    beta = head.beta * scale[:, None]
    for place, factor in enumerate(head.factors):
        rows = slice(bounds[place], bounds[place + 1])
        own = tokens[rows]
        if own:
            evidence = np.concatenate([token.evidence for token in own]).reshape(len(own), causes, -1)
            np.multiply(evidence, beta[place], out=main[rows])
            vectors = np.concatenate([token.vector for token in own]).reshape(len(own), -1)
            np.matmul(vectors, factor, out=apart[rows, place])
    acting = [row for row, strength in enumerate(head.strengths) if strength.any()]
    pairs = modality_pairs(modalities)
    return TokenGame(
        base=head.alpha + shift,
        main=main,
        apart=apart.reshape(count, modalities * rank),
        modality=np.asarray(places, dtype=np.intp),
        modalities=modalities,
        pairs=tuple(pairs[row] for row in acting),
        strengths=head.strengths[acting] * scale[:, None],
    )
