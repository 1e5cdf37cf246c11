"""Tokens that are told together: a family of facts, a section of a note, a region of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence import Token

MOST_GROUPS = 14
"""2**14 = 16,384 coalitions of groups are enumerated in milliseconds."""


@dataclass(frozen=True, slots=True)
class TokenGroup:
    """Tokens of one modality.

    Attributes:
        modality: Theirs.
        name: Their family, or "other" where families were joined.
        members: Their places among the case's tokens.
    """

    modality: str
    name: str
    members: NDArray[np.intp]


def group_tokens(
    tokens: Sequence[Token], sizes: NDArray[np.float64], most: int = MOST_GROUPS
) -> tuple[TokenGroup, ...]:
    """At most so many groups; each token its own where they are that few, else by modality and family.

    Where there are still too many, the modality with the most groups has its two smallest joined under
    "other", again and again: what moves the answer most stays told by itself.

    Args:
        tokens: Of one case.
        sizes: (n,) how much each moves the answer, e.g. the size of its share of the log-hazard.
        most: At least one a modality.
    """
    if len(tokens) <= most:
        return tuple(
            TokenGroup(token.modality, token.name, np.array([place])) for place, token in enumerate(tokens)
        )
    families: dict[tuple[str, str], list[int]] = {}
    for place, token in enumerate(tokens):
        families.setdefault((token.modality, token.family or token.name), []).append(place)
    while len(families) > most:
        counts = [modality for modality, _ in families]
        fullest = max(dict.fromkeys(counts), key=counts.count)
        own = [family for family in families if family[0] == fullest]
        own.sort(key=lambda family: float(sizes[families[family]].sum()))
        joined = [place for family in own[:2] for place in families.pop(family)]
        families.setdefault((fullest, "other"), []).extend(joined)
    return tuple(
        TokenGroup(modality, name, np.array(sorted(members)))
        for (modality, name), members in families.items()
    )
