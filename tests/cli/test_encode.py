"""`prognosis encode`: studies read once for a model, and answers that then need no pixel."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognosis.cohort import Case
from tests.cli.program import Program
from tests.simulated import Simulated


@pytest.fixture
def case(small: Simulated) -> Case:
    return small.complete[0]


def test_every_study_is_encoded_once_and_an_answer_from_the_cache_is_the_same_to_the_last_digit(
    prognosis: Program, small: Simulated, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, sources = tmp_path / "cache", [f"--source={uri}" for uri in small.uris]
    patient = ("risk", case.record.patient_id, "--model", small.model_folder, *sources, "--json")
    without = prognosis(*patient).stated
    films = {study.study_uid for record in small.written for study in record.studies}
    for encoded, found in ((len(films), 0), (0, len(films))):
        ran = prognosis("encode", *small.uris, "--model", small.model_folder, "--cache", cache, "--json")
        assert ran.status == 0, ran.err
        assert (ran.stated["studies"], ran.stated["encoded"]) == (len(films), encoded)
        assert (ran.stated["found"], ran.stated["quarantined"]) == (found, [])
    assert prognosis(*patient, "--cache", cache).stated == without
    monkeypatch.setenv("PROGNOSIS_CACHE", str(cache))
    kept = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    assert prognosis(*patient).stated == without
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()} == kept


def test_a_cache_that_cannot_be_used_is_one_line_and_exit_code_2(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file")
    ran = prognosis("encode", *small.uris, "--model", small.model_folder, "--cache", tmp_path / "cache")
    assert (ran.status, ran.out) == (2, "")
    assert "is no folder that can be used; name another" in ran.prose
