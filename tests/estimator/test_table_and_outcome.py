"""Tables and outcomes that cannot be used are refused by the column's name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognosis.errors import InputError
from prognosis.estimator.outcome import read_outcome
from prognosis.estimator.table import learn_layout, table_cases

GOOD = pd.DataFrame({"age": [60.0, np.nan], "smoker": [True, False], "arm": ["a", None]})


def test_a_cell_is_an_event_and_a_missing_cell_is_none() -> None:
    first, second = table_cases(GOOD, learn_layout(GOOD))
    assert [(e.code.value, e.number, e.text) for e in first.record.events] == [
        ("age", 60.0, None),
        ("smoker", 1.0, None),
        ("arm", None, "a"),
    ]
    assert [event.code.value for event in second.record.events] == ["smoker"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.Series([1, None], dtype="Int64"), "number"),
        (pd.Series([True, None], dtype="boolean"), "number"),
        (pd.Series([1, None], dtype=object), "number"),
        (pd.Series([1, 2], dtype="category"), "text"),
        (pd.Series(["x", None], dtype="string"), "text"),
        (pd.Series(["x", 1], dtype=object), "text"),
        (pd.Series([None, None], dtype=object), "text"),
    ],
)
def test_the_kind_of_a_column_follows_its_type(column: pd.Series, kind: str) -> None:
    assert learn_layout(pd.DataFrame({"c": column})).kinds == (kind,)


def test_a_category_of_numbers_is_the_same_text_with_and_without_gaps() -> None:
    whole = pd.DataFrame({"c": pd.Series([1, 2], dtype="category")})
    gap = pd.DataFrame({"c": pd.Series([1.0, None], dtype="category")})
    (first, _), (other, _) = (table_cases(f, learn_layout(whole)) for f in (whole, gap))
    assert first.record.events[0].text == other.record.events[0].text == "1"


@pytest.mark.parametrize(
    "column",
    [
        pd.to_datetime(pd.Series(["2020-01-01", "2020-01-02"])),
        pd.to_timedelta(pd.Series([1, 2]), unit="D"),
        pd.Series([1j, 2j]),
        pd.Series([[1], [2]], dtype=object),
    ],
)
def test_a_column_of_dates_or_things_is_refused_by_name(column: pd.Series) -> None:
    with pytest.raises(InputError, match="column when: holds"):
        learn_layout(pd.DataFrame({"when": column}))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (GOOD.drop(columns="age"), "column age: is missing"),
        (GOOD.assign(extra=1), "column extra: was not in the fit"),
        (GOOD.assign(age=[np.inf, 1.0]), "column age: holds an infinite value"),
        (GOOD.assign(age=[1e300, 1.0]), "column age: holds a number beyond 3e38"),
        (GOOD.assign(age=pd.Series([10**400, 1], dtype=object)), "column age: holds a number beyond 3e38"),
        (GOOD.assign(age=["old", "young"]), "column age: holds texts"),
        (pd.concat([GOOD, GOOD], axis=1), "column age: stands there twice"),
        (GOOD.iloc[:0], "has the shape"),
        (np.zeros(3), "has 1 dimensions"),
    ],
)
def test_a_table_unlike_the_fitted_one_is_refused_by_name(frame: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        table_cases(frame, learn_layout(GOOD))


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.array([1.0, 2.0]), "does not state an event and a time"),
        ((np.array([True, False]), np.array([1.0])), "has 1 rows and X has 2"),
        ((np.array([True, False]), np.array([1.0, np.nan])), "time: is missing"),
        ((np.array([True, False]), np.array([1.0, -1.0])), "time: is missing, infinite or negative"),
        ((np.array([1.0, 2.0]), np.array([True, False])), "time: holds truth values"),
        ((np.array([0.5, 1.0]), np.array([1.0, 2.0])), "event: is missing, negative or no whole number"),
        ((np.array(["yes", "no"]), np.array([1.0, 2.0])), "event: is neither"),
        ((np.array([True, False]), np.array(["2020-01-01"] * 2, "M8[D]")), "time: is no number"),
        ((np.array([True, False]), pd.to_timedelta([3, 4], unit="D")), "time: is no number"),
        ((np.array(["2020-01-01"] * 2, "M8[D]"), np.array([1.0, 2.0])), "event: is neither"),
        ((np.ones((2, 2)), np.array([1.0, 2.0])), "is not one event and one time a row"),
        ((True, 1.0), "is not one event and one time a row"),
    ],
)
def test_an_impossible_outcome_is_refused(y: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_outcome(y, 2)


@pytest.mark.parametrize(
    ("event", "said"), [([0, 0], "is censored in every row"), ([0, 2], "1 never occurs")]
)
def test_a_cause_that_never_occurs_is_refused(event: list[int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_outcome((np.array(event), np.array([1.0, 2.0])), 2).causes()
