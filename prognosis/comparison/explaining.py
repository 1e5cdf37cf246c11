"""Why the difference of two arms is what it is, down to the laboratory value, the sentence and the region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.comparison.answer import ContrastExplanation
from prognosis.evidence import Token
from prognosis.explanation import drivers_of
from prognosis.explanation.case import attribution
from prognosis.fusion import FusionModel
from prognosis.fusion.arms import ArmModel
from prognosis.fusion.arms.columns import ArmInputs, effect_columns, of_effect_tokens, without_tokens

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ArmTokens:
    """One case's tokens: of the event, and of each arm's effect."""

    prognosis: tuple[Token, ...]
    effect: tuple[tuple[Token, ...], ...]


def arm_tokens(
    model: FusionModel, arms: ArmModel, cases: Sequence[Case], inputs: ArmInputs
) -> list[ArmTokens]:
    """The tokens of cases; every evidence model is asked about all of them at once.

    Args:
        model: A trained model.
        arms: Its arms.
        cases: Whose tokens.
        inputs: Their sums.
    """
    told = [evidence.tokens_of(cases) for evidence in model.evidence.values()]
    effects = [[evidence.tokens_of(cases) for evidence in own.values()] for own in arms.effect]
    found = []
    for row in range(len(cases)):
        of_event = tuple(
            token
            for place, own in enumerate(told)
            if inputs.prognosis.present[row, place]
            for token in own[row]
        )
        of_arms = []
        for sums, modalities in zip(inputs.effect, effects, strict=True):
            here = [] if sums is None else sums.present[row].tolist()
            own_tokens = [own[row] for own, present in zip(modalities, here, strict=True) if present]
            of_arms.append(tuple(token for tokens in own_tokens for token in tokens))
        found.append(ArmTokens(of_event, tuple(of_arms)))
    return found


def explain_contrast(
    arms: ArmModel, tokens: ArmTokens, inputs: ArmInputs, pair: tuple[str, str], unit: str, total: float
) -> ContrastExplanation:
    """The difference of two arms as a sum over a case's tokens.

    A token of the event and one of an arm's effect that rest on the same fact are told as one.

    Args:
        arms: The model's.
        tokens: Of the case.
        inputs: Their sums, of this case alone.
        pair: The arm and the one it is compared with.
        unit: Of the difference.
        total: The difference, from the summed evidence.
    """
    slopes = arms.worth.per_unit(*pair)
    told = of_effect_tokens(tokens.prognosis, tokens.effect, inputs, arms.presence, slopes)
    columns = effect_columns(inputs, arms.presence)[0]
    base = total - float(slopes @ (columns - without_tokens(columns, arms.presence)))
    by_fact: dict[tuple[object, ...], list[tuple[Token, float]]] = {}
    for token, adds in told:
        fact = (token.modality, token.subject or token.name, token.source, token.time, token.span)
        by_fact.setdefault(fact, []).append((token, adds))
    each = [attribution(own[0][0], sum(adds for _, adds in own), None) for own in by_fact.values()]
    return ContrastExplanation(
        unit=unit,
        base=base,
        total=total,
        attributions=tuple(sorted(each, key=lambda one: -abs(one.contribution))),
        drivers=drivers_of(each),
        max_additivity_error=abs(base + sum(one.contribution for one in each) - total),
    )
