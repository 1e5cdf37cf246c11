"""A trained model: the evidence models of its modalities and the head that joins them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Task
from prognosis.errors import InputError
from prognosis.evidence import EvidenceModel
from prognosis.evidence.model_folder import patient_digest
from prognosis.fusion.arms.model import ArmModel, ArmsRefused
from prognosis.fusion.bounds import ANY_EVENT, bound_days, event_incidence
from prognosis.fusion.class_sets import class_probabilities
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.head import HazardHead, cumulative_incidence
from prognosis.fusion.inputs import FusionInputs, join_modalities
from prognosis.fusion.measured import Measured
from prognosis.fusion.replicates import Replicates
from prognosis.survival.class_sets import ClassSets
from prognosis.survival.conformal import SurvivalBound

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Training:
    """What a model was trained on, for its card and for refusing to be judged on its own patients.

    Attributes:
        cases: Number of cases.
        events: Number of cases by cause; the reference as "none".
        modality_cases: Number of cases that have each modality.
        left_out: Modalities of the configuration that too few cases had, with the reason.
        patients: sha256 of each training patient's key; the keys themselves are not kept.
    """

    cases: int
    events: Mapping[str, int]
    modality_cases: Mapping[str, int]
    left_out: Mapping[str, str]
    patients: frozenset[str]


@dataclass(frozen=True, slots=True)
class FusionModel:
    """Predicts from any subset of its modalities.

    Attributes:
        task: The question it answers.
        config: How it was made.
        evidence: A fitted evidence model for each modality, in the head's order.
        head: Joins them.
        edges: (B + 1,) bin edges in days.
        replicates: Bootstrap refits of the head.
        background: Inputs of up to 256 training cases: what an unknown modality might have been. Each is the
            evidence of models that had not seen the case, spread as widely as the kept models' (see
            `FittedEvidence.usual`).
        training: What it was trained on.
        bounds: What turns curves into lower bounds on the time free of "any event" and, where there are
            several causes, of each; empty where the task asks for no time to an event.
        sets: What turns the probabilities of classes that exclude one another into sets of classes; None for
            other tasks.
        measured: What turns the mean of a measurement into a prediction; None for other tasks.
        arms: What each arm of the task would do, or why that could not be learned; None for a task that
            compares none.
        model_id: Name and content digest; empty until saved.
    """

    task: Task
    config: ModelConfig
    evidence: Mapping[str, EvidenceModel]
    head: HazardHead
    edges: Array
    replicates: Replicates
    background: FusionInputs
    training: Training
    bounds: Mapping[str, SurvivalBound] = field(default_factory=dict)
    sets: ClassSets | None = None
    measured: Measured | None = None
    arms: ArmModel | ArmsRefused | None = None
    model_id: str = field(default="")

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities it can read, in order."""
        return tuple(self.evidence)

    def inputs(self, cases: Sequence[Case]) -> FusionInputs:
        """Every modality's summed evidence for these cases."""
        return join_modalities({name: model.summarise(cases) for name, model in self.evidence.items()})

    def cumulative_incidence(self, cases: Sequence[Case], days: Array) -> Array:
        """(n, K, T) probability that each cause has happened by each day; of each class, of each finding."""
        return self.incidence_of(self.inputs(cases), days)

    def incidence_of(self, inputs: FusionInputs, days: Array) -> Array:
        """The same from inputs already summed."""
        return self.incidence_at(self.head.log_hazard(inputs), np.asarray(days, dtype=np.float64))

    def incidence_at(self, log_hazard: Array, days: Array) -> Array:
        """(n, K, T) from eta (n, K, B); a class or a finding is known at once, so its days do not matter.

        Raises:
            InputError: The task asks for a measurement, which has no incidence.
        """
        if self.measured is not None:
            raise InputError(
                f"model of task {self.task.name}",
                "predicts a value, no probability",
                "leave out --scale: the value's drivers add up in its own unit",
            )
        asked = days if self.task.is_survival else np.full_like(days, self.edges[-1])
        return cumulative_incidence(log_hazard, self.edges, asked, self.task.questions)

    def expected(self, inputs: FusionInputs) -> Array:
        """(n,) mean of a measurement on its modelled scale: its unit, or the logarithm of it."""
        return np.asarray(self.head.log_hazard(inputs)[:, 0, 0])

    def lower_bounds(self, inputs: FusionInputs, level: float) -> dict[str, Array]:
        """By what a case stays free of, (n,) days for which it does so with confidence `level`.

        Who is free of any event is free of each, so a cause's days are never fewer than those of any event.

        Raises:
            InputError: The level has no calibrated bound.
        """
        if not self.bounds:
            return {}
        grid = bound_days(self.edges)
        curves = event_incidence(self.incidence_of(inputs, grid), self.task.causes)
        found = {name: bound.days(curves[name], grid, level) for name, bound in self.bounds.items()}
        return {name: np.maximum(days, found[ANY_EVENT]) for name, days in found.items()}

    def class_sets(self, inputs: FusionInputs, level: float) -> NDArray[np.bool_] | None:
        """(n, 1 + K) True where a class, the reference first, is in the case's set; None without sets.

        Raises:
            InputError: The level has no calibrated set.
        """
        if self.sets is None:
            return None
        return self.sets.holds(class_probabilities(self.incidence_of(inputs, self.edges[-1:])), level)

    def was_trained_on(self, case: Case) -> bool:
        """Whether this patient was among the training patients."""
        return patient_digest(case.patient) in self.training.patients
