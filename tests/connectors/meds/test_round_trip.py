"""Records written as MEDS and read back are equal; foreign and damaged MEDS folders are told apart."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.meds import MedsSource, write_meds
from prognosis.errors import SourceError
from prognosis.record import Code, Event, ImagingStudy, Note, PatientRecord, Quarantine, Series
from prognosis.record.patient import sorted_record

NOON = datetime(2020, 3, 4, 12, 0, 0, 250_000, tzinfo=UTC)
LOINC = "http://loinc.org"


def record(patient_id: str = "p1", site: str = "north") -> PatientRecord:
    """A patient with one of everything."""
    return sorted_record(
        PatientRecord(
            patient_id=patient_id,
            birth_date=date(1950, 2, 3),
            sex="female",
            events=(
                Event(NOON, Code(LOINC, "1988-5"), 0.1, "<", "mg/L", None, "Observation/1", "CRP"),
                Event(NOON, Code("table", "arm"), text="B"),
                Event(NOON, Code("MEDS", "MEDS_DEATH"), source="Patient/p1"),
                Event(NOON, Code("", "local"), 1e300),
            ),
            notes=(Note(NOON, "Line one.\nLine two.", "report", "DocumentReference/1"),),
            studies=(
                ImagingStudy(NOON, "2.25.1", (Series("2.25.11", "CR", "AP", "CHEST"),), "ImagingStudy/1"),
            ),
            site=site,
        )
    )


def read(folder: Path) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    return list(MedsSource(folder, f"meds:{folder}").records(quarantine)), quarantine


def foreign(folder: Path, **columns: list[object]) -> Path:
    """A MEDS folder that another program might have written: only data."""
    (folder / "data").mkdir(parents=True)
    pq.write_table(pa.table(columns), folder / "data" / "0.parquet")
    return folder


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_everything_a_record_says_survives_the_round_trip(tmp_path: Path) -> None:
    records = [record(), record("p2"), record("p1", "south"), PatientRecord("p3", site="south")]
    written = write_meds(records, tmp_path / "m")
    back, quarantine = read(tmp_path / "m")
    assert written == {"subjects": 4, "rows": 21}
    assert len(quarantine) == 0
    assert {r.key: r for r in back} == {r.key: r for r in records}
    assert [r.patient_id for r in back] == ["p1", "p1", "p2", "p3"]


@settings(max_examples=25)
@given(st.lists(st.floats(-1e30, 1e30), max_size=5), st.text(max_size=20).filter(lambda t: t.isprintable()))
def test_any_number_and_any_text_survive(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], text: str
) -> None:
    events = tuple(Event(NOON, Code("x", f"c{n}"), number) for n, number in enumerate(numbers))
    given_record = PatientRecord("p", events=events, notes=(Note(NOON, text),), site="s")
    folder = tmp_path_factory.mktemp("meds") / "m"
    write_meds([given_record], folder)
    assert read(folder)[0] == [given_record]


def test_the_files_have_the_columns_that_meds_asks_for(tmp_path: Path) -> None:
    write_meds([record()], tmp_path / "m")
    schema = pq.read_schema(tmp_path / "m" / "data" / "0.parquet")
    types = {name: str(schema.field(name).type) for name in ("subject_id", "time", "code", "numeric_value")}
    assert types == {
        "subject_id": "int64",
        "time": "timestamp[us]",
        "code": "string",
        "numeric_value": "float",
    }
    codes = pq.read_table(tmp_path / "m" / "data" / "0.parquet")["code"].to_pylist()
    assert {"MEDS_BIRTH", "MEDS_DEATH", "http://loinc.org|1988-5"} <= set(codes)


def test_a_foreign_folder_is_read_as_far_as_meds_says_it(tmp_path: Path) -> None:
    folder = foreign(
        tmp_path / "mimic",
        subject_id=[7, 7, 7],
        time=[datetime(1950, 1, 2), datetime(2020, 1, 1), None],  # noqa: DTZ001 - MEDS times have no zone
        code=["MEDS_BIRTH", "LAB//CRP", "GENDER//F"],
        numeric_value=[None, 4.5, None],
    )
    (found,), quarantine = read(folder)
    assert (found.patient_id, found.site, found.birth_date) == ("7", "mimic", date(1950, 1, 2))
    assert [(e.code.value, e.number, e.time) for e in found.events] == [
        ("LAB//CRP", 4.5, datetime(2020, 1, 1, tzinfo=UTC))
    ]
    assert quarantine.notices["MEDS row without a time: a static fact, not used"] == 1


def test_a_row_with_an_infinite_number_is_set_aside(tmp_path: Path) -> None:
    time = datetime(2020, 1, 1)  # noqa: DTZ001 - MEDS times have no zone
    folder = foreign(
        tmp_path / "m", subject_id=[1, 1], time=[time] * 2, code=["a", "b"], numeric_value=[1.0, float("inf")]
    )
    (found,), quarantine = read(folder)
    assert [event.code.value for event in found.events] == ["a"]
    assert [rejection.reference for rejection in quarantine] == ["data/0.parquet row 2"]


def test_a_folder_that_is_not_meds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no data/\*\.parquet"):
        read(tmp_path)
    with pytest.raises(SourceError, match="lacks the column"):
        read(foreign(tmp_path / "a", subject_id=[1], code=["x"]))
    (tmp_path / "b" / "data").mkdir(parents=True)
    (tmp_path / "b" / "data" / "0.parquet").write_bytes(b"PAR1broken")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        read(tmp_path / "b")


def test_an_export_never_mixes_with_another(tmp_path: Path) -> None:
    write_meds([record()], tmp_path / "m")
    with pytest.raises(SourceError, match="not empty"):
        write_meds([record()], tmp_path / "m")
    with pytest.raises(SourceError, match="one patient twice"):
        write_meds([record(), record()], tmp_path / "n")
