"""A model whose evidence is read out at random: what its explanations must not look like."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from prognosis.evaluation.evidence_maps import drawn_anew
from prognosis.evidence import EvidenceModel
from prognosis.evidence.clinical.model import ClinicalEvidence
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.text.model import SentenceWeights, TextEvidence
from prognosis.fusion import FusionModel
from prognosis.survival.curves import Floats


def randomised_readouts(model: FusionModel, seed: int) -> FusionModel:
    """The model with the read-outs of every modality drawn anew; encoders, windows and the head stay.

    Coefficients are drawn from the normal distribution of each column's own spread; the leaves of trees are
    dealt anew among the leaves of their table. Regions of images keep the centres of the model itself, so
    what is compared must be centred anew. Evidence of another kind than these three stays as it is.

    Args:
        model: Any model.
        seed: Of the draws.
    """
    random = np.random.default_rng(seed)
    return replace(model, evidence={name: _randomised(own, random) for name, own in model.evidence.items()})


def _randomised(evidence: EvidenceModel, random: np.random.Generator) -> EvidenceModel:
    if isinstance(evidence, ImagingEvidence):
        drawn_film = drawn_anew(evidence, 0, int(random.integers(2**31)))
        return replace(drawn_film, cache=None)  # it holds what the model itself made of the studies
    if isinstance(evidence, TextEvidence):
        weights, drawn = evidence.weights, copy.copy(evidence)
        drawn.weights = SentenceWeights(
            _like(weights.terms, random), _like(weights.components, random), weights.centre
        )
        return drawn
    if isinstance(evidence, ClinicalEvidence):
        folds = []
        for fold in evidence.folds:
            readout = replace(fold.readout, coefficients=_like(fold.readout.coefficients, random))
            members = tuple(
                replace(
                    member,
                    tables=tuple(
                        None
                        if steps is None
                        else tuple(replace(table, value=random.permutation(table.value)) for table in steps)
                        for steps in member.tables
                    ),
                )
                for member in fold.members
            )
            folds.append(replace(fold, readout=readout, members=members))
        own = evidence
        return ClinicalEvidence(own.config, own.causes, own.vocabulary, own.space, folds, own.background)
    return evidence


def _like(weights: Floats, random: np.random.Generator) -> Floats:
    return random.normal(size=weights.shape) * weights.std(axis=0) if weights.size else weights
