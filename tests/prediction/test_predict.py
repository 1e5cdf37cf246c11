"""What a prediction must hold whatever the record says."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import prognosis
from prognosis.errors import InputError
from prognosis.evidence import ModalityEvidence
from prognosis.fusion.inputs import join_modalities
from prognosis.fusion.model import FusionModel
from prognosis.prediction import predict, predict_cases
from prognosis.prediction.predictor import case_of
from prognosis.record import Code, Event, ImagingStudy, PatientRecord
from tests.fakes.additive_evidence import INDEX, MODALITIES, random_values, written_case, written_model

MODEL = written_model()
values = st.floats(-3, 3)
records = st.fixed_dictionaries(
    {"clinical": st.lists(values, min_size=1, max_size=3)},
    optional={
        "text": st.lists(values, min_size=1, max_size=3),
        "imaging": st.lists(values, min_size=1, max_size=3),
    },
)


@given(written=records)
def test_cumulative_incidences_never_fall_and_sum_to_at_most_one(written):
    prediction = predict_cases(MODEL, [written_case(0, written)])[0]
    curves = np.stack(list(prediction.cumulative_incidence.values()))
    assert (np.diff(curves, axis=1) >= -1e-12).all()
    assert (curves.sum(axis=0) <= 1 + 1e-9).all()


@given(written=records)
def test_the_interval_holds_the_estimate(written):
    prediction = predict_cases(MODEL, [written_case(0, written)])[0]
    for cause, curve in prediction.cumulative_incidence.items():
        assert (prediction.low[cause] <= curve).all()
        assert (curve <= prediction.high[cause]).all()


@given(written=records, later=values, code=st.sampled_from(MODALITIES))
def test_an_event_after_the_index_changes_nothing(written, later, code):
    record = written_case(0, written).record
    after = Event(
        INDEX + timedelta(seconds=1), Code(code, f"{code}-9"), number=later, source="Observation/late"
    )
    told = replace(record, events=(*record.events, after))
    first, second = predict(MODEL, record, INDEX), predict(MODEL, told, INDEX)
    for cause in MODEL.task.causes:
        assert np.array_equal(first.cumulative_incidence[cause], second.cumulative_incidence[cause])
        assert np.array_equal(first.low[cause], second.low[cause])


@given(absent=st.sampled_from(MODALITIES), junk=st.floats(allow_nan=True, allow_infinity=True))
def test_junk_in_an_absent_modality_changes_nothing(absent, junk):
    case = written_case(0, {name: [0.4] for name in MODALITIES if name != absent})
    summed = {name: evidence.summarise([case]) for name, evidence in MODEL.evidence.items()}
    clean = MODEL.incidence_of(join_modalities(summed), np.array([100.0, 300.0]))
    empty = summed[absent]
    summed[absent] = ModalityEvidence(
        empty.present,
        np.full_like(empty.evidence, junk),
        np.full_like(empty.vector, junk),
        np.array([junk]),
        ("",),
    )
    assert np.array_equal(clean, MODEL.incidence_of(join_modalities(summed), np.array([100.0, 300.0])))


@pytest.mark.parametrize("removed", MODALITIES)
def test_without_a_modality_there_is_still_an_answer_with_a_wider_interval_that_names_it(removed):
    rng = np.random.default_rng(5)
    wider_risk = []
    for number in range(40):
        full = random_values(rng, share_present=1.0)
        less = {name: own for name, own in full.items() if name != removed}
        with_all = predict_cases(MODEL, [written_case(number, full)])[0]
        without = predict_cases(MODEL, [written_case(number, less)])[0]
        assert removed in without.modalities_missing
        assert removed in with_all.modalities_used
        for cause in MODEL.task.causes:
            assert without.log_hazard_standard_error[cause] > with_all.log_hazard_standard_error[cause]
        first, second = with_all.at(300), without.at(300)
        wider_risk.append(second.high - second.low > first.high - first.low)
    assert np.mean(wider_risk) > 0.9


def test_the_missing_modality_that_moves_patients_most_would_help_most():
    prediction = predict_cases(MODEL, [written_case(0, {"clinical": [0.1]})])[0]
    spread = {
        name: MODEL.background.evidence[place][MODEL.background.present[:, place], 0].std()
        for place, name in enumerate(MODEL.modalities)
        if name != "clinical"
    }
    assert prediction.helps_most in spread


def test_a_record_without_any_modality_gets_no_answer_but_the_reason():
    prediction = predict(MODEL, PatientRecord("empty", site="test"), INDEX)
    assert prediction.abstained
    assert "none of the model's modalities" in prediction.abstained_because


def test_an_interval_wider_than_the_task_allows_is_a_reason_to_abstain():
    narrow = replace(MODEL, task=MODEL.task.model_copy(update={"widest_interval": 0.01}))
    prediction = predict_cases(narrow, [written_case(0, {"clinical": [0.1]})])[0]
    assert "wide, above the task's limit" in prediction.abstained_because


def test_an_empty_record_without_an_index_time_is_refused():
    with pytest.raises(InputError, match="index time"):
        predict(MODEL, PatientRecord("empty", site="test"))


def test_the_same_record_gives_the_same_answer_twice_and_alone_or_among_others():
    rng = np.random.default_rng(2)
    cases = [written_case(number, random_values(rng)) for number in range(12)]
    together = predict_cases(MODEL, cases)
    for case, among in zip(cases, together, strict=True):
        alone = predict_cases(MODEL, [case])[0]
        for cause in MODEL.task.causes:
            assert np.allclose(
                alone.cumulative_incidence[cause], among.cumulative_incidence[cause], atol=1e-12
            )
            assert np.allclose(alone.low[cause], among.low[cause], atol=1e-12)


def test_a_risk_beyond_the_observed_time_is_refused():
    prediction = predict_cases(MODEL, [written_case(0, {"clinical": [0.1]})])[0]
    with pytest.raises(InputError, match="outside the predicted time"):
        prediction.at(1e6)
    with pytest.raises(InputError, match="not predicted"):
        prediction.at(10, "relapse")


def test_the_public_names_load_without_torch():
    assert isinstance(MODEL, FusionModel)
    assert set(dir(prognosis)) >= {"load", "predict", "explain", "train", "evaluate", "Task", "build_cohort"}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = prognosis.nonsense


def test_a_record_out_of_time_order_is_asked_about_in_order():
    films = tuple(ImagingStudy(INDEX - timedelta(days=day), f"1.{day}") for day in (90, 30, 0))
    record = replace(written_case(0, {"clinical": [0.1, 0.2]}).record, studies=films)
    turned = replace(record, events=record.events[::-1], studies=films[::-1])
    assert case_of(turned, INDEX).record.studies == films
    assert case_of(turned).index_time == case_of(record).index_time == INDEX


def test_an_index_time_without_a_time_zone_is_refused_by_name():
    record = written_case(0, {"clinical": [0.1]}).record
    with pytest.raises(InputError, match="names no time zone"):
        predict(MODEL, record, INDEX.replace(tzinfo=None))
    with pytest.raises(InputError, match="names no time zone"):
        prognosis.explain(MODEL, record, INDEX.replace(tzinfo=None))
