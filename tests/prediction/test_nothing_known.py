"""A date before anything was known is no ground for a risk, though the patient's age is known."""

from datetime import UTC, datetime

import prognosis
from tests.simulated import Simulated


def test_before_the_first_fact_of_a_record_no_risk_is_given(small: Simulated) -> None:
    record = small.cohort.cases[0].record
    prediction = prognosis.predict(small.model, record, datetime(2000, 1, 1, tzinfo=UTC))
    assert prediction.abstained
    assert not prognosis.predict(small.model, record).abstained
