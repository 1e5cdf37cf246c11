"""Windows say what a clinician would read off the chart."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from prognosis.evidence.clinical.concepts import learn_vocabulary
from prognosis.evidence.clinical.windows import table_columns, window_table
from prognosis.record import Code, Event
from tests.evidence.clinical.cohorts import CRP, DIABETES, INDEX, SMEAR, case_of, laboratory

_DIABETES = Event(INDEX - timedelta(days=200), DIABETES, source="Condition/d")
_SMEAR = Event(INDEX - timedelta(days=5), SMEAR, text="positive", source="Observation/s")


def _table(events: list[Event], training: list[Event]) -> tuple[dict[tuple[str, str, float], float], str]:
    vocabulary = learn_vocabulary([case_of(training)], frozenset({"http://loinc.org|9-9"}), 1, 20)
    columns = table_columns(vocabulary, (30.0, 365.0))
    table = window_table([case_of(events)], vocabulary, columns)
    named = {
        (vocabulary.concepts[c.concept].code.rpartition("|")[2], c.statistic, c.window_days): float(v)
        for c, v in zip(columns, table.values[0], strict=True)
    }
    return named, table.withheld[0]


def test_statistics_of_each_window_rest_on_the_values_inside_it() -> None:
    events = [laboratory(10.0, 400.0), laboratory(20.0, 100.0), laboratory(40.0, 10.0)]
    table, _ = _table(events, events)
    assert table["1988-5", "last", np.inf] == 40.0
    assert table["1988-5", "mean", np.inf] == pytest.approx(70.0 / 3.0)
    assert table["1988-5", "mean", 365.0] == 30.0
    assert table["1988-5", "max", 30.0] == 40.0
    assert table["1988-5", "count", 365.0] == 2.0
    assert table["1988-5", "slope", 365.0] == pytest.approx(20.0 / 90.0)
    assert np.isnan(table["1988-5", "slope", 30.0])
    assert table["1988-5", "days_since", np.inf] == pytest.approx(10.0)


def test_a_slope_is_that_of_the_least_squares_line() -> None:
    rng = np.random.default_rng(0)
    days, values = rng.uniform(0.0, 300.0, 7), rng.normal(50.0, 9.0, 7)
    events = [laboratory(float(v), float(d)) for v, d in zip(values, days, strict=True)]
    table, _ = _table(events, events)
    assert table["1988-5", "slope", np.inf] == pytest.approx(np.polyfit(-days, values, 1)[0])


def test_a_value_below_the_limit_uses_the_limit_and_says_so() -> None:
    limited = Event(INDEX, CRP, number=2.0, comparator="<", unit="mg/L", source="Observation/x")
    table, _ = _table([limited], [limited])
    assert table["1988-5", "last", np.inf] == 2.0
    assert table["1988-5", "limit", np.inf] == 1.0


def test_an_unseen_unit_is_not_used_and_is_reported() -> None:
    table, withheld = _table([laboratory(0.5, 3.0, unit="g/L")], [laboratory(10.0, 3.0)])
    assert np.isnan(table["1988-5", "last", np.inf])
    assert table["1988-5", "not_measured", np.inf] == 1.0
    assert "unit g/L not seen in training" in withheld


def test_an_unseen_text_counts_as_not_measured() -> None:
    strange = Event(INDEX, SMEAR, text="scanty", source="Observation/s")
    table, withheld = _table([strange], [_SMEAR])
    assert np.isnan(table["11545-1", "is", np.inf])
    assert table["11545-1", "not_measured", np.inf] == 1.0
    assert "value not seen in training" in withheld


def test_a_condition_is_counted_and_dated() -> None:
    table, _ = _table([_DIABETES], [_DIABETES])
    assert table["44054006", "not_measured", np.inf] == 0.0
    assert table["44054006", "count", 365.0] == 1.0
    assert table["44054006", "count", 30.0] == 0.0
    assert table["44054006", "days_since", np.inf] == pytest.approx(200.0)


def test_excluded_and_bookkeeping_codes_are_never_read() -> None:
    hidden = [
        Event(INDEX, Code("http://loinc.org", "9-9"), number=1.0),
        Event(INDEX, Code("prognosis", "index")),
        Event(INDEX, Code("prognosis", "follow-up-complete")),
        Event(INDEX, Code("outcome", "death"), text="dead"),
    ]
    table, withheld = _table(hidden, [*hidden, _DIABETES])
    assert {code for code, _, _ in table} == {"44054006", "age", "sex"}
    assert withheld == ""


def test_an_event_after_the_index_changes_nothing() -> None:
    later = laboratory(500.0, -1.0)
    before = [laboratory(10.0, 3.0)]
    with_later, _ = _table([*before, later], before)
    without, _ = _table(before, before)
    np.testing.assert_array_equal(list(with_later.values()), list(without.values()))


@pytest.mark.parametrize("number", [1e300, np.inf, np.nan])
def test_a_number_that_no_measurement_reaches_is_not_used_and_is_reported(number: float) -> None:
    table, withheld = _table([laboratory(12.0, 9.0), laboratory(number, 2.0)], [laboratory(1.0, 1.0)])
    assert table["1988-5", "last", np.inf] == 12.0
    assert table["1988-5", "count", np.inf] == 1.0
    assert f"{number:g} is beyond" in withheld
