"""Which arm each case is of, and the cases of arms as they are compared: counted from one time zero.

A patient must live to begin an arm. Counting the days until then for the arm that was begun at last would
make every late arm look good (immortal time: Suissa, Am J Epidemiol 2008;167:492). So with a grace period
time zero of the comparison is its END, a landmark (Anderson, J Clin Oncol 1983;1:710): of patients who are
still at risk then, arms are what was begun by then, and days count from then. Who had the outcome or was lost
before is left out, whatever was begun, and counted; what is estimated is of those who reach the landmark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.allocation import Drawn, problem_of_draw
from prognosis.cohort.case import Began, Case, Cohort, Label, OfNoArm, SurvivalLabel
from prognosis.cohort.labels import last_contact
from prognosis.cohort.outcome import Outcome, Response, TimeToEvent
from prognosis.cohort.response import progressed_by
from prognosis.cohort.treatment import IMAGING, TEXT, Treatment
from prognosis.errors import CohortError
from prognosis.record import PatientRecord
from prognosis.record.codes import is_among

BEFORE = "an arm began before the index"
NONE_BEGAN = "no arm began within the grace period"
SEVERAL = "more than one arm began within the grace period"
NONE_BEGAN_AT_ONCE = "no arm began at the index"
SEVERAL_AT_ONCE = "more than one arm began at the index"
NOT_FOLLOWED = "not followed to the end of the grace period"
OUTCOME_FIRST = "outcome within the grace period, before any arm began"
OUTCOME_AFTER = "outcome within the grace period, after {arm} began"
AMBIGUOUS, OF_NONE = "(ambiguous)", "(no arm)"
"""What `arm_counts` names the cases of no arm by; no arm is so named by chance."""
OUTSIDE = frozenset({AMBIGUOUS, OF_NONE})
AGE, SEX = "prognosis|age", "prognosis|sex"
_OUTCOME = "outcome"
_DAY = timedelta(days=1)


def arm_of(
    treatment: Treatment, outcome: Outcome, record: PatientRecord, index: datetime, label: Label | None
) -> Began | OfNoArm:
    """The arm that a case began from the index to the end of the grace period.

    Nothing is guessed: who began two is of neither, and who began one before the index does not begin it now.

    Args:
        treatment: The arms.
        outcome: What is asked.
        record: The FULL record, later facts included.
        index: When the question is asked.
        label: The case's, None where it is not known.
    """
    end = index + treatment.grace_days * _DAY
    begun: dict[str, datetime] = {}
    for event in record.events:
        if event.time > end:
            continue
        for arm in treatment.arms:
            if arm.begun_by(event):
                begun[arm.name] = min(event.time, begun.get(arm.name, event.time))
    if any(time < index for time in begun.values()):
        return OfNoArm(BEFORE)
    left = _left_by(treatment, outcome, record, index, label)
    if left is not None:
        return _before_the_end(left, begun)
    if len(begun) > 1:
        return OfNoArm(SEVERAL if treatment.grace_days else SEVERAL_AT_ONCE, ambiguous=True)
    if begun:
        ((name, time),) = begun.items()
        return Began(name, (time - index) / _DAY)
    of_no_other = treatment.of_no_other
    if of_no_other is not None:
        return Began(of_no_other.name)
    return OfNoArm(NONE_BEGAN if treatment.grace_days else NONE_BEGAN_AT_ONCE)


def _before_the_end(left: str, begun: Mapping[str, datetime]) -> OfNoArm:
    """What is said of a case that was gone by the end: one arm had begun, or its arm will never be known."""
    if left == NOT_FOLLOWED:
        return OfNoArm(NOT_FOLLOWED, ambiguous=len(begun) != 1)
    if len(begun) > 1:
        return OfNoArm(SEVERAL, ambiguous=True)
    if begun:
        return OfNoArm(OUTCOME_AFTER.format(arm=next(iter(begun))))
    return OfNoArm(OUTCOME_FIRST, ambiguous=True)


def _left_by(
    treatment: Treatment, outcome: Outcome, record: PatientRecord, index: datetime, label: Label | None
) -> str | None:
    """Why a case is not there to be compared at the end of the grace period; None where it is."""
    if treatment.grace_days == 0.0:
        return None
    end = index + treatment.grace_days * _DAY
    if isinstance(label, SurvivalLabel):
        if label.days > treatment.grace_days:
            return None
        return NOT_FOLLOWED if label.cause is None else _OUTCOME
    if isinstance(outcome, Response) and progressed_by(outcome, record, index, end):
        return _OUTCOME
    contact = last_contact(record)
    gone = contact is None or contact < end or (isinstance(outcome, TimeToEvent) and contact == end)
    return NOT_FOLLOWED if gone else None


@dataclass(frozen=True, slots=True)
class ArmCohort:
    """Cases whose arm is known, to be compared; all arrays are in the order of the cohort's cases.

    Attributes:
        treatment: What the task says of the arms and their assignment.
        cohort: Days of a time to event count from the end of the grace period; records are as of the index.
        arm: (n,) place of each case's arm in `treatment.arms`; 0 is the reference.
        stratum: (n,) in which the arm was drawn, a place in `strata`; all 0 where no strata are stated.
        strata: Of each stratum the values of `treatment.strata`, "" for what was not recorded.
        left_out: Why cases are not compared, to how many.
    """

    treatment: Treatment
    cohort: Cohort
    arm: NDArray[np.int64]
    stratum: NDArray[np.int64]
    strata: tuple[tuple[str, ...], ...]
    left_out: Counter[str]

    def __len__(self) -> int:
        return len(self.cohort)

    @property
    def clusters(self) -> NDArray[np.str_]:
        """(n,) the patient of each case: two eyes of one are not two draws."""
        return self.cohort.patients

    @property
    def shares(self) -> NDArray[np.float64] | None:
        """(A,) each arm's chance where the task states it; None where it must be estimated."""
        if not self.treatment.shares:
            return None
        return np.array([self.treatment.shares[name] for name in self.treatment.names])

    @property
    def problem(self) -> str:
        """What in the cases contradicts the stated shares or strata; "" where nothing does."""
        return problem_of_draw(Drawn(self.treatment, self.arm, self.stratum, self.strata, self.clusters))


def compared_arms(cohort: Cohort) -> ArmCohort:
    """The cases of a cohort that can be compared by arm.

    Args:
        cohort: Of a task that states `treatment`, every case labelled.

    Raises:
        CohortError: The task states no treatment, a case has no label, an arm has no case, or the cases
            contradict the shares or strata that the task states.
    """
    found = cases_of_arms(cohort)
    if found.problem:
        remedy = "state the shares and strata of the draw as it was, and look for arms that are mixed up"
        raise CohortError(f"cohort of task {cohort.task.name}", found.problem, remedy)
    return found


def cases_of_arms(cohort: Cohort) -> ArmCohort:
    """The same whatever the task states of the draw: to be looked at, not to be compared.

    Raises:
        CohortError: The task states no treatment, a case has no label, or an arm has no case.
    """
    reference = f"cohort of task {cohort.task.name}"
    treatment = cohort.task.treatment
    if treatment is None:
        problem = "does not say how its arms were assigned, and nothing can be said of their effects"
        raise CohortError(reference, problem, "state treatment: arms and assignment")
    if any(case.label is None for case in cohort.cases):
        raise CohortError(reference, "has a case without a label", "build it with labels required")
    kept: list[Case] = []
    arm: list[int] = []
    left_out: Counter[str] = Counter()
    for case in cohort.cases:
        if isinstance(case.arm, Began):
            kept.append(_from_the_end(case, treatment.grace_days))
            arm.append(treatment.names.index(case.arm.arm))
        elif case.arm is not None:
            left_out[case.arm.reason] += 1
    empty = [name for place, name in enumerate(treatment.names) if place not in arm]
    if empty:
        problem = f"has no case of the arm {', '.join(empty)}"
        raise CohortError(reference, problem, "check the arm's codes and values, and the sources")
    values = [_stratum(case, treatment) for case in kept]
    strata = tuple(sorted(set(values)))
    return ArmCohort(
        treatment=treatment,
        cohort=Cohort(cohort.task, tuple(kept), cohort.exclusions),
        arm=np.array(arm, dtype=np.int64),
        stratum=np.array([strata.index(each) for each in values], dtype=np.int64),
        strata=strata,
        left_out=left_out,
    )


def problem_of_arms(cohort: Cohort) -> str:
    """What in a cohort contradicts the shares or strata that its task states; "" where nothing does.

    Of labelled cases alone; "" also where arms cannot be compared for another reason.
    """
    labelled = cohort.where(lambda case: case.label is not None)
    counts = arm_counts(labelled)
    if not counts or not all(count for name, count in counts.items() if name not in OUTSIDE):
        return ""
    return cases_of_arms(labelled).problem


def arm_counts(cohort: Cohort) -> dict[str, int]:
    """How many cases are of each arm, how many are ambiguous, and of none; nothing without arms."""
    treatment = cohort.task.treatment
    if treatment is None:
        return {}
    counts = dict.fromkeys((*treatment.names, AMBIGUOUS, OF_NONE), 0)
    for case in cohort.cases:
        if isinstance(case.arm, Began):
            counts[case.arm.arm] += 1
        elif case.arm is not None:
            counts[AMBIGUOUS if case.arm.ambiguous else OF_NONE] += 1
    return counts


def reasons_of_no_arm(cohort: Cohort) -> Counter[str]:
    """Why cases are of no arm, to how many."""
    return Counter(case.arm.reason for case in cohort.cases if isinstance(case.arm, OfNoArm))


def known_to_assigner(record: PatientRecord, treatment: Treatment) -> PatientRecord:
    """A record with no more in it than the arm's choice may depend on, and never the arm itself.

    Args:
        record: As known at the index.
        treatment: An observational assignment; where `depends_on` is empty all but the arm is kept. A
            randomised one depends on its strata alone.
    """
    allowed = treatment.strata if treatment.assignment == "randomised" else treatment.depends_on
    everything = treatment.assignment == "observational" and not allowed
    return replace(
        record,
        birth_date=record.birth_date if everything or AGE in allowed else None,
        sex=record.sex if everything or SEX in allowed else None,
        events=tuple(
            event
            for event in record.events
            if not is_among(str(event.code), treatment.codes)
            and (everything or is_among(str(event.code), allowed))
        ),
        notes=record.notes if everything or TEXT in allowed else (),
        studies=record.studies if everything or IMAGING in allowed else (),
    )


def _from_the_end(case: Case, grace_days: float) -> Case:
    """The case with the days of its label counted from the end of the grace period."""
    if isinstance(case.label, SurvivalLabel) and grace_days:
        return replace(case, label=replace(case.label, days=case.label.days - grace_days))
    return case


def _stratum(case: Case, treatment: Treatment) -> tuple[str, ...]:
    """The last value at the index of each of the codes that the draw was balanced within."""
    last = dict.fromkeys(treatment.strata, "")
    for event in case.record.events:
        if str(event.code) in last:
            last[str(event.code)] = event.stated
    return tuple(last.values())
