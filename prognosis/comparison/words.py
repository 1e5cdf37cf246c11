"""What is assumed and what to be careful of, in plain sentences."""

from __future__ import annotations

from prognosis.cohort import Case, Task
from prognosis.cohort.outcome import State
from prognosis.comparison.refusing import arm_begun
from prognosis.fusion.arms import ArmModel
from prognosis.prediction import Prediction
from prognosis.treatment.overlap import LARGEST_IMBALANCE


def worth_in_words(task: Task, event: str, horizon_days: float | None) -> str:
    """What is counted under each arm; higher is better."""
    if horizon_days is None:
        return f"probability of no {event}" if isinstance(task.outcome, State) else f"probability of {event}"
    if len(task.causes) > 1:
        return f"days of the first {horizon_days:,.0f} not lost to {event}"
    return f"days of the first {horizon_days:,.0f} free of {event}"


def ratio_in_words(event: str, horizon_days: float | None) -> str:
    """What a ratio of two arms is of, and which way is better."""
    if horizon_days is None:
        return f"probability of {event}, higher is better"
    return f"risk of {event} by {horizon_days:,.0f} days, lower is better"


def assumptions(task: Task, arms: ArmModel) -> tuple[str, ...]:
    """What must hold for the numbers to mean what they say."""
    stated = []
    if arms.treatment.assignment == "randomised":
        stated.append("In the cohort arms were drawn by chance; no choice had to be allowed for.")
    else:
        stated.append(
            "Whatever made somebody choose an arm and also changes the outcome is among what the model read; "
            "no data can show that. The E-value says how strong an unrecorded cause would have to be."
        )
        stated.append("Every patient for whom arms are compared could have been given each of them.")
    grace = arms.treatment.grace_days
    begun = f"begun within {grace:g} days of the index" if grace else "begun at the index"
    stated.append(f"An arm is what it was in the cohort: {begun}, whatever came afterwards.")
    if grace:
        stated.append(
            f"Days count from {grace:g} days after the index, of patients who are free of the event by then."
        )
    if arms.horizon_days is None:
        stated.append("Patients whose outcome was not assessed are taken to be like the others.")
    else:
        stated.append("Patients lost from sight fared as those who were followed, given what the model read.")
        if len(task.causes) > 1:
            others = ", ".join(name for name in task.causes if name != arms.event)
            stated.append(f"Competing causes stay as they were under each arm: {others}.")
    stated.append(
        "An interval is of the mean over patients whose evidence is like this one's: two of them may fare "
        "differently."
    )
    stated.append("This patient is like those of the cohort in all that the model did not read.")
    return tuple(stated)


def cautions(arms: ArmModel, case: Case, prediction: Prediction, *, seen: bool) -> tuple[str, ...]:
    """What to read the numbers with care for; `seen`: the model was trained on the patient."""
    found = list(prediction.cautions)
    begun = arm_begun(arms.treatment, case, before=False)
    if seen and not begun:
        found.append(
            "the model learned risks from this patient, but not what arms do: none of them began at the index"
        )
    if begun:
        found.append(
            f"{begun} has begun at the index already: what is said of the other arms is what to expect had "
            "one of them been begun instead"
        )
    for name, why in prediction.modalities_missing.items():
        found.append(f"{name} is missing ({why}): what is said is of patients of whom it is not known")
    if arms.worth.alike:
        found.append(
            "the cohort does not show that the arms' difference varies between patients other than with "
            "their prognosis"
        )
    after = arms.basis.imbalance[1]
    if arms.treatment.assignment == "observational" and after > LARGEST_IMBALANCE:
        found.append(f"after weighting the arms still differ by up to {after:.2f} standard deviations")
    if arms.basis.held_down > 0.0:
        share = arms.basis.held_down
        found.append(f"the weights of {share:.1%} of the cohort's cases were held down: they had few alike")
    return tuple(found)
