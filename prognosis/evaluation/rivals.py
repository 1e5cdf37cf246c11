"""Every other way of joining the modalities, fitted on the same training cases and judged on the same.

The model keeps its explanation exact by adding evidence up. What that costs is told by a transformer that
joins the very same tokens freely. Late fusion and HAIM's way are systems of their own: they read modalities
that were each fitted by itself, since without the model nothing would have fitted one beside the others. The
model itself with each subset of its modalities stands beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from prognosis.cohort import Case, Cohort
from prognosis.errors import CohortError
from prognosis.evaluation.haim import HaimModel, embeddings, fit_haim
from prognosis.evaluation.late_fusion import LateFusion, fit_late_fusion
from prognosis.fusion import FusionModel
from prognosis.fusion.challenger import (
    Challenger,
    ChallengerConfig,
    out_of_fold_tokens,
    tokens_of,
    train_challenger,
)
from prognosis.fusion.cross_fitting import CrossFitted, Progress
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.prior_shift import prior_shift
from prognosis.survival.curves import Floats

if TYPE_CHECKING:
    from prognosis.evaluation.judging import Judged

LATE = "late fusion"
HAIM = "HAIM-style"
TRANSFORMER = "transformer"
RIVALS = (LATE, HAIM, TRANSFORMER)


@dataclass(frozen=True, slots=True)
class Rivals:
    """Fitted rivals of one model.

    Attributes:
        late: One risk a modality, joined by logistic regression; reads modalities fitted by themselves.
        haim: Embeddings read by XGBoost, likewise.
        transformer: The model's own tokens read by self-attention.
        log_odds_shift: (K,) what the log-odds of each class gain where the model is used, as the model's own.
    """

    late: LateFusion
    haim: HaimModel
    transformer: Challenger
    log_odds_shift: Floats

    def incidence(
        self, model: FusionModel, alone: FusionInputs, cases: Sequence[Case], days: Floats
    ) -> dict[str, Floats]:
        """By rival, (n, K, T) probability of each cause by each day, of each class, of each finding.

        Args:
            model: Trained on the same cases.
            alone: The cases' evidence, of each modality fitted by itself.
            cases: The cases.
            days: (T,) increasing, > 0.

        Raises:
            CohortError: No case has a token.
        """
        moved = self.log_odds_shift[:, None]
        read = self.transformer.log_hazard(tokens_of(model.evidence, cases))
        return {
            LATE: model.incidence_at(self.late.log_hazard(alone) + moved, days),
            HAIM: self.haim.incidence(embeddings(alone), days),
            TRANSFORMER: model.incidence_at(read + moved, days),
        }


def fit_rivals(
    cohort: Cohort, evidence: CrossFitted, config: ChallengerConfig, on_progress: Progress | None = None
) -> Rivals:
    """Fit every rival on what evidence models said of cases that they had not seen.

    Args:
        cohort: The training cases.
        evidence: Every modality fitted on them.
        config: Of the transformer; its seed is also that of the trees.
        on_progress: Told (what, done, total).

    Raises:
        CohortError: There is one modality: nothing is joined; or the evidence holds none by itself.
    """
    if len(evidence.fitted) == 1:
        only = ", ".join(evidence.fitted)
        raise CohortError(f"rivals of {cohort.task.name}", f"only {only} is read", "give another modality")
    alone, target = evidence.alone_inputs(), evidence.target
    exposure, shift = exposure_of(target), prior_shift(cohort.task, target)
    tokens = out_of_fold_tokens(evidence, cohort.cases)
    return Rivals(
        fit_late_fusion(alone, exposure),
        fit_haim(alone, target, evidence.folds, config.seed, shift),
        train_challenger(tokens, exposure, evidence.folds, config, on_progress),
        shift,
    )


def subset_incidence(
    model: FusionModel, names: Sequence[str], inputs: FusionInputs, days: Floats
) -> dict[str, Floats]:
    """By subset of two modalities or more but not all, what the model says with only these left.

    Args:
        model: The model; one that was trained without a modality finds it absent.
        names: The modalities of which subsets are made.
        inputs: The cases' evidence.
        days: (T,) increasing, > 0.
    """
    found = {}
    for size in range(2, len(names)):
        for subset in combinations(names, size):
            kept = inputs.keeping(np.array([name in subset for name in model.modalities]))
            found[" + ".join(subset)] = model.incidence_of(kept, days)
    return found


def is_rival(name: str) -> bool:
    """Whether a method's name is that of a rival, or of two modalities or more of the model's own."""
    return name in RIVALS or " + " in name


def rival_incidence(folds: Sequence[Judged], days: Floats) -> dict[str, list[Floats]]:
    """By subset and by rival, its predictions of each fold's cases, (n, K, T) a fold.

    Args:
        folds: Models with the cases that they have not seen, each with its rivals.
        days: (T,) increasing, > 0.
    """
    found: dict[str, list[Floats]] = {}
    for fold in folds:
        told = subset_incidence(fold.model, folds[0].model.modalities, fold.inputs, days)
        if fold.rivals is not None and fold.alone is not None:
            told |= fold.rivals.incidence(fold.model, fold.alone, fold.cohort.cases, days)
        for name, incidence in told.items():
            found.setdefault(name, []).append(incidence)
    return found
