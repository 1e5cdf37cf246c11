"""A training that could not be written is refused before its time is spent; one end to end leaves a model."""

import shutil
from pathlib import Path

import pytest

from prognosis.cli.train import run_train
from prognosis.errors import BundleError, InputError
from prognosis.fusion import load_model
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


def test_a_folder_that_cannot_be_written_is_refused_before_training(small: Simulated, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with pytest.raises(BundleError, match=r"cannot be written .*; name a folder that you may write to"):
        run_train(TASK_PATH, ["fhir-folder:no"], in_the_way / "model", None, [], json_output=False)
    new = tmp_path / "new" / "model"
    with pytest.raises(InputError, match="is not a folder"):
        run_train(TASK_PATH, ["fhir-folder:no"], new, None, [], json_output=False)
    assert not list(new.parent.iterdir()), "what was tried is taken away again"


def test_an_earlier_model_is_said_to_be_replaced_and_stays_where_the_training_does_not_end(
    small: Simulated, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = shutil.copytree(small.model_folder, tmp_path / "model")
    with pytest.raises(InputError, match="is not a folder"):
        run_train(TASK_PATH, ["fhir-folder:no"], earlier, None, [], json_output=False)
    assert "holds an earlier model, which this training replaces" in " ".join(capsys.readouterr().err.split())
    assert load_model(earlier).model_id == small.model.model_id


def test_training_end_to_end_leaves_a_model_and_no_checkpoints(small: Simulated, tmp_path: Path) -> None:
    settings = ["modalities=[clinical]", "clinical.trees=null", "fusion.bootstrap=2", "folds=2"]
    settings += ["training={way: end_to_end, device: cpu, epochs: 1}"]
    out = tmp_path / "model"
    run_train(TASK_PATH, small.uris, out, None, settings, json_output=False)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert load_model(out).config.training.way == "end_to_end"
