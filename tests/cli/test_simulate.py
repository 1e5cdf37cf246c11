"""`prognosis simulate`: the cohort that its dials and seed make, with the truth where no source sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognosis.cli.sources import read_records
from prognosis.record import Quarantine
from prognosis.simulate import Dials, read_oracle, simulate_cohort
from tests.cli.program import Program
from tests.simulated import hospital

PATIENTS = 12


@pytest.mark.parametrize("form", ["fhir-dicom", "meds"])
def test_the_cohort_written_is_the_one_that_the_dials_and_the_seed_make(
    prognosis: Program, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "out"
    words = ("--patients", PATIENTS, "--seed", 4, "--set", "interaction=0", "--to", form, "--json")
    stated = prognosis("simulate", out, *words).stated
    cohort = simulate_cohort(Dials(patients=PATIENTS, interaction=0.0), 4)
    uris = hospital(out / "source") if form == "fhir-dicom" else (f"meds:{out / 'source'}",)
    read = {record.patient_id: record for record in read_records(uris, None, Quarantine())}
    assert set(read) == set(cohort.oracle.patient_ids)
    assert {key: len(record.notes) for key, record in read.items()} == {
        record.patient_id: len(record.notes) for record in cohort.records
    }
    assert stated["dials"]["interaction"] == 0.0
    assert sum(stated["events"].values()) == PATIENTS
    assert read_oracle(out / "oracle").planted == cohort.oracle.planted
    assert not list((out / "source").rglob("*oracle*"))


def test_a_dial_that_does_not_exist_is_named_with_those_that_do(prognosis: Program, tmp_path: Path) -> None:
    ran = prognosis("simulate", tmp_path / "out", "--set", "strength=2")
    assert ran.status == 2
    assert "dial strength: does not exist" in ran.prose
    assert "interaction" in ran.prose
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(prognosis: Program, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    ran = prognosis("simulate", tmp_path, "--patients", PATIENTS)
    assert ran.status == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
