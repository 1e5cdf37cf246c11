"""Each modality as a model of its own, fitted as if there were no other: what all together must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Cohort
from prognosis.evidence import EvidenceModel
from prognosis.fusion.config import FusionConfig
from prognosis.fusion.cross_fitting import CrossFitted
from prognosis.fusion.fitting import fit_head
from prognosis.fusion.head import HazardHead
from prognosis.fusion.inputs import FusionInputs, join_modalities
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.prior_shift import prior_shift
from prognosis.fusion.recalibration import recalibrate


@dataclass(frozen=True, slots=True)
class Singles:
    """A model of each modality that knows of no other.

    Attributes:
        evidence: Each modality's read-outs, fitted by itself.
        heads: What turns each one's evidence, and its absence, into a hazard.
    """

    evidence: Mapping[str, EvidenceModel]
    heads: Mapping[str, HazardHead]

    def inputs(
        self, cases: Sequence[Case], joined: Mapping[str, EvidenceModel], known: FusionInputs
    ) -> FusionInputs:
        """What the modalities, each fitted by itself, say of these cases, side by side.

        Args:
            cases: The cases.
            joined: The evidence models of the model that joins them.
            known: What these say of the cases: the answer where they are the same, and nothing is read again.
        """
        if all(joined[name] is model for name, model in self.evidence.items()):
            return known
        return join_modalities({name: model.summarise(cases) for name, model in self.evidence.items()})

    def log_hazard(self, name: str, inputs: FusionInputs) -> NDArray[np.float64]:
        """(n, K, B) log-odds of each cause against surviving the bin, by one modality.

        Args:
            name: The modality.
            inputs: From `inputs`.
        """
        return self.heads[name].log_hazard(inputs.single(name))


def fit_singles(cohort: Cohort, evidence: CrossFitted, config: FusionConfig) -> Singles:
    """Fit each modality's own head on out-of-fold evidence that was fitted without the others.

    Args:
        cohort: The training cases.
        evidence: Every modality fitted on them.
        config: How heads are fitted.

    Raises:
        CohortError: The evidence holds no modality by itself.
    """
    joined, exposure = evidence.alone_inputs(), exposure_of(evidence.target)
    shift = prior_shift(cohort.task, evidence.target)[:, None]
    heads = {}
    for name in joined.modalities:
        inputs = joined.single(name)
        head = fit_head(inputs, exposure, config, cohort.patients).head()
        head = recalibrate(head, inputs, exposure, np.ones(len(cohort)))
        heads[name] = replace(head, alpha=head.alpha + shift)
    return Singles({name: fitted.model for name, fitted in evidence.alone.items()}, heads)
