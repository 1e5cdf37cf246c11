"""When nothing is said of a treatment, and the reason that is given: one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from prognosis.cohort import Case
from prognosis.cohort.arms import known_to_assigner
from prognosis.cohort.case import OfNoArm
from prognosis.comparison.answer import TreatmentAnswer, Why
from prognosis.comparison.treat import treat_cases
from prognosis.errors import ScopeError
from prognosis.record import PatientRecord
from prognosis.treatment import Reason
from tests.cohort.builders import DAY_ZERO, DEATH, event, patient
from tests.comparison.conftest import Treated
from tests.comparison.worlds import (
    GRADED,
    VALUED,
    Worlds,
    arm_of,
    as_it_is,
    assessed,
    classed,
    died,
    drawn_in,
    lost,
    new_only,
    of_kind,
    shares_of,
    unmodelled,
    with_basis,
    without_laboratory,
)
from tests.treated import NEW, RARE, USUAL


@pytest.fixture(scope="module")
def worlds(drawn: Treated, chosen: Treated) -> Worlds:
    return Worlds(drawn, chosen)


REFUSED: dict[str, tuple[Callable[[Worlds], Why | None], Reason, str]] = {
    "unlike anything in the cohort": (
        lambda w: w.of(w.drawn, event(0, "lab|sickness", 400.0, "mg/dL")),
        Reason.UNUSUAL,
        "clinical is unlike anything in the cohort",
    ),
    "nothing known": (
        lambda w: treat_cases(w.drawn.model, [Case(patient("nobody"), DAY_ZERO)])[0].refused,
        Reason.ABSTAINED,
        "none of the model's modalities is in the record",
    ),
    "the outcome came already": (
        lambda w: w.of(w.drawn, event(-3, DEATH)),
        Reason.ABSTAINED,
        "death is already in the record",
    ),
    "the arm asked about began before": (
        lambda w: w.of(w.drawn, event(-3, "rx|new")),
        Reason.BEGUN,
        "new drug began before the index",
    ),
    "asked a week after the arm began": (
        lambda w: w.of(w.drawn, event(0, "rx|new"), day=7.0),
        Reason.BEGUN,
        "new drug began before the index",
    ),
    "another arm began before": (
        lambda w: w.of(w.drawn, event(-30, "rx|rare")),
        Reason.BEGUN,
        "rare drug began before the index",
    ),
    "no note, by which arms were chosen": (
        lambda w: w.of(w.chosen, note=""),
        Reason.MISSING,
        "the choice of an arm went by text too",
    ),
    "no laboratory value, by which arms were chosen": (
        without_laboratory,
        Reason.MISSING,
        "the choice of an arm went by clinical too",
    ),
    "chosen by nothing that was read": (
        unmodelled,
        Reason.UNMODELLED,
        "arms were chosen by clinicians",
    ),
    "nobody was given an arm": (
        lambda w: w.at_training(w.drawn, new_only),
        Reason.NOT_COMPARED,
        "has no case of the arm usual care, rare drug",
    ),
    "nobody was given any arm": (
        lambda w: w.at_training(w.drawn, lambda case: replace(case, arm=OfNoArm("none"))),
        Reason.NOT_COMPARED,
        "has no case of the arm",
    ),
    "counts that the stated shares make impossible": (
        lambda w: w.at_training(w.drawn, as_it_is, treatment=shares_of({USUAL: 0.98, NEW: 0.01, RARE: 0.01})),
        Reason.NOT_COMPARED,
        "contradicts the stated shares",
    ),
    "drawn in strata that nobody is of": (
        lambda w: w.at_training(w.drawn, as_it_is, treatment=drawn_in("lab|never-measured")),
        Reason.NOT_COMPARED,
        "has no case with lab|never-measured",
    ),
    "an arm without five events": (
        lambda w: w.at_training(
            w.drawn, lambda case: lost(case, USUAL, 700.0) if arm_of(case) == USUAL else case
        ),
        Reason.NOT_COMPARED,
        "arm usual care has 0 events",
    ),
    "nobody of an arm followed to any horizon": (
        lambda w: w.at_training(w.drawn, lambda case: died(case, 100.0) if arm_of(case) == NEW else case),
        Reason.NOT_COMPARED,
        "nobody followed beyond day",
    ),
    "an outcome that does not say what is better": (
        lambda w: w.at_training(w.drawn, lambda case: classed(case, "large"), outcome=of_kind(**VALUED)),
        Reason.NOT_COMPARED,
        "does not say what is better",
    ),
    "a response of three classes": (
        lambda w: w.at_training(
            w.drawn,
            lambda case: classed(case, "none"),
            outcome=of_kind(**GRADED, classes={"0": "none", "1": "some", "2": "all"}),
        ),
        Reason.NOT_COMPARED,
        "has 3 classes of response",
    ),
    "an arm with few assessed responses": (
        lambda w: w.at_training(
            w.drawn,
            assessed,
            outcome=of_kind(**GRADED, classes={"0": "none", "1": "some"}),
        ),
        Reason.NOT_COMPARED,
        "assessed responses, of at least 10",
    ),
    "a case whose outcome is not known": (
        lambda w: w.at_training(w.drawn, lambda case: replace(case, label=None)),
        Reason.NOT_COMPARED,
        "has a case without a label",
    ),
}


@pytest.mark.parametrize("named", REFUSED)
def test_no_arm_is_compared_and_the_reason_is_given(worlds: Worlds, named: str) -> None:
    ask, reason, detail = REFUSED[named]
    why = ask(worlds)
    assert why is not None
    assert why.reason == reason
    assert detail in why.detail


WITHHELD: dict[str, tuple[Callable[[Worlds], TreatmentAnswer], str, Reason, str]] = {
    "a tiny arm": (
        lambda w: w.answer(w.drawn.model),
        RARE,
        Reason.SMALL,
        "rare drug has an effective 30 cases in the cohort, of at least 40",
    ),
    "an arm with few events": (
        lambda w: w.answer(
            with_basis(w.drawn.model, effective=np.full(3, 90.0), events=np.array([90, 90, 9]))
        ),
        RARE,
        Reason.EVENTS,
        "rare drug has 9 events in the cohort, of at least 10",
    ),
    "an arm that such patients did not get": (
        lambda w: w.answer(
            w.chosen.model, event(0, "lab|sickness", -3.0, "mg/dL"), note="Comfortable at rest."
        ),
        NEW,
        Reason.OVERLAP,
        "below 5%",
    ),
    "an arm that all such patients got": (
        lambda w: w.answer(
            w.chosen.model, event(0, "lab|sickness", 3.0, "mg/dL"), note="Breathless at rest."
        ),
        USUAL,
        Reason.OVERLAP,
        "were given usual care",
    ),
}


@pytest.mark.parametrize("named", WITHHELD)
def test_nothing_is_said_of_such_an_arm_nor_of_its_differences(worlds: Worlds, named: str) -> None:
    ask, arm, reason, detail = WITHHELD[named]
    answer = ask(worlds)
    assert answer.refused is None
    said = answer.arm(arm)
    assert said.withheld is not None
    assert said.withheld.reason == reason
    assert detail in said.withheld.detail
    assert (said.worth, said.curve, said.risks) == (None, None, ())
    for contrast in answer.contrasts:
        if arm in (contrast.arm, contrast.reference):
            assert (contrast.difference, contrast.ratio, contrast.explanation) == (None, None, None)
            assert contrast.undecided == said.withheld
    assert answer.better == ""
    assert any(other.worth is not None for other in answer.arms)


def test_a_refused_answer_holds_no_number_of_the_patient(worlds: Worlds) -> None:
    answer = worlds.answer(worlds.drawn.model, event(-3, "rx|new"))
    assert answer.contrasts == ()
    assert [arm.worth for arm in answer.arms] == [None, None, None]
    assert {arm.withheld for arm in answer.arms} == {answer.refused}
    assert answer.better == ""
    assert answer.undecided == answer.refused


def test_a_model_that_compares_no_arms_says_so(worlds: Worlds) -> None:
    with pytest.raises(ScopeError, match="compares no arms"):
        worlds.answer(replace(worlds.drawn.model, arms=None))


def test_a_horizon_that_no_follow_up_reaches_is_named_with_the_reason(worlds: Worlds) -> None:
    answer = worlds.answer(worlds.drawn.model)
    assert answer.horizon_days == 365.0
    assert dict(answer.unanswered) == {3000.0: "arm usual care has nobody followed beyond day 3000"}
    assert [risk.days for risk in answer.arm(NEW).risks] == [180.0, 365.0]


def test_an_estimate_beyond_what_is_possible_is_refused(worlds: Worlds) -> None:
    arms = worlds.drawn.arms
    further = arms.worth.coefficients.copy()
    further[1:, 0] += 5000.0
    model = replace(worlds.drawn.model, arms=replace(arms, worth=replace(arms.worth, coefficients=further)))
    why = worlds.answer(model).refused
    assert why is not None
    assert why.reason == Reason.POSSIBLE


def test_the_reason_is_told_without_anything_of_the_patient_in_it(worlds: Worlds) -> None:
    """The patient's own value, 400, and words are in no refusal."""
    for ask, *_ in REFUSED.values():
        why = ask(worlds)
        assert why is not None
        assert "400" not in why.detail
        assert "at rest" not in why.detail


def test_what_the_choice_may_depend_on_holds_no_arm(worlds: Worlds) -> None:
    treatment = worlds.chosen.cohort.task.treatment
    assert treatment is not None
    record: PatientRecord = next(case.record for case in worlds.chosen.cohort.cases if arm_of(case) == NEW)
    left = known_to_assigner(record, treatment)
    assert len(left.events) < len(record.events)
    assert not any(str(each.code).startswith("rx|") for each in left.events)
    assert worlds.of(worlds.chosen, event(0, "rx|new")) is None
