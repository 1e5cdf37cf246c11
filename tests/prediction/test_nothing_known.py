"""A date before anything was known is no ground for a risk, though the patient's age is known."""

from dataclasses import replace
from datetime import UTC, datetime

import prognosis
from tests.simulated import Simulated


def test_before_the_first_fact_of_a_record_no_risk_is_given(small: Simulated) -> None:
    record = small.cohort.cases[0].record
    prediction = prognosis.predict(small.model, record, datetime(2000, 1, 1, tzinfo=UTC))
    assert prediction.abstained
    assert not prognosis.predict(small.model, record).abstained


def test_who_trained_the_model_is_told_that_the_risk_is_too_sure(small: Simulated) -> None:
    known = small.cohort.cases[0].record
    stranger = replace(known, patient_id="never seen")
    said = [prognosis.predict(small.model, record).cautions for record in (known, stranger)]
    assert [any("trained on this patient" in caution for caution in own) for own in said] == [True, False]
