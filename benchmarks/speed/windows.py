"""Windows over 20 million events: 100,000 patients, 50 codes, three windows.

Everybody starts from the same columns in memory, sorted by patient and time, and ends with the same numbers
in memory: for each patient and code the last value and its age, and for each window the count, the mean, the
least and the greatest value, and the slope a day.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.timing import OURS, Comparison, in_turn
from benchmarks.speed.window_events import INSIDE, NAMES, SPANS, Events, simulate
from benchmarks.speed.window_peers import Rows, in_duckdb, in_pandas, in_polars, in_polars_with_joins
from prognosis.evidence.clinical.window_pass import Facts
from prognosis.evidence.clinical.windows import Column, facts_table

PACKAGES = ("duckdb", "polars", "pandas")
_GOALS = {"DuckDB": 3.0, "polars": 12.0, "polars with joins": 12.0}


def _columns(codes: int) -> list[Column]:
    ever = [("last", np.inf), ("days_since", np.inf)]
    each = [*ever, *((what, span) for span in SPANS for what in INSIDE)]
    return [Column(code, what, span) for code in range(codes) for what, span in each]


def _assert_equal(table: NDArray[np.float64], codes: int, rows: Rows, who: str) -> None:
    """The peer's rows are exactly the measured patients and codes, and their numbers are ours."""
    mine = table.reshape(len(table), codes, len(NAMES))
    patient, code = np.asarray(rows["patient"], np.int64), np.asarray(rows["code"], np.int64)
    measured = np.flatnonzero(mine[:, :, 2].ravel() > 0)
    np.testing.assert_array_equal(np.sort(patient * codes + code), measured, err_msg=who)
    for number, name in enumerate(NAMES):
        theirs = np.asarray(rows[name], np.float64)
        if name.startswith("count"):
            theirs = np.nan_to_num(theirs)
        np.testing.assert_allclose(
            theirs, mine[patient, code, number], rtol=1e-9, atol=1e-9, err_msg=f"{who} {name}"
        )


def _compare(events: Events, patients: int, codes: int, threads: int) -> Comparison:
    n = len(events.patient)
    unused = (np.zeros(n, dtype=bool), np.full(n, -1))
    facts = Facts(events.patient, events.code, events.age_days, events.value, *unused)
    columns, categories = _columns(codes), [()] * codes
    peers = {
        "DuckDB": in_duckdb(events, threads),
        "polars": in_polars(events),
        "polars with joins": in_polars_with_joins(events),
        "pandas": in_pandas(events),
    }
    run = {OURS: lambda: facts_table(facts, patients, categories, columns)}
    run |= {name: peer.run for name, peer in peers.items()}
    timings, values = in_turn(run, {OURS: 5, "DuckDB": 3, "polars with joins": 2})
    for name, peer in peers.items():
        _assert_equal(values[OURS], codes, peer.rows(values.pop(name)), name)
    return Comparison(
        task=f"windows: {n:,} events, {patients:,} patients x {codes} codes x {len(SPANS)} windows",
        timings=timings,
        goals=_GOALS,
        equality="the same patients and codes, and all 17 numbers of each equal to 1e-9",
    )


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """The one size that the goal names."""
    events, patients = (200_000, 1_000) if quick else (20_000_000, 100_000)
    yield _compare(simulate(events, patients, 50), patients, 50, threads)
