"""Bootstrap replicates of the head over patients, for intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.fitting import refit
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import Exposure
from prognosis.fusion.optimiser import Parameters

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Replicates:
    """R heads about the fitted one, each of patients drawn with replacement; interactions are kept as fitted.

    Attributes:
        alpha: (R, K, B).
        beta: (R, M, K, B).
    """

    alpha: Array
    beta: Array

    def __len__(self) -> int:
        return len(self.alpha)


def bootstrap_head(
    fitted: Parameters,
    inputs: FusionInputs,
    exposure: Exposure,
    patients: NDArray[np.str_],
    replicates: int,
    seed: int,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Replicates:
    """Refit the head on resampled patients, the evidence held as it is.

    The spread tells how far the joining of modalities rests on the patients at hand. It does not hold the
    spread of the evidence models themselves, so it is a lower bound on what is not known. Refits see the
    cases as observed, without their masked copies, which would cost eight times as much; a replicate is the
    fitted head moved by what its refit differs from that of everyone once.

    Args:
        fitted: The head, and where each refit starts.
        inputs: Out-of-fold evidence.
        exposure: What happened.
        patients: (n,) the patient of each case; a patient is drawn whole.
        replicates: How many.
        seed: Of the draws.
        on_progress: Told (what, done, total).
    """
    rng = np.random.default_rng(seed)
    names, patient = np.unique(patients, return_inverse=True)
    centre, everyone = fitted.head(), refit(fitted, inputs, exposure, np.ones(len(inputs))).head()
    alphas, betas = [], []
    for done in range(replicates):
        drawn = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)))
        head = refit(fitted, inputs, exposure, drawn[patient].astype(np.float64)).head()
        alphas.append(centre.alpha + head.alpha - everyone.alpha)
        betas.append(np.maximum(centre.beta + head.beta - everyone.beta, 0.0))
        if on_progress is not None:
            on_progress("interval replicates", done + 1, replicates)
    return Replicates(np.stack(alphas), np.stack(betas))
