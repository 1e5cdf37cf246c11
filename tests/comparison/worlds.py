"""Patients that are asked about, and cohorts that are changed, in the table of refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from prognosis.cohort import Case, Cohort, Task
from prognosis.cohort.case import Began, ClassLabel, SurvivalLabel
from prognosis.cohort.treatment import Treatment
from prognosis.comparison.answer import TreatmentAnswer, Why
from prognosis.comparison.treat import treat_cases
from prognosis.fusion import FusionModel
from prognosis.fusion.arms import ArmModel, ArmsRefused, fit_arms
from tests.cohort.builders import DAY_ZERO, event, on, patient
from tests.comparison.conftest import Treated
from tests.treated import CONFIG, NEW, RARE, USUAL, treated_task


@dataclass(frozen=True, slots=True)
class Worlds:
    """The fitted cohorts, and short ways to ask."""

    drawn: Treated
    chosen: Treated

    def of(
        self, world: Treated, *events: Any, note: str = "Comfortable at rest.", day: float = 0.0
    ) -> Why | None:
        """Why no arm is compared for a patient with these facts beside the usual ones."""
        return self.answer(world.model, *events, note=note, day=day).refused

    def answer(
        self, model: FusionModel, *events: Any, note: str = "Comfortable at rest.", day: float = 0.0
    ) -> TreatmentAnswer:
        """What is said of such a patient."""
        facts = [event(0, "lab|sickness", 0.1, "mg/dL"), event(0, "lab|modifier", 0.1, "mg/dL")]
        named = {str(each.code) for each in events}
        own = [*(each for each in facts if str(each.code) not in named), *events]
        record = patient("asked", own, [(0.0, note)] if note else [])
        return treat_cases(model, [Case(record.as_of(on(day)), on(day))])[0]

    def at_training(self, world: Treated, change: Callable[[Case], Case], **task: Any) -> Why | None:
        """Why the arms of a changed cohort cannot be compared at all."""
        cohort = world.cohort
        asked = cohort.task.model_copy(update=task) if task else cohort.task
        changed = Cohort(asked, tuple(change(case) for case in cohort.cases))
        found = fit_arms(changed, CONFIG, world.evidence)
        assert isinstance(found, ArmsRefused)
        return self.answer(replace(world.model, arms=found)).refused


def with_basis(model: FusionModel, **grounds: Any) -> FusionModel:
    """The model with another count behind it."""
    arms = model.arms
    assert isinstance(arms, ArmModel)
    basis = replace(arms.basis, grounds=replace(arms.basis.grounds, **grounds))
    return replace(model, arms=replace(arms, basis=basis))


def as_it_is(case: Case) -> Case:
    return case


def shares_of(shares: dict[str, float]) -> Treatment | None:
    """The trial with stated shares."""
    return treated_task(rare=True, shares=shares).treatment


def drawn_in(code: str) -> Treatment | None:
    """The trial with one code that its arms are said to be drawn within."""
    return treated_task(rare=True, strata=[code]).treatment


def died(case: Case, day: float) -> Case:
    return replace(case, label=SurvivalLabel("death", day))


def lost(case: Case, arm: str, day: float) -> Case:
    return replace(case, label=SurvivalLabel(None, day)) if case.arm == Began(arm, None) else case


def given(case: Case, arm: str) -> Case:
    return replace(case, arm=Began(arm))


def classed(case: Case, name: str) -> Case:
    return replace(case, label=ClassLabel(name))


def of_kind(**outcome: Any) -> Any:
    """An outcome of another kind."""
    stated = treated_task(rare=True).model_dump(mode="json")
    return Task.from_statement({**stated, "outcome": outcome}, "refusals").outcome


def new_only(case: Case) -> Case:
    return given(case, NEW)


def arm_of(case: Case) -> str:
    return case.arm.arm if isinstance(case.arm, Began) else ""


def assessed(case: Case) -> Case:
    """A response of every case; the rare drug is left to the first patients alone."""
    rare = case.record.patient_id < "t0-0006"
    named = RARE if rare else USUAL if arm_of(case) == RARE else arm_of(case)
    return given(classed(case, "some" if case.record.patient_id[-1] in "02468" else "none"), named)


def without_laboratory(worlds: Worlds) -> Why | None:
    record = patient("asked", [], [(0.0, "Comfortable at rest.")])
    return treat_cases(worlds.chosen.model, [Case(record, DAY_ZERO)])[0].refused


def unmodelled(worlds: Worlds) -> Why | None:
    """The task says that arms were chosen by a code that nobody has."""
    treatment = treated_task(assignment="observational", depends_on=["lab|never-measured"]).treatment
    cohort = worlds.chosen.cohort
    asked = cohort.task.model_copy(update={"treatment": treatment})
    found = fit_arms(Cohort(asked, cohort.cases), CONFIG, worlds.chosen.evidence)
    assert not isinstance(found, ArmsRefused)
    return worlds.answer(replace(worlds.chosen.model, arms=found.model)).refused


GRADED = {"kind": "response", "code": "grade|x", "within_days": 90}
VALUED = {"kind": "value", "code": "grade|x", "classes": {"a": "small", "b": "large"}, "within_days": 90}
