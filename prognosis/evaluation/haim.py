"""HAIM's way of fusion, the baseline: embeddings of all modalities laid end to end and read by XGBoost.

Soenksen et al., "Integrated multimodal artificial intelligence framework for healthcare applications", npj
Digital Medicine 2022;5:149. An embedding here is the sum of a modality's token vectors: what each cause's
out-of-fold evidence comes to, and unsupervised directions of the modality. HAIM's own embeddings had never
seen an outcome; these have, through models that had not seen the case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Target
from prognosis.evaluation.peers import CauseModel, incidence_of_causes
from prognosis.evaluation.peers_boosted import BoostedClasses, fit_boosted_classes, fit_boosted_cox
from prognosis.fusion.inputs import FusionInputs
from prognosis.survival.curves import Floats


class HaimModel(Protocol):
    """Fitted trees on embeddings."""

    def incidence(self, embedded: Floats, days: Floats) -> Floats:
        """(n, K, T) probability of each cause by each of `days`, or of each class or finding on any day."""
        ...


@dataclass(frozen=True, slots=True)
class HaimHazards:
    """Boosted Cox models, one a cause.

    Attributes:
        models: One a cause.
        event_days: (J,) distinct times of events of any cause in training.
    """

    models: tuple[CauseModel, ...]
    event_days: Floats

    def incidence(self, embedded: Floats, days: Floats) -> Floats:
        """See `HaimModel`."""
        return incidence_of_causes(self.models, self.event_days, embedded, days)


@dataclass(frozen=True, slots=True)
class HaimClasses:
    """Boosted probabilities of the classes of one question, or of each finding.

    Attributes:
        models: One for a class, one a finding.
        log_odds_shift: (K,) what the log-odds of each class gain where the model is used.
    """

    models: tuple[BoostedClasses, ...]
    log_odds_shift: Floats

    def incidence(self, embedded: Floats, days: Floats) -> Floats:
        """See `HaimModel`."""
        first = 0
        parts = []
        for model in self.models:
            chance = model.probabilities(embedded)
            last = first + chance.shape[1] - 1
            odds = chance[:, 1:] / chance[:, :1] * np.exp(self.log_odds_shift[first:last])
            parts.append(odds / (1.0 + odds.sum(axis=1, keepdims=True)))
            first = last
        return np.repeat(np.concatenate(parts, axis=1)[:, :, None], len(days), axis=2)


def embeddings(inputs: FusionInputs) -> Floats:
    """(n, columns) every modality's vector, then a flag for each absent modality, whose vector is zero."""
    return np.concatenate([*inputs.vectors, (~inputs.present).astype(np.float64)], axis=1)


def fit_haim(
    inputs: FusionInputs,
    target: Target,
    folds: NDArray[np.int64],
    seed: int,
    log_odds_shift: Floats | None = None,
) -> HaimModel:
    """Boost what happened on the embeddings, with the settings of the XGBoost peers of the benchmark.

    A time to event is boosted by cause, the others censored; classes together; findings each by itself.

    Args:
        inputs: Out-of-fold evidence of the training cases.
        target: What happened to them.
        folds: (n,) fold of each case, whole patients; they choose the number of trees.
        seed: Of the trees' subsampling.
        log_odds_shift: (K,) what the log-odds of each class gain where the model is used; None for nothing.
    """
    embedded = embeddings(inputs)
    if target.survival:
        events = [target.cause == number for number in range(1, len(target.causes) + 1)]
        models = tuple(fit_boosted_cox(embedded, target.days, event, folds, seed=seed) for event in events)
        return HaimHazards(models, np.unique(target.days[target.cause > 0]))
    shift = np.zeros(len(target.causes)) if log_odds_shift is None else log_odds_shift
    if target.marks is None:
        return HaimClasses((fit_boosted_classes(embedded, target.cause, folds, seed=seed),), shift)
    findings = []
    for place in range(len(target.causes)):
        known = target.answered[:, place]
        present = target.happened[known, place].astype(np.int64)
        findings.append(fit_boosted_classes(embedded[known], present, folds[known], seed=seed))
    return HaimClasses(tuple(findings), shift)
