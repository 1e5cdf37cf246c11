"""Each modality's evidence fitted beside what the other modalities say.

A modality that is fitted alone meets patients who differ in all that the other modalities know, and what it
learns is blurred by it. Fitted beside the others' evidence it learns what it adds to theirs, from the same
patients more exactly. Where modalities say the same thing, evidence of that kind is worth less when the
others are missing; so it is given up where patients left out clearly lose by it, masked copies included.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence import FittedEvidence, Fitting
from prognosis.fusion.fitting import held_out_loss
from prognosis.fusion.inputs import join_modalities
from prognosis.fusion.likelihood import Exposure
from prognosis.fusion.optimiser import minimise

MOST_LOST = 3.0
"""Standard errors of the likelihood of patients left out, by which it may fall.

The offsets of the training cases come from models that saw the patients left out, which counts against what
is fitted beside them. Modalities that say the same thing lose by more, but where patients are few not always.
"""


def fit_beside_others(
    fittings: Mapping[str, Fitting],
    alone: Mapping[str, FittedEvidence],
    exposure: Exposure,
    folds: NDArray[np.int64],
    patients: NDArray[np.str_],
    dropout_weight: float,
) -> Mapping[str, FittedEvidence]:
    """The modalities fitted beside one another, or `alone` where patients left out clearly lose by that.

    What is known from elsewhere comes from models that did not see the case, weighed as the head weighs it.

    Args:
        fittings: What fits each modality.
        alone: Each fitted by itself.
        exposure: What happened to the training cases.
        folds: (n,) fold of each case.
        patients: (n,) patient of each case.
        dropout_weight: Weight of the cases' masked copies beside the observed ones.

    Returns:
        The fits beside one another; `alone` where patients left out lose by more than `MOST_LOST`.
    """
    inputs = join_modalities({name: fitted.out_of_fold for name, fitted in alone.items()})
    beta = minimise(inputs, exposure, np.ones(len(inputs))).head().beta
    said = [(own * evidence).mean(axis=2) for own, evidence in zip(beta, inputs.evidence, strict=True)]
    everything = np.sum(said, axis=0)
    beside = {
        name: fitting(everything - own) for (name, fitting), own in zip(fittings.items(), said, strict=True)
    }
    joined = join_modalities({name: fitted.out_of_fold for name, fitted in beside.items()})
    gain = held_out_loss(inputs, exposure, folds, dropout_weight)
    gain = gain - held_out_loss(joined, exposure, folds, dropout_weight)
    of_patient = np.bincount(np.unique(patients, return_inverse=True)[1], weights=gain)
    error = float(of_patient.std(ddof=1)) * np.sqrt(len(of_patient))
    return beside if of_patient.sum() > -MOST_LOST * error else alone
