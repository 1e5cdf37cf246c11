"""`prognosis ingest`, and the store as a source."""

from pathlib import Path

from tests.cli.program import Program
from tests.simulated import TASK_PATH, Simulated


def test_an_ingested_export_gives_the_same_cohort_as_its_files(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    export = small.uris[0]
    made = prognosis("ingest", export, "--out", tmp_path / "store", "--json").stated
    assert made["received"] == made["accepted"]
    assert made["written"]["subjects"] == len(small.written)
    source = f"meds:{tmp_path / 'store'}"
    from_store = prognosis("cohort", "describe", TASK_PATH, "--source", source, "--json").stated
    from_files = prognosis("cohort", "describe", TASK_PATH, "--source", export, "--json").stated
    alike = ("records", "cases", "patients", "sites", "labels", "with_notes", "with_images", "exclusions")
    assert {name: from_store[name] for name in alike} == {name: from_files[name] for name in alike}


def test_what_became_of_each_type_is_a_table(prognosis: Program, small: Simulated, tmp_path: Path) -> None:
    ran = prognosis("ingest", small.uris[0], "--out", tmp_path / "store")
    assert "Observation" in ran.out
    assert "read it with --source meds:" in ran.prose


def test_only_files_are_ingested(prognosis: Program, tmp_path: Path) -> None:
    ran = prognosis("ingest", "fhir-server:https://x", "--out", tmp_path / "store")
    assert ran.status == 2
    assert "cannot be ingested" in ran.err
