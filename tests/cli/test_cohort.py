"""`prognosis cohort build | describe | check | export`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prognosis.cli.sources import read_records
from prognosis.record import Quarantine
from tests.cli.program import SURVIVAL_TABLE, Program, clinic
from tests.connectors.datasets.cohorts import csv
from tests.simulated import PATIENTS, TASK_PATH, Simulated


def sources(uris: tuple[str, ...]) -> list[str]:
    return [word for uri in uris for word in ("--source", uri)]


def test_a_cohort_is_counted_on_stdout_and_told_about_on_stderr(prognosis: Program, small: Simulated) -> None:
    ran = prognosis("cohort", "describe", TASK_PATH, *sources(small.uris), "--json")
    assert ran.status == 0
    counts = ran.stated
    assert counts["records"] == counts["cases"] == counts["patients"] == PATIENTS
    assert counts["with_images"] == sum(bool(case.record.studies) for case in small.cohort.cases)
    assert sum(counts["labels"].values()) == sum(counts["sites"].values()) == PATIENTS
    assert counts["quarantined"] == []


def test_a_cohort_is_described_in_a_table(prognosis: Program, small: Simulated) -> None:
    ran = prognosis("cohort", "describe", TASK_PATH, *sources(small.uris))
    assert ran.status == 0
    assert "cohort of simulated_progression" in ran.out
    assert "labels: progression" in ran.out


def test_what_a_task_states_is_listed_also_where_nobody_has_it(prognosis: Program, tmp_path: Path) -> None:
    task, source = clinic(tmp_path)
    statement = task.read_text(encoding="utf-8").replace(
        '["outcome|relapse"]', '["outcome|relapse"], death: ["x|dead"]'
    )
    statement += "exclusions: [{name: other trial, codes: [x|trial]}]\n"
    statement += (
        "treatment:\n  assignment: observational\n  arms: [{name: drug, codes: [x|drug]}, {name: care}]\n"
    )
    task.write_text(statement, encoding="utf-8")
    ran = prognosis("cohort", "describe", task, "--source", source, "--json")
    assert ran.stated["labels"]["death"] == ran.stated["exclusions"]["other trial"] == 0
    assert ran.stated["arms"] == {"drug": 0, "care": 90, "(ambiguous)": 0, "(no arm)": 0}
    problem = "no event of death: none of its codes x|dead is in the sources; check their spelling"
    nobody = "nobody began the arm drug: x|drug is in no record of the sources; check the spelling"
    assert ran.stated["never_seen"] == {"death": problem, "drug": nobody}
    assert ran.stated["arms_contradicted"] == []
    table = prognosis("cohort", "describe", task, "--source", source)
    for row in ("labels: death", "exclusions: other trial", "arms: drug", "arms: (no arm)"):
        assert row in table.out
    assert problem in table.prose
    assert nobody in table.prose
    prognosis("cohort", "build", task, "--source", source, "--out", tmp_path / "built")
    kept = json.loads((tmp_path / "built" / "cohort.json").read_text(encoding="utf-8"))
    assert kept["arms"]["drug"] == kept["labels"]["death"] == 0
    checked = prognosis("cohort", "check", task, "--source", source, "--json")
    assert checked.status == 1
    assert [f["problem"] for f in checked.stated["findings"] if f["level"] == "fails"] == [problem, nobody]


def test_arms_are_described_with_how_their_patients_differ(prognosis: Program, tmp_path: Path) -> None:
    rows = [
        {
            "days": "50",
            "relapsed": "1",
            "given": "new" if number % 2 else "old",
            "age": f"{50 + number % 10 + 10 * (number % 2)}",
            "ward": "north" if number % 4 < 2 else "south",
            "marker": "1.5" if number == 0 else "",
        }
        for number in range(80)
    ]
    task = tmp_path / "trial.yaml"
    task.write_text(
        SURVIVAL_TABLE
        + "treatment:\n  assignment: randomised\n  arms:\n"
        + '    - {name: old, codes: ["table|given"], values: [old]}\n'
        + '    - {name: new, codes: ["table|given"], values: [new]}\n',
        encoding="utf-8",
    )
    source = f"table:{csv(tmp_path / 'trial.csv', rows)}"
    ran = prognosis("cohort", "describe", task, "--source", source, "--json")
    assert ran.stated["arms"]["old"] == ran.stated["arms"]["new"] == 40
    first, *others = ran.stated["arm_differences"]
    ages = np.array([float(row["age"]) for row in rows]).reshape(-1, 2)
    expected = (ages[:, 1].mean() - ages[:, 0].mean()) / np.sqrt(ages.var(axis=0).mean())
    assert first == {"name": "age", "differences": {"new": pytest.approx(expected, abs=1e-4)}}
    assert others == [{"name": "ward = north", "differences": {"new": 0.0}}]  # south is its mirror
    table = prognosis("cohort", "describe", task, "--source", source)
    assert "standardised differences from old: 1 of 2 above 0.1" in " ".join(table.out.split())
    assert f"{expected:+.2f}" in table.out


def test_without_arms_no_differences_are_told(prognosis: Program, tmp_path: Path) -> None:
    task, source = clinic(tmp_path)
    assert prognosis("cohort", "describe", task, "--source", source, "--json").stated["arm_differences"] == []


def test_a_built_cohort_holds_the_records_and_a_dated_label_for_each_case(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    out = tmp_path / "built"
    ran = prognosis("cohort", "build", TASK_PATH, *sources(small.uris), "--out", out)
    assert (ran.status, ran.out) == (0, "")
    labels = pd.read_parquet(out / "labels.parquet")
    assert len(labels) == PATIENTS
    by_id = {case.record.patient_id: case for case in small.cohort.cases}
    for row in labels.itertuples():
        case = by_id[row.patient_id]
        assert row.prediction_time == case.index_time
        assert row.duration_days == case.label.days
        assert row.cause == (case.label.cause or "censored")
    assert json.loads((out / "cohort.json").read_text(encoding="utf-8"))["cases"] == PATIENTS
    again = read_records([f"meds:{out / 'records'}"], None, Quarantine())
    assert {record.patient_id for record in again} == set(by_id)


def test_an_honest_cohort_passes_the_check(prognosis: Program, tmp_path: Path) -> None:
    task, source = clinic(tmp_path)
    ran = prognosis("cohort", "check", task, "--source", source, "--json")
    assert (ran.status, ran.stated["findings"]) == (0, [])
    assert "no sign of leakage" in ran.prose


def test_a_column_that_knows_the_outcome_fails_the_check_by_name(prognosis: Program, tmp_path: Path) -> None:
    task, source = clinic(tmp_path, leak=True)
    ran = prognosis("cohort", "check", task, "--source", source, "--json")
    assert ran.status == 1
    assert [(f["kind"], f["subject"]) for f in ran.stated["findings"]] == [
        ("column predicts alone", "table|seen_later")
    ]
    assert "seen_later" in ran.prose


def test_findings_are_a_table_on_stdout_with_what_to_do_on_stderr(prognosis: Program, tmp_path: Path) -> None:
    task, source = clinic(tmp_path, leak=True)
    ran = prognosis("cohort", "check", task, "--source", source)
    assert ran.status == 1
    row = next(line for line in ran.out.splitlines() if "fails" in line)
    cells = [cell.strip() for cell in row.split("│")[1:4]]
    assert cells == ["fails", "column predicts alone", "table|seen_later"]
    assert "column predicts alone: put the code under screening.exclude_codes" in ran.prose
    assert "1 fail, 0 warn, 0 accepted by the task" in ran.prose


def test_a_finding_that_the_task_accepts_passes_the_check_and_is_counted(
    prognosis: Program, tmp_path: Path
) -> None:
    task, source = clinic(tmp_path, leak=True)
    known = "{kind: column predicts alone, code: table|seen_later, because: a test of the check}"
    task.write_text(
        task.read_text(encoding="utf-8") + f"screening: {{accept: [{known}]}}\n", encoding="utf-8"
    )
    ran = prognosis("cohort", "check", task, "--source", source, "--json")
    assert ran.status == 0
    assert ran.stated["counts"] == {"fails": 0, "warns": 0, "accepted": 1}
    assert ran.stated["findings"][0]["accepted_because"] == "a test of the check"


def test_an_export_reads_back_as_the_same_cohort(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    ran = prognosis("cohort", "export", out, *sources(small.uris), "--json")
    assert ran.status == 0
    films = sum(len(case.record.studies) for case in small.cohort.cases)
    assert ran.stated["written"]["Patient"] == PATIENTS
    assert ran.stated["written"]["DICOM instance"] >= films
    described = prognosis("cohort", "describe", TASK_PATH, "--source", f"fhir-folder:{out}", "--json")
    assert (
        described.stated["labels"]
        == prognosis("cohort", "describe", TASK_PATH, *sources(small.uris), "--json").stated["labels"]
    )


def test_an_export_as_meds_is_counted_by_subject(prognosis: Program, tmp_path: Path) -> None:
    _, source = clinic(tmp_path)
    table_needs_its_task = prognosis("cohort", "export", tmp_path / "out", "--source", source, "--to", "meds")
    assert table_needs_its_task.status == 2
    assert "does not say what the columns" in table_needs_its_task.err
