"""The tokens of cases, ready to be explained: no encoder is run after this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from prognosis.cohort import Case
from prognosis.evidence import Token
from prognosis.explanation.game import TokenGame, token_game
from prognosis.fusion import FusionModel
from prognosis.fusion.head import subset_number
from prognosis.fusion.inputs import FusionInputs


@dataclass(frozen=True, slots=True)
class CaseTokens:
    """What there is to explain of one case.

    Attributes:
        index_time: When the question is asked.
        tokens: Of the modalities that it has, in the model's order.
        game: Who plays: the tokens.
        inputs: Their sums, from the prediction's own path.
        subset: Number of the observed subset of modalities.
    """

    index_time: datetime
    tokens: tuple[Token, ...]
    game: TokenGame
    inputs: FusionInputs
    subset: int


def case_tokens(model: FusionModel, case: Case) -> CaseTokens:
    """The case's tokens and their game; each evidence model is asked once for sums and once for parts."""
    return cohort_tokens(model, [case])[0]


def cohort_tokens(model: FusionModel, cases: Sequence[Case]) -> tuple[CaseTokens, ...]:
    """The same for many cases, which the evidence models are asked about together."""
    inputs = model.inputs(cases)
    subsets = subset_number(inputs.present)
    told = [evidence.tokens_of(cases) for evidence in model.evidence.values()]
    found = []
    for row, case in enumerate(cases):
        own = [
            (token, place)
            for place, of_cases in enumerate(told)
            if inputs.present[row, place]
            for token in of_cases[row]
        ]
        tokens = tuple(token for token, _ in own)
        places = np.array([place for _, place in own], dtype=np.intp)
        subset = int(subsets[row])
        game = token_game(model.head, tokens, places, subset)
        found.append(CaseTokens(case.index_time, tokens, game, inputs.take(np.array([row])), subset))
    return tuple(found)
