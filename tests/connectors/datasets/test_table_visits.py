"""Tables with several rows a patient, several outcomes, a landmark, and records of parts of patients."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.datasets import OutcomeColumns, TableColumns, TableFile
from connectors.datasets.table import frame_records
from connectors.datasets.table_records import START
from prognosis.errors import SourceError
from prognosis.record import Event, PatientRecord, Quarantine
from tests.connectors.datasets.cohorts import csv

COLUMNS = TableColumns(
    time="stop",
    event="event",
    event_causes={"1": "death"},
    patient_id="id",
    visit_time="start",
    constant=("age",),
    index_time=6.0,
)
VISITS = [
    {"id": "a", "start": 6, "stop": 9, "event": 1, "age": 60, "bili": 3.0},
    {"id": "b", "start": 0, "stop": 20, "event": 0, "age": 50, "bili": ""},
    {"id": "a", "start": 0, "stop": 6, "event": 0, "age": 60, "bili": 1.5},
]


def read(
    rows: list[dict[str, object]], folder: Path, columns: TableColumns = COLUMNS
) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    path = csv(folder / "t.csv", rows)
    return list(TableFile(path, f"table:{path}", columns).records(quarantine)), quarantine


def dated(event: Event) -> tuple[float, str, float | None]:
    return (event.time - START) / timedelta(days=1), str(event.code), event.number


def test_the_visits_of_a_patient_are_one_record_in_order_of_time(tmp_path: Path) -> None:
    (first, second), quarantine = read(VISITS, tmp_path)
    assert [dated(event) for event in first.events] == [
        (0.0, "table|age", 60.0),
        (0.0, "table|bili", 1.5),
        (6.0, "prognosis|index", None),
        (6.0, "table|bili", 3.0),
        (9.0, "outcome|death", None),
    ]
    assert [dated(event)[:2] for event in second.events] == [
        (0.0, "table|age"),
        (6.0, "prognosis|index"),
        (20.0, "prognosis|follow-up-complete"),
    ]
    assert len(quarantine) == 0


def test_each_measurement_names_the_row_that_states_it(tmp_path: Path) -> None:
    (first, _), _ = read(VISITS, tmp_path)
    sources = {event.number: event.source for event in first.events if event.code.value == "bili"}
    assert sources == {1.5: "t.csv#3:bili", 3.0: "t.csv#1:bili"}


@given(day=st.floats(0.0, 5000.0), value=st.floats(-1e6, 1e6), landmark=st.floats(0.0, 4000.0))
def test_what_is_known_at_a_landmark_never_depends_on_a_later_visit(
    day: float, value: float, landmark: float
) -> None:
    columns = replace(COLUMNS, index_time=landmark)
    known = []
    for bilirubin in (value, value + 1.0):
        frame = pd.DataFrame(
            {
                "id": ["a", "a"],
                "start": [0.0, landmark + 1.0 + day],
                "stop": [10_000.0, 10_000.0],
                "event": [1, 1],
                "age": [60, 60],
                "bili": [1.0, bilirubin],
            }
        )
        (record,) = frame_records(frame, columns, "s", "t", Quarantine())
        known.append(record.as_of(START + timedelta(days=landmark)).events)
    assert known[0] == known[1]


@pytest.mark.parametrize(
    "bad",
    [
        {"start": ""},
        {"start": "early"},
        {"start": 1e12},
        {"event": 1, "stop": 3},
        {"event": 7},
        {"stop": -1},
    ],
)
def test_a_patient_with_an_unusable_visit_is_set_aside_whole(tmp_path: Path, bad: dict[str, object]) -> None:
    records, quarantine = read([*VISITS[:2], VISITS[2] | bad], tmp_path)
    assert [record.patient_id for record in records] == ["b"]
    assert [rejection.reference for rejection in quarantine] == ["t.csv row 3"]


def test_an_outcome_that_every_visit_repeats_happened_once(tmp_path: Path) -> None:
    rows = [{**row, "stop": 9, "event": 1} for row in VISITS if row["id"] == "a"]
    (record,), _ = read(rows, tmp_path)
    assert sum(event.code.system == "outcome" for event in record.events) == 1


def test_a_row_without_a_patient_belongs_to_no_record(tmp_path: Path) -> None:
    records, quarantine = read([*VISITS, VISITS[0] | {"id": ""}], tmp_path)
    assert [len(record.events) for record in records] == [5, 3]
    assert [rejection.reference for rejection in quarantine] == ["t.csv row 4"]


RELAPSE = replace(
    COLUMNS,
    time="t1",
    event="d1",
    visit_time=None,
    constant=(),
    index_time=0.0,
    further_outcomes=(OutcomeColumns("t2", "d2", {"1": "relapse"}),),
)


def test_relapse_and_death_are_two_events_with_their_own_days(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "t1": 90, "d1": 1, "t2": 40, "d2": 1},
        {"id": "b", "t1": 90, "d1": 0, "t2": 40, "d2": 1},
        {"id": "c", "t1": 90, "d1": 1, "t2": 90, "d2": 0},
    ]
    records, _ = read(rows, tmp_path, RELAPSE)
    assert [[dated(event)[:2] for event in record.events[1:]] for record in records] == [
        [(40.0, "outcome|relapse"), (90.0, "outcome|death")],
        [(40.0, "outcome|relapse"), (90.0, "prognosis|follow-up-complete")],
        [(90.0, "outcome|death")],
    ]


def test_no_time_or_event_of_any_outcome_is_ever_evidence() -> None:
    columns = replace(RELAPSE, cluster="family", visit_time="day", ignore=("note",))
    assert {"t1", "d1", "t2", "d2", "id", "family", "day", "note"} <= columns.not_evidence


def test_two_eyes_are_two_records_of_one_person(tmp_path: Path) -> None:
    columns = TableColumns("time", "event", {"1": "loss"}, cluster="id")
    rows = [{"id": 5, "time": 3, "event": 1, "eye": "left"}, {"id": 5, "time": 4, "event": 0, "eye": "right"}]
    records, quarantine = read([*rows, rows[0] | {"id": ""}], tmp_path, columns)
    assert [record.key for record in records] == ["t/row-000001", "t/row-000002"]
    assert {record.person for record in records} == {"t/5"}
    assert [rejection.reference for rejection in quarantine] == ["t.csv row 3"]


def test_a_cell_that_says_missing_is_absent(tmp_path: Path) -> None:
    rows = [{"time": 5, "event": 1, "stage": "missing", "age": -9}]
    columns = TableColumns("time", "event", {"1": "death"}, missing_values=("missing", "-9"))
    (record,), _ = read(rows, tmp_path, columns)
    assert [event.code.system for event in record.events] == ["prognosis", "outcome"]


def test_rows_are_kept_where_a_column_has_any_of_the_values(tmp_path: Path) -> None:
    rows = [{"time": 5, "event": 1, "arm": arm} for arm in (1, 2, "")]
    columns = TableColumns("time", "event", {"1": "death"}, keep_rows_where={"arm": ("1", "2")})
    assert len(read(rows, tmp_path, columns)[0]) == 2


@pytest.mark.parametrize("role", ["ignore", "constant", "categorical"])
def test_a_misspelt_column_is_refused_whatever_its_role(tmp_path: Path, role: str) -> None:
    columns = replace(TableColumns("time", "event", {"1": "death"}), **{role: ("adge",)})
    with pytest.raises(SourceError, match=r"lacks the column\(s\) adge"):
        read([{"time": 5, "event": 1, "age": 3}], tmp_path, columns)


def test_where_visits_show_the_event_the_first_that_does_dates_it(tmp_path: Path) -> None:
    columns = TableColumns(
        time="day",
        event="rating",
        event_causes={"0.5": "dementia", "1": "dementia"},
        patient_id="id",
        visit_time="day",
        event_at_visits=True,
    )
    rows: list[dict[str, object]] = [
        {"id": "a", "day": 700, "rating": 1.0, "volume": 0.69},
        {"id": "a", "day": 400, "rating": 0.5, "volume": 0.70},
        {"id": "a", "day": 0, "rating": 0.0, "volume": 0.71},
        {"id": "b", "day": 0, "rating": 0.5, "volume": 0.72},
        {"id": "b", "day": 90, "rating": 0.0, "volume": 0.73},
        {"id": "c", "day": 0, "rating": 0.0, "volume": 0.74},
        {"id": "c", "day": 90, "rating": 0.0, "volume": 0.75},
    ]
    records, quarantine = read(rows, tmp_path, columns)
    assert not len(quarantine)
    ends = {"outcome|dementia", "prognosis|follow-up-complete"}
    found = [[dated(e)[:2] for e in record.events if str(e.code) in ends] for record in records]
    assert found == [
        [(400.0, "outcome|dementia")],
        [(0.0, "outcome|dementia")],
        [(90.0, "prognosis|follow-up-complete")],
    ]
