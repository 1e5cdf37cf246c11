"""How far a risk could be from its estimate: resampled patients, and what missing modalities might say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion import FusionModel
from prognosis.fusion.head import subset_number
from prognosis.fusion.inputs import FusionInputs

Array = NDArray[np.float64]

DRAWS = 200
BEYOND = 1.4  # a missing value may be so many times as extreme as any that training cases had


@dataclass(frozen=True, slots=True)
class Spread:
    """Draws of what one case's answer might be.

    Attributes:
        incidence: (D, K, T) cumulative incidence in each draw.
        log_hazard: (D, K) average log-hazard in each draw.
    """

    incidence: Array
    log_hazard: Array

    def standard_error(self) -> Array:
        """(K,) standard deviation of the average log-hazard."""
        return np.asarray(self.log_hazard.std(axis=0, ddof=1))


def case_spread(model: FusionModel, inputs: FusionInputs, row: int, days: Array, seed: int = 0) -> Spread:
    """Draw the answers for one case.

    Draw d joins the modalities with bootstrap replicate d and fills each missing modality with that of a
    training case, chosen at random among those that had it. To this is added the largest uncertainty that
    such a value could bring, were it `BEYOND` times as extreme: it may be one that the model is least sure
    how to read. What is filled in is unrelated to the replicates, and a filled case is read with at least
    the scale of a complete one, so an interval over the draws widens when a modality is missing.

    Args:
        model: The model.
        inputs: Summed evidence.
        row: The case's row in `inputs`.
        days: (T,) days of the curves.
        seed: Of the draws; the same seed gives the same interval.
    """
    rng = np.random.default_rng(seed)
    replicate = np.resize(rng.permutation(len(model.replicates)), DRAWS)
    head = model.head
    subset = subset_number(inputs.present[row : row + 1])[0]
    scale = np.maximum(head.scale[subset], head.scale[-1])  # the last is that of every modality present
    whole = _deviation(model, _filled(model.background, inputs, row, rng), replicate)
    known = model.replicates.alpha + scale[:, None] * _weighed_evidence(model, inputs, row)
    missing = model.replicates.alpha[replicate] + scale[:, None] * whole - known[replicate]
    missing += _unread(model, inputs, row, known.mean(axis=2), scale, rng)
    eta = head.shift[subset] + known[replicate] + _unrelated(missing, known[replicate])
    return Spread(model.incidence_at(eta, days), eta.mean(axis=2))


def _filled(
    background: FusionInputs, inputs: FusionInputs, row: int, rng: np.random.Generator
) -> FusionInputs:
    evidence, vectors = [], []
    for place in range(len(inputs.modalities)):
        donors = np.flatnonzero(background.present[:, place])
        chosen = rng.choice(donors, DRAWS) if len(donors) else np.zeros(DRAWS, dtype=np.intp)
        if inputs.present[row, place] or not len(donors):
            evidence.append(np.repeat(inputs.evidence[place][row : row + 1], DRAWS, axis=0))
            vectors.append(np.repeat(inputs.vectors[place][row : row + 1], DRAWS, axis=0))
        else:
            evidence.append(background.evidence[place][chosen])
            vectors.append(background.vectors[place][chosen])
    present = np.ones((DRAWS, len(inputs.modalities)), dtype=bool)
    distance = np.zeros((DRAWS, len(inputs.modalities)))
    return FusionInputs(inputs.modalities, present, tuple(evidence), tuple(vectors), distance, ((),) * DRAWS)


def _weighed_evidence(model: FusionModel, inputs: FusionInputs, row: int) -> Array:
    """(R, K, B) the evidence of the modalities that the case has, as each replicate weighs it."""
    present = np.flatnonzero(inputs.present[row])
    total = np.zeros_like(model.replicates.alpha)
    for place in present:
        total += model.replicates.beta[:, place] * inputs.evidence[place][row]
    return total


def _unread(
    model: FusionModel,
    inputs: FusionInputs,
    row: int,
    known: Array,
    scale: Array,
    rng: np.random.Generator,
) -> Array:
    """(D, K, 1) what not knowing how the missing modalities would be weighed may add to `known` (R, K)."""
    background = model.background
    variance = np.zeros(len(model.task.causes))
    for place in np.flatnonzero(~inputs.present[row]):
        evidence = background.evidence[place][background.present[:, place]]
        if not len(evidence):
            continue
        beta = model.replicates.beta[:, place]
        spread_over_bins = np.broadcast_to(evidence, (len(evidence), *beta.shape[1:]))
        weighed = BEYOND * scale * np.einsum("rkb,nkb->rnk", beta, spread_over_bins) / beta.shape[2]
        alone = weighed.var(axis=0, ddof=1).max(axis=0)
        together = (known[:, None] + weighed).var(axis=0, ddof=1).max(axis=0) - known.var(axis=0, ddof=1)
        variance += np.maximum(alone, together)
    return np.asarray(rng.normal(0.0, np.sqrt(variance), (DRAWS, len(variance)))[:, :, None])


def _unrelated(missing: Array, known: Array) -> Array:
    """(D, K, B) `missing` without what goes up and down with `known` by the chance of the draws."""
    centred = known.mean(axis=2) - known.mean(axis=(0, 2))
    size = (centred**2).sum(axis=0)
    slope = np.divide(
        (centred * missing.mean(axis=2)).sum(axis=0), size, out=np.zeros_like(size), where=size > 0
    )
    return np.asarray(missing - (slope * centred)[:, :, None])


def _deviation(model: FusionModel, inputs: FusionInputs, replicate: NDArray[np.intp]) -> Array:
    silent = replace(model.head, beta=np.zeros_like(model.head.beta))
    total = silent.deviation(inputs)
    for place, evidence in enumerate(inputs.evidence):
        total += model.replicates.beta[replicate, place] * evidence
    return total
