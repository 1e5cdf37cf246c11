"""The same windows in DuckDB, polars and pandas, each as its manual would have it done fast.

Each function takes the columns into the peer's own form, untimed, and returns the timed work. That leaves
one row a patient and code in the peer's own memory; `Run.rows` then reads it as numpy arrays, untimed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from benchmarks.speed.window_events import NAMES, SPANS, Events

Rows = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer ready to run.

    Attributes:
        run: The timed work.
        rows: From what `run` returned to arrays named patient, code and `NAMES`; NaN for what is missing.
    """

    run: Callable[[], Any]
    rows: Callable[[Any], Rows]


def in_duckdb(events: Events, threads: int) -> Peer:
    """One GROUP BY with filtered aggregates over a table in memory, into another table in memory."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    connection.execute("SET preserve_insertion_order = false")
    frame = _frame(events)
    connection.register("frame", frame)
    connection.execute("CREATE TABLE events AS SELECT * FROM frame ORDER BY place")
    parts = ["arg_max(value, place) AS last", "arg_max(age, place) AS days_since"]
    for number, span in enumerate(SPANS):
        inside = "" if np.isinf(span) else f" FILTER (WHERE age <= {span})"
        parts += [
            f"count(*){inside} AS count_{number}",
            f"avg(value){inside} AS mean_{number}",
            f"min(value){inside} AS min_{number}",
            f"max(value){inside} AS max_{number}",
            f"regr_slope(value, -age){inside} AS slope_{number}",
        ]
    query = f"SELECT patient, code, {', '.join(parts)} FROM events GROUP BY patient, code"  # noqa: S608

    def run() -> None:
        connection.execute(f"CREATE OR REPLACE TABLE windows AS {query}")

    def rows(_: None) -> Rows:
        found = connection.execute("SELECT * FROM windows").fetchnumpy()
        return {name: _filled(found[name]) for name in ("patient", "code", *NAMES)}

    return Peer(run, rows)


def _filled(column: NDArray[Any]) -> NDArray[Any]:
    return np.ma.filled(column.astype(np.float64), np.nan) if np.ma.isMaskedArray(column) else column


def in_polars(events: Events) -> Peer:
    """One group_by with filtered aggregates; polars reads the thread count from its environment."""
    frame = pl.from_pandas(_frame(events))
    value, age = pl.col("value"), pl.col("age")
    parts = [value.last().alias("last"), age.last().alias("days_since")]
    for number, span in enumerate(SPANS):
        within = (lambda what: what) if np.isinf(span) else (lambda what, span=span: what.filter(age <= span))
        inside, ages = within(value), within(age)
        parts += [
            inside.len().cast(pl.Float64).alias(f"count_{number}"),
            inside.mean().alias(f"mean_{number}"),
            inside.min().alias(f"min_{number}"),
            inside.max().alias(f"max_{number}"),
            (-pl.cov(ages, inside) / ages.var()).alias(f"slope_{number}"),
        ]
    return Peer(lambda: frame.group_by("patient", "code").agg(parts), _polars_rows)


def in_polars_with_joins(events: Events) -> Peer:
    """One group_by a window, over the rows inside it, then joins: no aggregate has a filter of its own."""
    frame = pl.from_pandas(_frame(events)).lazy()
    keys = ["patient", "code"]
    value, age = pl.col("value"), pl.col("age")

    def window(number: int, span: float) -> pl.LazyFrame:
        inside = frame if np.isinf(span) else frame.filter(age <= span)
        parts = [
            pl.len().cast(pl.Float64).alias(f"count_{number}"),
            value.mean().alias(f"mean_{number}"),
            value.min().alias(f"min_{number}"),
            value.max().alias(f"max_{number}"),
            (-pl.cov("age", "value") / age.var()).alias(f"slope_{number}"),
        ]
        if number == 0:
            parts += [value.last().alias("last"), age.last().alias("days_since")]
        return inside.group_by(keys).agg(parts)

    joined = window(0, SPANS[0])
    for number, span in enumerate(SPANS[1:], start=1):
        joined = joined.join(window(number, span), on=keys, how="left")
    return Peer(joined.collect, _polars_rows)


def _polars_rows(made: pl.DataFrame) -> Rows:
    return {name: made[name].to_numpy() for name in ("patient", "code", *NAMES)}


def in_pandas(events: Events) -> Peer:
    """Sums by groupby, once a window, from each group's first row on: raw sums would lose the ninth digit."""
    frame = _frame(events)

    def window(number: int, span: float) -> pd.DataFrame:
        inside = frame if np.isinf(span) else frame[frame["age"] <= span]
        keys = [inside["patient"], inside["code"]]
        first = inside.groupby(keys, sort=False)[["age", "value"]].transform("first")
        t, v = first["age"] - inside["age"], inside["value"] - first["value"]
        shifted = pd.DataFrame({"t": t, "v": v, "tt": t * t, "tv": t * v})
        sums = shifted.groupby(keys, sort=False).sum()
        groups = inside.groupby(keys, sort=False)["value"]
        n = groups.size()
        spread = sums["tt"] - sums["t"] ** 2 / n
        columns = {
            "count": n,
            "mean": groups.mean(),
            "min": groups.min(),
            "max": groups.max(),
            "slope": (sums["tv"] - sums["t"] * sums["v"] / n) / spread.where(spread > 1e-6),
        }
        return pd.DataFrame(columns).add_suffix(f"_{number}")

    def run() -> pd.DataFrame:
        ever = frame.groupby(["patient", "code"], sort=False)[["value", "age"]].last()
        made = [window(number, span) for number, span in enumerate(SPANS)]
        return pd.concat([ever.set_axis(["last", "days_since"], axis=1), *made], axis=1)

    def rows(made: pd.DataFrame) -> Rows:
        whole = made.reset_index()
        return {name: whole[name].to_numpy() for name in ("patient", "code", *NAMES)}

    return Peer(run, rows)


def _frame(events: Events) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient": events.patient,
            "code": events.code,
            "age": events.age_days,
            "value": events.value,
            "place": events.place,
        }
    )
