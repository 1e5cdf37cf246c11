"""A training that could not be written is refused before its time is spent."""

from pathlib import Path

import pytest

from prognosis.cli.train import run_train
from prognosis.errors import BundleError
from tests.simulated import TASK_PATH, Simulated


def test_a_folder_of_other_files_is_refused_before_training_and_kept(
    small: Simulated, tmp_path: Path
) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text("years of work", encoding="utf-8")
    with pytest.raises(BundleError, match="not a model"):
        run_train(TASK_PATH, small.uris, tmp_path, None, ["fusion.bootstrap=2"], json_output=False)
    with pytest.raises(BundleError, match="is a file"):
        run_train(TASK_PATH, small.uris, kept, None, ["fusion.bootstrap=2"], json_output=False)
    assert kept.read_text(encoding="utf-8") == "years of work"
