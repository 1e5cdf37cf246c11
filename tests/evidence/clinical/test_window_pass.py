"""The pass over the facts gives what the definition says, read fact by fact."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.evidence.clinical.window_pass import STATISTICS, Facts, fill_windows
from prognosis.evidence.clinical.windows import Column, facts_table
from tests.evidence.clinical.cohorts import INDEX, laboratory
from tests.evidence.clinical.test_windows import _table

SPANS = np.array([np.inf, 365.0, 30.0])
EMPTY = (np.nan,) * len(STATISTICS)


def made_up(cases: int, concepts: int, facts: int, seed: int) -> Facts:
    """Facts with many equal times, ages that lie exactly on a window's edge, and cases without any."""
    rng = np.random.default_rng(seed)
    case = np.sort(rng.choice(np.arange(0, cases, 2), facts))
    age = rng.choice([0.0, 0.5, 30.0, 31.0, 365.0, 366.0, 4000.0, 4000.04], facts)
    age = age[np.lexsort((-age, case))]
    return Facts(
        case=case,
        concept=rng.integers(0, concepts, facts),
        age_days=age,
        number=np.round(rng.normal(50.0, 9.0, facts), 1),
        limited=rng.random(facts) < 0.1,
        category=np.full(facts, -1),
    )


def by_definition(facts: Facts, case: int, concept: int, span: float) -> tuple[float, ...]:
    rows = [
        row
        for row in range(len(facts.case))
        if facts.case[row] == case and facts.concept[row] == concept and facts.age_days[row] <= span
    ]
    if not rows:
        return EMPTY
    values, days = facts.number[rows], -facts.age_days[rows]
    slope = np.polyfit(days - days[0], values, 1)[0] if len(set(days)) > 1 else np.nan
    last = rows[-1]
    own = np.flatnonzero((facts.case == case) & (facts.concept == concept))
    earlier = own[facts.age_days[own] > facts.age_days[last]]
    change = np.nan
    if len(earlier):
        gap = facts.age_days[earlier[-1]] - facts.age_days[last]
        change = (facts.number[last] - facts.number[earlier[-1]]) / gap
    return (
        len(rows), values.mean(), values.min(), values.max(), slope,
        facts.number[last], facts.age_days[last], change,
    )  # fmt: skip


def filled(facts: Facts, cases: int, concepts: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(cases, concepts, windows, statistics) with NaN where nothing was written, and the last rows."""
    shape = (concepts, len(SPANS), len(STATISTICS))
    values = np.full((cases, int(np.prod(shape))), np.nan)
    last = fill_windows(facts, SPANS, np.arange(values.shape[1]).reshape(shape), values)
    return values.reshape(cases, *shape), last


@pytest.mark.parametrize("facts", [150, 6_000])
def test_every_statistic_is_what_the_definition_says(facts: int) -> None:
    cases, concepts = 20, 3
    known = made_up(cases, concepts, facts, seed=facts)
    values, last = filled(known, cases, concepts)
    for case in range(cases):
        for concept in range(concepts):
            own = np.flatnonzero((known.case == case) & (known.concept == concept))
            assert last[case, concept] == (own[-1] if len(own) else -1)
            for window, span in enumerate(SPANS):
                expected = by_definition(known, case, concept, float(span))
                np.testing.assert_allclose(values[case, concept, window], expected, rtol=1e-9, atol=1e-12)


def test_a_case_alone_and_among_many_gives_the_same_bits() -> None:
    cases, concepts = 40, 4
    known = made_up(cases, concepts, 8_000, seed=1)
    values, _ = filled(known, cases, concepts)
    for case in range(cases):
        own = known.case == case
        alone = Facts(
            np.zeros(own.sum(), np.int64), known.concept[own], known.age_days[own], known.number[own],
            known.limited[own], known.category[own],
        )  # fmt: skip
        np.testing.assert_array_equal(filled(alone, 1, concepts)[0][0], values[case])


def test_only_the_columns_that_were_asked_for_are_made_and_in_their_order() -> None:
    known = made_up(12, 3, 200, seed=2)
    asked = [Column(2, "count", 30.0), Column(0, "last", np.inf), Column(2, "mean", np.inf)]
    table = facts_table(known, 12, [()] * 3, asked)
    whole, _ = filled(known, 12, 3)
    expected = [
        np.nan_to_num(whole[:, 2, 2, STATISTICS.index("count")]),
        whole[:, 0, 0, STATISTICS.index("last")],
        whole[:, 2, 0, STATISTICS.index("mean")],
    ]
    np.testing.assert_array_equal(table, np.stack(expected, axis=1))


def test_of_facts_of_one_time_the_later_in_the_record_is_the_last() -> None:
    facts = Facts(
        case=np.zeros(3, np.int64),
        concept=np.zeros(3, np.int64),
        age_days=np.array([9.0, 2.0, 2.0]),
        number=np.array([5.0, 7.0, 6.0]),
        limited=np.zeros(3, bool),
        category=np.full(3, -1),
    )
    columns = [Column(0, "last", np.inf), Column(0, "count", 2.0), Column(0, "slope", 2.0)]
    np.testing.assert_array_equal(facts_table(facts, 1, [()], columns), [[6.0, 2.0, np.nan]])


def test_the_slope_of_an_hour_twenty_years_ago_keeps_its_digits() -> None:
    hour, ago = 1.0 / 24.0, 7305.0
    events = [laboratory(100.0, ago), laboratory(103.0, ago - hour), laboratory(102.0, ago - 2.0 * hour)]
    table, _ = _table(events, events)
    assert table["1988-5", "slope", np.inf] == pytest.approx(24.0, rel=1e-9)


def test_a_fact_as_old_as_the_window_is_inside_it() -> None:
    events = [laboratory(4.0, 30.0), laboratory(8.0, 30.0 + 1.0 / 86_400.0)]
    table, _ = _table(events, events)
    assert (table["1988-5", "count", 30.0], table["1988-5", "count", 365.0]) == (1.0, 2.0)
    assert events[0].time == INDEX - timedelta(days=30)


def test_where_nothing_is_known_of_anybody_the_table_says_so() -> None:
    none = made_up(2, 1, 0, seed=0)
    columns = [Column(0, s, np.inf, "positive") for s in ("last", "limit", "is", "count", "not_measured")]
    expected = [[np.nan, np.nan, np.nan, 0.0, 1.0]] * 2
    np.testing.assert_array_equal(facts_table(none, 2, [("positive",)], columns), expected)
