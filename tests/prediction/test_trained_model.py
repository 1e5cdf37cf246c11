"""What a prediction must hold, on a model that learnt from films, notes and laboratory values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prognosis.cohort import Case
from prognosis.evidence import MODALITIES, ModalityEvidence
from prognosis.explanation import explain_case
from prognosis.fusion.inputs import join_modalities
from prognosis.prediction import Prediction, predict, predict_cases
from prognosis.record import Code, Event, Note, PatientRecord
from prognosis.simulate.film import SCANNERS
from prognosis.simulate.films import FilmRecipe, SimulatedFilms
from tests.simulated import Simulated

CRP = Code("http://loinc.org", "1988-5")
DAYS = np.array([180.0, 365.0])


@pytest.fixture(scope="module")
def cases(small: Simulated) -> list[Case]:
    return small.complete[:12]


def without(case: Case, modality: str) -> Case:
    """The case, its record silent in one modality."""
    record = case.record
    if modality == "clinical":
        record = replace(record, events=(), birth_date=None, sex=None)
    elif modality == "text":
        record = replace(record, notes=())
    else:
        record = replace(record, studies=())
    return replace(case, record=record)


def same(one: Prediction, other: Prediction) -> bool:
    """Whether curves and intervals are equal to the last bit."""
    return all(
        np.array_equal(getattr(one, curves)[cause], getattr(other, curves)[cause])
        for curves in ("cumulative_incidence", "low", "high")
        for cause in one.cumulative_incidence
    )


def weighs(small: Simulated, modality: str, cause: str) -> bool:
    """Whether any replicate of the head lets the modality move the cause's log-hazard, averaged over time."""
    place, of_cause = small.model.modalities.index(modality), small.model.task.causes.index(cause)
    beta = small.model.replicates.beta[:, place, of_cause]
    evidence = small.model.background.evidence[place][:, of_cause]
    moved = np.einsum("rb,nb->rn", beta, np.broadcast_to(evidence, (len(evidence), beta.shape[1])))
    return bool(np.abs(moved).max() / beta.shape[1] > 1e-6)


@pytest.mark.parametrize("removed", MODALITIES)
def test_without_any_one_modality_there_is_an_answer_less_sure_that_names_it(
    small: Simulated, cases: list[Case], removed: str
) -> None:
    whole = predict_cases(small.model, cases)
    less = predict_cases(small.model, [without(case, removed) for case in cases])
    for before, after in zip(whole, less, strict=True):
        assert removed in before.modalities_used
        assert removed in after.modalities_missing
        assert not after.modalities_missing.keys() & set(after.modalities_used)
        for cause in small.model.task.causes:
            assert np.isfinite(after.cumulative_incidence[cause]).all()
            grown = after.log_hazard_standard_error[cause] - before.log_hazard_standard_error[cause]
            if weighs(small, removed, cause):
                assert grown > 0
            else:  # what the others are worth without it is recalibrated, never to be surer
                assert grown >= -1e-9


@pytest.mark.parametrize("kept", MODALITIES)
def test_one_modality_alone_is_enough_for_an_answer(small: Simulated, cases: list[Case], kept: str) -> None:
    alone = cases[0]
    for modality in MODALITIES:
        if modality != kept:
            alone = without(alone, modality)
    prediction = predict_cases(small.model, [alone])[0]
    assert prediction.modalities_used == (kept,)
    assert set(prediction.modalities_missing) == set(MODALITIES) - {kept}
    explanation = explain_case(small.model, alone)
    assert {a.modality for a in explanation.attributions} == {kept}
    assert explanation.max_additivity_error <= 1e-6


@settings(max_examples=25)
@given(absent=st.sampled_from(MODALITIES), junk=st.floats(allow_nan=True, allow_infinity=True))
def test_junk_in_an_absent_modality_changes_nothing(small: Simulated, absent: str, junk: float) -> None:
    asked = [without(small.complete[0], absent)]
    summed = {name: evidence.summarise(asked) for name, evidence in small.model.evidence.items()}
    clean = small.model.incidence_of(join_modalities(summed), DAYS)
    empty = summed[absent]
    assert not empty.present.any()
    summed[absent] = ModalityEvidence(
        empty.present,
        np.full_like(empty.evidence, junk),
        np.full_like(empty.vector, junk),
        np.full_like(empty.typical_distance, junk),
        empty.withheld,
    )
    assert np.array_equal(clean, small.model.incidence_of(join_modalities(summed), DAYS))


@settings(max_examples=20)
@given(
    seconds=st.integers(1, 10**8),
    number=st.floats(0, 1e4),
    text=st.sampled_from(["Findings: a large mass.", "Plan: progression is confirmed.", "Died."]),
)
def test_nothing_known_after_the_index_changes_a_prediction(
    small: Simulated, seconds: int, number: float, text: str
) -> None:
    case = small.complete[0]
    whole = next(record for record in small.written if record.patient_id == case.record.patient_id)
    later = case.index_time + timedelta(seconds=seconds)
    told = replace(
        whole,
        events=(*whole.events, Event(later, CRP, number=number, unit="mg/L", source="Observation/later")),
        notes=(*whole.notes, Note(later, text, "progress note", "DocumentReference/later")),
        studies=(*whole.studies, later_film(later)),
    )
    first = predict(small.model, PatientRecord.as_of(whole, case.index_time), case.index_time)
    assert same(first, predict(small.model, whole, case.index_time))
    assert same(first, predict(small.model, told, case.index_time))


def later_film(time):
    lesions = SimulatedFilms()
    recipe = FilmRecipe(lesions=(), scanner=SCANNERS[0], anatomy_seed=1, film_seed=2)
    return lesions.add("later/0", time, recipe)


def test_a_fact_known_at_the_index_does_change_the_prediction(small: Simulated) -> None:
    """The control of the test above: what is known in time is read."""
    case = small.complete[0]
    event = Event(case.index_time, CRP, number=400.0, unit="mg/L", source="Observation/now")
    told = replace(case, record=replace(case.record, events=(*case.record.events, event)))
    first, second = predict_cases(small.model, [case, told])
    assert not same(first, second)
