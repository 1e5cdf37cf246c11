"""Tables of survival times: each row a patient, each unusable row set aside with its number."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from connectors.datasets import TableColumns, TableFile
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.datasets.cohorts import csv

COLUMNS = TableColumns(time="time", event="event", event_causes={"1": "death", "2": "relapse"})


def read(path: Path, columns: TableColumns = COLUMNS) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    return list(TableFile(path, f"table:{path}", columns).records(quarantine)), quarantine


def facts(record: PatientRecord) -> dict[str, float | str | None]:
    return {str(e.code): e.text if e.number is None else e.number for e in record.events}


def test_a_row_becomes_an_index_its_columns_and_the_end_of_follow_up(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", [{"time": 10, "event": 1, "age": 71, "arm": "B", "crp": ""}])
    (record,), _ = read(path)
    assert facts(record) == {
        "prognosis|index": None,
        "table|age": 71.0,
        "table|arm": "B",
        "outcome|death": None,
    }
    assert record.events[-1].time - record.events[0].time == timedelta(days=10)


def test_what_is_absent_is_absent_and_zero_days_are_allowed(tmp_path: Path) -> None:
    (record,), quarantine = read(csv(tmp_path / "t.csv", [{"time": 0, "event": 0, "age": ""}]))
    assert facts(record) == {"prognosis|index": None, "prognosis|follow-up-complete": None}
    assert len(quarantine) == 0


def test_months_become_days_and_numbers_can_be_categories(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", [{"time": 2, "event": 2, "stage": 3, "id": "p9", "junk": 1}])
    columns = replace(
        COLUMNS, days_per_unit=30.4375, categorical=("stage",), patient_id="id", ignore=("junk",)
    )
    (record,), _ = read(path, columns)
    assert record.patient_id == "p9"
    assert facts(record)["table|stage"] == "3"
    assert "table|junk" not in facts(record)
    assert record.events[-1].time - record.events[0].time == timedelta(days=60.875)


@pytest.mark.parametrize(
    "bad",
    [
        {"time": -1, "event": 1},
        {"time": "", "event": 1},
        {"time": "ten", "event": 1},
        {"time": "inf", "event": 1},
        {"time": 1e12, "event": 1},
        {"time": 5, "event": 3},
        {"time": 5, "event": ""},
        {"time": 5, "event": 1, "crp": "inf"},
        {"time": 5, "event": 1, "crp": 1e300},
        {"time": 5, "event": 1, "id": ""},
        {"time": 5, "event": 1, "id": "a"},
    ],
)
def test_an_unusable_row_is_set_aside_with_its_number(tmp_path: Path, bad: dict[str, object]) -> None:
    path = csv(
        tmp_path / "t.csv", [{"time": 1, "event": 0, "id": "a", "crp": 2}, {"id": "b", "crp": "", **bad}]
    )
    records, quarantine = read(path, replace(COLUMNS, patient_id="id"))
    assert [record.patient_id for record in records] == ["a"]
    assert [rejection.reference for rejection in quarantine] == ["t.csv row 2"]


def test_a_text_among_the_numbers_of_a_column_is_told_with_its_row(tmp_path: Path) -> None:
    rows = [{"time": 10, "event": 1, "age": 60 + row, "stage": "II"} for row in range(20)]
    assert not read(csv(tmp_path / "right.csv", rows))[1].notices
    rows[6]["age"] = "abc"
    _, quarantine = read(csv(tmp_path / "t.csv", rows))
    ((message, count),) = quarantine.notices.items()
    assert message.startswith("t.csv row 7: age is a text where nearly all others are numbers")
    assert "abc" not in message
    assert count == 1


def test_a_row_that_was_set_aside_keeps_whose_it_was(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "t.csv", [{"who": "p1", "time": "soon", "event": 1}, {"who": "p2", "time": 3, "event": 1}]
    )
    _, quarantine = read(path, replace(COLUMNS, patient_id="who"))
    assert [each.patient_id for each in quarantine] == ["p1"]


def test_an_index_beyond_any_life_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", [{"time": 1, "event": 0}])
    with pytest.raises(SourceError, match="a thousand years ahead"):
        read(path, replace(COLUMNS, index_time=1e12))


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", [{"days": 1, "status": 0}])
    with pytest.raises(SourceError, match=r"lacks the column\(s\) event, time.*days, status"):
        read(path)


def test_only_the_rows_asked_for_are_kept(tmp_path: Path) -> None:
    rows = [{"time": 5, "event": 1, "etype": kind} for kind in (1, 2, 2)]
    records, _ = read(csv(tmp_path / "t.csv", rows), replace(COLUMNS, keep_rows_where={"etype": "2"}))
    assert len(records) == 2
    with pytest.raises(SourceError, match="no rows"):
        read(tmp_path / "t.csv", replace(COLUMNS, keep_rows_where={"etype": "7"}))


@pytest.mark.parametrize("name", ["absent.csv", "t.xlsx", "empty.csv", "broken.parquet"])
def test_a_file_that_cannot_be_read_as_a_table_is_refused(tmp_path: Path, name: str) -> None:
    if name != "absent.csv":
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(SourceError):
        read(tmp_path / name)


def test_parquet_and_csv_of_one_table_give_equal_records(tmp_path: Path) -> None:
    frame = pd.DataFrame({"time": [1.5, 2.0], "event": [1, 0], "age": [70.25, np.nan], "arm": ["A", None]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    from_csv, from_parquet = read(tmp_path / "t.csv")[0], read(tmp_path / "t.parquet")[0]
    assert [facts(record) for record in from_csv] == [facts(record) for record in from_parquet]


def test_ten_thousand_rows_of_fifty_columns_read_in_seconds(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(10_000, 50))).rename(columns=lambda c: f"c{c}")
    frame["time"], frame["event"] = 1.0, 1
    frame.to_parquet(tmp_path / "t.parquet")
    started = time.monotonic()
    records, _ = read(tmp_path / "t.parquet")
    assert len(records) == 10_000
    assert time.monotonic() - started < 30.0


def test_a_column_that_was_known_later_is_dated_by_when_it_was_known(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", [{"time": 9, "event": 0, "age": 71, "cd4_at_5": 300, "film_at_5": ""}])
    columns = replace(COLUMNS, days_per_unit=7.0, known_at={"cd4_at_5": 5.0, "film_at_5": 5.0})
    (record,), _ = read(path, columns)
    days = {e.code.value: (e.time - record.events[0].time).days for e in record.events}
    assert days == {"index": 0, "age": 0, "cd4_at_5": 35, "follow-up-complete": 63}


def test_a_table_without_follow_up_says_nothing_of_its_end(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", [{"arm": "drug", "film": "better"}])
    (record,), quarantine = read(path, TableColumns(known_at={"film": 183.0}))
    assert facts(record) == {"prognosis|index": None, "table|arm": "drug", "table|film": "better"}
    assert not len(quarantine)
    with pytest.raises(SourceError, match="lacks the column"):
        read(path, TableColumns(known_at={"films": 183.0}))
