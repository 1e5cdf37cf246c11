"""A folder of checkpoints belongs to one run, and is seen to be usable before anything is fitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognosis.errors import CheckpointError
from prognosis.fusion.end_to_end.start import claim_folder


def test_a_run_finds_its_own_folder_again_and_no_other_run_may_have_it(tmp_path: Path) -> None:
    claim_folder(tmp_path / "kept", "one")
    (tmp_path / "kept" / "steps").mkdir()
    claim_folder(tmp_path / "kept", "one")
    with pytest.raises(CheckpointError, match="other settings or of another cohort"):
        claim_folder(tmp_path / "kept", "two")


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(CheckpointError, match="other settings or of another cohort"):
        claim_folder(tmp_path, "one")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_checkpoints_cannot_be_kept_where_a_file_stands(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(CheckpointError, match="cannot hold checkpoints"):
        claim_folder(tmp_path / place, "one")


def test_a_run_s_own_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    claim_folder(tmp_path, "one")
    (tmp_path / "run.part").mkdir()
    with pytest.raises(CheckpointError, match="cannot hold checkpoints"):
        claim_folder(tmp_path, "one")
