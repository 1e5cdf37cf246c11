"""What the comparison of arms reads, as columns: every one but presence is a sum over evidence tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence import EvidenceModel, Token
from prognosis.fusion.inputs import FusionInputs, join_modalities

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ArmInputs:
    """Summed evidence of n cases.

    Attributes:
        prognosis: Of the event, as the model reads it.
        assigned: Of the choice of an arm; None where nothing was learned of it.
        effect: Of each arm's effect beside the reference, arm by arm; modalities that taught none are absent.
    """

    prognosis: FusionInputs
    assigned: FusionInputs | None
    effect: tuple[FusionInputs | None, ...]

    def take(self, rows: NDArray[np.intp]) -> ArmInputs:
        """The inputs of the cases at `rows`."""
        return ArmInputs(
            self.prognosis.take(rows),
            None if self.assigned is None else self.assigned.take(rows),
            tuple(None if own is None else own.take(rows) for own in self.effect),
        )


@dataclass(frozen=True, slots=True)
class Presence:
    """(M,) True for a modality that some cases of the cohort had and some had not: presence is a column."""

    varies: NDArray[np.bool_]


def assigned_columns(inputs: ArmInputs, presence: Presence) -> Floats:
    """(n, p) what arms may have been chosen by: prognosis, and the evidence of the choice itself."""
    return np.concatenate([_prognosis(inputs.prognosis, presence), *_said(inputs.assigned)], axis=1)


def effect_columns(inputs: ArmInputs, presence: Presence) -> Floats:
    """(n, p) what effects may differ by: prognosis, and the evidence of each arm's effect."""
    said = [column for own in inputs.effect for column in _said(own)]
    return np.concatenate([_prognosis(inputs.prognosis, presence), *said], axis=1)


def of_effect_tokens(
    prognosis: Sequence[Token],
    effect: Sequence[Sequence[Token]],
    inputs: ArmInputs,
    presence: Presence,
    per_unit: Floats,
) -> list[tuple[Token, float]]:
    """Each token with what it adds to a difference.

    Args:
        prognosis: The case's tokens of the event.
        effect: Its tokens of each arm's effect.
        inputs: Their sums.
        presence: Of the model.
        per_unit: (p,) what a unit of each of `effect_columns` adds.
    """
    place = int(presence.varies.sum())
    slopes: dict[str, Floats] = {}
    for name, vector in zip(inputs.prognosis.modalities, inputs.prognosis.vectors, strict=True):
        slopes[name] = per_unit[place : place + vector.shape[1]]
        place += vector.shape[1]
    told = [(token, float(token.vector @ slopes[token.modality])) for token in prognosis]
    for own, tokens in zip(inputs.effect, effect, strict=True):
        if own is None:
            continue
        weight = dict(zip(own.modalities, per_unit[place:].tolist(), strict=False))
        told += [(token, float(token.evidence.mean()) * weight[token.modality]) for token in tokens]
        place += len(own.modalities)
    return told


def without_tokens(columns: Floats, presence: Presence) -> Floats:
    """(p,) a case's `effect_columns` with every token taken away: which modalities it has is left."""
    return np.append(columns[: presence.varies.sum()], np.zeros(len(columns) - int(presence.varies.sum())))


def summed(models: Mapping[str, EvidenceModel], cases: Sequence[Case]) -> FusionInputs | None:
    """Every modality's evidence of the cases, side by side; None without a modality."""
    if not models:
        return None
    return join_modalities({name: model.summarise(cases) for name, model in models.items()})


def _prognosis(inputs: FusionInputs, presence: Presence) -> Floats:
    return np.concatenate([inputs.present[:, presence.varies].astype(np.float64), *inputs.vectors], axis=1)


def _said(inputs: FusionInputs | None) -> list[Floats]:
    """(n, causes) of each modality: the evidence, averaged over bins."""
    return [] if inputs is None else [own.mean(axis=2) for own in inputs.evidence]
