"""Classes as common as where the model will be used, and not as among the cases that trained it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Target, Task
from prognosis.cohort.outcome import Value
from prognosis.cohort.target import reference_class
from prognosis.fusion.head import HazardHead
from prognosis.fusion.replicates import Replicates

Array = NDArray[np.float64]


def prior_shift(task: Task, target: Target) -> Array:
    """(K,) what the log-odds of each class against the reference gain; 0 where the task states no prevalence.

    Training cases are often collected by class. Where a class looks the same in both places and only its
    share differs, its odds change by the ratio of the shares' odds (Bayes; Elkan, IJCAI 2001, theorem 2).

    Args:
        task: States the prevalence where the model will be used.
        target: Classes of the training cases.
    """
    outcome = task.outcome
    if not isinstance(outcome, Value) or not outcome.prevalence:
        return np.zeros(len(target.causes))
    trained = target.happened.sum(axis=0) / (target.cause == 0).sum()
    stated = np.array([outcome.prevalence[name] for name in target.causes])
    return np.asarray(np.log(stated / outcome.prevalence[reference_class(task)]) - np.log(trained))


def shifted(head: HazardHead, replicates: Replicates, by: Array) -> tuple[HazardHead, Replicates]:
    """The head and its bootstrap with the log-odds of each class moved by `by` (K,), whatever is known."""
    moved = by[:, None]
    return replace(head, alpha=head.alpha + moved), replace(replicates, alpha=replicates.alpha + moved)
