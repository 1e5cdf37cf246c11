"""What a trained model keeps of the arms of its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.arms import known_to_assigner
from prognosis.cohort.case import Case
from prognosis.cohort.treatment import Treatment
from prognosis.evidence import EvidenceModel
from prognosis.fusion.arms.columns import ArmInputs, Presence, assigned_columns, effect_columns, summed
from prognosis.fusion.inputs import FusionInputs
from prognosis.treatment import ArmValues, Estimate, Grounds, PropensityModel
from prognosis.treatment.joint_effect import JointEffect
from prognosis.treatment.response_level import ResponseLevel
from prognosis.treatment.tabled_curves import TabledCurves

Floats = NDArray[np.float64]
Models = Mapping[str, EvidenceModel]


@dataclass(frozen=True, slots=True)
class ArmsRefused:
    """Why the arms of a task could not be compared when its model was trained; "problem; remedy"."""

    because: str


@dataclass(frozen=True, slots=True)
class PairBasis:
    """Two arms over all cases.

    Attributes:
        arm: The arm asked about.
        reference: The one it is compared with.
        difference: Of the average worth.
        ratio: Of the risks by the horizon, or of the probabilities of a response; None where one is 0.
        e_value: Of `ratio` and of the end of its interval nearer to 1; None of a randomised assignment.
    """

    arm: str
    reference: str
    difference: Estimate
    ratio: Estimate | None
    e_value: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class CohortBasis:
    """The cohort that the comparison rests on; arrays in the order of the arms.

    Attributes:
        cases: Compared.
        patients: Of them.
        left_out: Why cases are not compared, to how many.
        counts: (A,) cases given each arm.
        grounds: Effective cases and events of each arm, and whether the assignment is modelled.
        average: Worth if everybody were given each arm.
        least_chance: (A,) smallest chance of each arm.
        outside: Share of cases outside the overlap.
        imbalance: Largest standardised difference of a covariate before and after weighting.
        held_down: Share of cases whose weight was held down.
        pairs: Every pair of arms.
        policy_gain: Of following the model (`ArmFit.rule`), out of fold, on the best constant rule.
        best_constant: The arm of that rule.
        lacking: By modality that the assignment went by, the share of cases without it.
    """

    cases: int
    patients: int
    left_out: Mapping[str, int]
    counts: tuple[int, ...]
    grounds: Grounds
    average: ArmValues
    least_chance: tuple[float, ...]
    outside: float
    imbalance: tuple[float, float]
    held_down: float
    pairs: tuple[PairBasis, ...]
    policy_gain: Estimate
    best_constant: str
    lacking: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ArmModel:
    """What each arm would do, for cases to come.

    Attributes:
        event: The event or the response that arms are judged by.
        treatment: What the task says of arms and assignment.
        horizon_days: The last day of curves and of days kept; None for a response.
        unanswered: Horizons of the task by which arms cannot be judged, with the reason.
        presence: Which modalities' presence is a column.
        assigned: Evidence of the choice of an arm, by modality; empty where chance chose.
        effect: Evidence of each arm's effect beside the reference, arm by arm.
        chance: The propensity, from `assigned_columns`.
        worth: What each arm is worth, from `effect_columns`.
        level: Worth averaged over arms, from the same: of a time to event the curves, whose shape is read
            too; of a response its probability.
        basis: The cohort.
    """

    event: str
    treatment: Treatment
    horizon_days: float | None
    unanswered: Mapping[float, str]
    presence: Presence
    assigned: Models
    effect: tuple[Models, ...]
    chance: PropensityModel
    worth: JointEffect
    level: TabledCurves | ResponseLevel
    basis: CohortBasis

    @property
    def arms(self) -> tuple[str, ...]:
        """Names, the reference first."""
        return self.treatment.names

    def inputs(self, prognosis: FusionInputs, cases: Sequence[Case]) -> ArmInputs:
        """The cases' evidence, beside that of the event which the model has summed already."""
        return ArmInputs(
            prognosis,
            summed(self.assigned, [as_assigned(case, self.treatment) for case in cases]),
            tuple(summed(own, cases) for own in self.effect),
        )

    def chances(self, inputs: ArmInputs) -> Floats:
        """(n, A) chance of being given each arm."""
        if not self.chance.penalty:  # known by design: it depends on nothing
            nothing = np.zeros((len(inputs.prognosis), len(self.chance.means)))
            return self.chance.chance(nothing)
        return self.chance.chance(assigned_columns(inputs, self.presence))

    def worths(self, inputs: ArmInputs) -> Floats:
        """(n, A) worth under each arm; higher is better."""
        columns = effect_columns(inputs, self.presence)
        return self.worth.worth(columns, self.level.levels(columns))

    def values(self, columns: Floats) -> ArmValues:
        """The worth of one case under each arm with its covariance; `columns` are its `effect_columns`."""
        return self.worth.of(columns, float(self.level.levels(columns[None, :])[0]))


def as_assigned(case: Case, treatment: Treatment) -> Case:
    """The case with no more in its record than the choice of an arm may depend on."""
    return Case(known_to_assigner(case.record, treatment), case.index_time, case.label, case.arm, case.part)
