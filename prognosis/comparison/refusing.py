"""Why arms are not compared for a patient, or why nothing is said of one of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.cohort.treatment import Treatment
from prognosis.comparison.answer import Why
from prognosis.fusion.arms import ArmModel, PairBasis
from prognosis.fusion.arms.columns import ArmInputs
from prognosis.fusion.inputs import FusionInputs
from prognosis.prediction import Prediction
from prognosis.prediction.predictor import OUT_OF_DISTRIBUTION
from prognosis.treatment import Reason
from prognosis.treatment.overlap import LEAST_OVERLAP
from prognosis.treatment.support import LEAST_EFFECTIVE, LEAST_EVENTS

Floats = NDArray[np.float64]

LEAST_LACKING = 0.05
"""Share of the cohort's cases that lacked a modality, below which the choice of an arm in patients without it
was not learned."""
FEWEST_LACKING = 20
"""The same as a number of cases."""


def refusal(arms: ArmModel, case: Case, inputs: ArmInputs, prediction: Prediction) -> Why | None:
    """Why no arm is compared for this patient; None where arms are.

    Args:
        arms: The model's.
        case: The patient at the index.
        inputs: The case's evidence, of it alone.
        prediction: What the model says of the patient's risk.
    """
    far = _furthest(inputs)
    if far:
        return _why(Reason.UNUSUAL, far)
    if prediction.abstained:
        return _why(Reason.ABSTAINED, prediction.abstained_because)
    begun = arm_begun(arms.treatment, case, before=True)
    if begun:
        detail = f"{begun} began before the index: what is asked is which arm to begin at it"
        return _why(Reason.BEGUN, detail)
    if not arms.basis.grounds.modelled:
        detail = "arms were chosen by clinicians, and nothing they went by could be allowed for"
        return _why(Reason.UNMODELLED, detail)
    missing = _missing(arms, inputs.assigned)
    return _why(Reason.MISSING, missing) if missing else None


def withheld(arms: ArmModel, chance: Floats) -> tuple[Why | None, ...]:
    """Arm by arm, why nothing is said of it for a patient with these chances of each."""
    rests_on = arms.basis.grounds
    found = []
    for place, name in enumerate(arms.arms):
        size, events = float(rests_on.effective[place]), int(rests_on.events[place])
        own: Why | None = None
        if size < LEAST_EFFECTIVE:
            detail = (
                f"{name} has an effective {size:.0f} cases in the cohort, of at least {LEAST_EFFECTIVE:.0f}"
            )
            own = _why(Reason.SMALL, detail)
        elif events < LEAST_EVENTS:
            detail = f"{name} has {events} events in the cohort, of at least {LEAST_EVENTS}"
            own = _why(Reason.EVENTS, detail)
        elif chance[place] < LEAST_OVERLAP:
            share = f"{chance[place]:.1%}" if chance[place] >= 0.001 else "less than 0.1%"
            detail = (
                f"of patients like this one {share} were given {name}, below {LEAST_OVERLAP:.0%}: what it "
                "would do is not known from such patients"
            )
            own = _why(Reason.OVERLAP, detail)
        found.append(own)
    return tuple(found)


def unrecorded(arms: ArmModel, basis: PairBasis) -> Why | None:
    """Why neither arm of an observational cohort is better, although their difference is not 0.

    Where effects were not shown to vary between patients, what is said of one rests on the average: an
    unrecorded cause must not be able to explain that away without being tied to arm or outcome at all.
    """
    randomised = arms.treatment.assignment == "randomised"
    if randomised or not arms.worth.alike or (basis.e_value is not None and basis.e_value[1] > 1.0):
        return None
    detail = (
        f"the arms were chosen, and over the cohort the interval of the ratio of {basis.arm} to "
        f"{basis.reference} holds 1: even a weak unrecorded cause could explain their difference"
    )
    return _why(Reason.UNRECORDED, detail)


def impossible(worth: Floats, highest: float | None) -> Why | None:
    """Why an estimate is none: no level of the arms makes all of them possible."""
    if highest is None or (worth.min() >= 0.0 and worth.max() <= highest):
        return None
    detail = (
        "the arms are estimated to differ by more than is possible: the patient is beyond what was learned"
    )
    return _why(Reason.POSSIBLE, detail)


def arm_begun(treatment: Treatment, case: Case, *, before: bool) -> str:
    """The arm that an event of the record began, before the index or at it; "" where none did."""
    for event in case.record.events:
        if (event.time < case.index_time) is before:
            for arm in treatment.arms:
                if arm.begun_by(event):
                    return arm.name
    return ""


def _furthest(inputs: ArmInputs) -> str:
    every = [inputs.prognosis, inputs.assigned, *inputs.effect]
    for own in every:
        for place, name in enumerate(() if own is None else own.modalities):
            distance = 0.0 if own is None else float(own.distance[0, place])
            if distance > OUT_OF_DISTRIBUTION:
                return (
                    f"{name} is unlike anything in the cohort (distance {distance:.1f} x the 99th percentile)"
                )
    return ""


def _missing(arms: ArmModel, assigned: FusionInputs | None) -> str:
    for place, name in enumerate(() if assigned is None else assigned.modalities):
        share = arms.basis.lacking[name]
        few = share < LEAST_LACKING or share * arms.basis.cases < FEWEST_LACKING
        if assigned is not None and not assigned.present[0, place] and few:
            return (
                f"in the cohort the choice of an arm went by {name} too, which this patient lacks and "
                f"{share:.1%} of the cohort's patients lacked: how arms are chosen without it was not learned"
            )
    return ""


def _why(reason: Reason, detail: str) -> Why:
    return Why(str(reason), detail)
