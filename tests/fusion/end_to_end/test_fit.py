"""Joint training gives ordinary evidence models: they start as the read-outs and add up as those do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from prognosis.errors import CheckpointError
from prognosis.evidence import MODALITIES, FittedEvidence
from prognosis.evidence.token import EvidenceModel
from prognosis.explanation import explain_case
from prognosis.fusion import FusionModel, ModelConfig, load_model, save_model, train_model
from prognosis.fusion.cross_fitting import CrossFitted, Progress
from prognosis.fusion.end_to_end import fit_end_to_end
from prognosis.fusion.end_to_end.clinical import ClinicalPart
from prognosis.fusion.end_to_end.imaging import ImagingPart
from prognosis.fusion.end_to_end.parts import Part
from prognosis.fusion.end_to_end.start import run_digest
from prognosis.fusion.end_to_end.text import TextPart
from prognosis.fusion.train import train_on
from tests.simulated import Simulated, largest_difference, tiny_config

KINDS = {"clinical": ClinicalPart, "text": TextPart, "imaging": ImagingPart}
CONFIG = tiny_config(
    training={"way": "end_to_end", "epochs": 3, "learning_rate": 0.01, "device": "cpu", "checkpoint_steps": 2}
)


def joint(
    small: Simulated,
    folder: Path | None = None,
    names: tuple[str, ...] = MODALITIES,
    on_progress: Progress | None = None,
    config: ModelConfig = CONFIG,
) -> CrossFitted:
    """The cohort's read-outs, trained end to end."""
    start = small.evidence

    def read_outs() -> dict[str, FittedEvidence]:
        return {name: start.fitted[name] for name in names}

    given = (read_outs, names, small.cohort, start.target, start.folds, config)
    return replace(start, fitted=fit_end_to_end(*given, on_progress, folder))


@pytest.fixture(scope="module")
def parts(small: Simulated) -> dict[str, Part]:
    """What joint training reads of the cohort."""
    fitted = small.evidence.fitted
    return {name: KINDS[name](small.cohort.cases, fitted[name].by_fold[0]) for name in MODALITIES}


@pytest.fixture(scope="module")
def evidence(small: Simulated) -> CrossFitted:
    """The cohort's evidence, trained end to end."""
    return joint(small)


@pytest.fixture(scope="module")
def trained(small: Simulated, evidence: CrossFitted) -> FusionModel:
    """A model of it."""
    return train_on(small.cohort, CONFIG, evidence)


@pytest.mark.parametrize("name", MODALITIES)
def test_each_case_is_read_by_the_model_that_left_it_out(
    small: Simulated, evidence: CrossFitted, name: str
) -> None:
    fitted = evidence.fitted[name]
    rows = np.flatnonzero(fitted.out_of_fold.present)[:6]
    for row in rows:
        said = fitted.by_fold[evidence.folds[row]].summarise([small.cohort.cases[row]])
        np.testing.assert_allclose(said.evidence[0], fitted.out_of_fold.evidence[row], atol=1e-6)
        np.testing.assert_allclose(said.vector[0], fitted.out_of_fold.vector[row], atol=1e-6)
        assert said.typical_distance[0] == pytest.approx(fitted.out_of_fold.typical_distance[row], abs=1e-6)


@pytest.mark.parametrize("name", MODALITIES)
def test_before_training_a_reader_says_what_its_model_says(
    small: Simulated, parts: dict[str, Part], name: str
) -> None:
    start, part = small.evidence.fitted[name].by_fold[0], parts[name]
    reader = part.reader(start, small.evidence.folds != 0).eval()
    rows = np.flatnonzero(part.present)
    with torch.inference_mode():
        read = reader(torch.from_numpy(rows))
    expected = start.summarise([small.cohort.cases[row] for row in rows])
    np.testing.assert_allclose(
        read.evidence.expand(-1, -1, expected.evidence.shape[2]), expected.evidence, atol=1e-4
    )
    np.testing.assert_allclose(read.vector, expected.vector, atol=1e-4)
    assert reader.width == start.width


@pytest.mark.parametrize("name", MODALITIES)
def test_after_training_the_model_says_what_its_reader_says(
    small: Simulated, parts: dict[str, Part], name: str
) -> None:
    start, part, learn = small.evidence.fitted[name].by_fold[0], parts[name], small.evidence.folds != 0
    reader = part.reader(start, learn).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for value in reader.parameters():
            value.add_(0.05 * torch.randn_like(value))
    rows = np.flatnonzero(part.present)
    with torch.inference_mode():
        read = reader(torch.from_numpy(rows)).evidence.mean(dim=2).numpy()
    model = part.model(start, reader, learn)
    said = model.summarise([small.cohort.cases[row] for row in rows]).evidence.mean(axis=2)
    before = start.summarise([small.cohort.cases[row] for row in rows]).evidence.mean(axis=2)
    assert np.abs(said - before).max() > 0.05
    apart = said - read  # a network is centred anew, by one number a cause
    np.testing.assert_allclose(apart - apart.mean(axis=0), np.zeros_like(apart), atol=1e-3)
    if name != "imaging":
        np.testing.assert_allclose(apart, np.zeros_like(apart), atol=1e-4)


@pytest.mark.parametrize("name", MODALITIES)
def test_tokens_of_a_model_trained_end_to_end_add_up(
    small: Simulated, trained: FusionModel, name: str
) -> None:
    model: EvidenceModel = trained.evidence[name]
    cases = small.complete[:5]
    whole = model.summarise(cases)
    for row, case in enumerate(cases):
        tokens = model.tokens(case)
        summed = np.sum([token.evidence.mean(axis=1) for token in tokens], axis=0)
        np.testing.assert_allclose(summed, whole.evidence[row].mean(axis=1), atol=1e-6)
        vector = np.sum([token.vector for token in tokens], axis=0)
        np.testing.assert_allclose(vector, whole.vector[row], atol=1e-6)


def test_a_model_trained_end_to_end_explains_exactly_and_comes_back_from_disk(
    small: Simulated, trained: FusionModel, tmp_path: Path
) -> None:
    saved = save_model(trained, tmp_path / "model", "# A test's model\n", {})
    loaded = load_model(tmp_path / "model")
    cases = small.complete[:4]
    assert loaded.model_id == saved.model_id
    assert largest_difference(trained, loaded, cases, cases) < 1e-6
    assert explain_case(loaded, cases[0]).max_additivity_error < 1e-6
    assert loaded.config.training.way == "end_to_end"


def test_an_untrained_modality_is_none_the_worse_for_a_case_that_lacks_it(
    small: Simulated, trained: FusionModel
) -> None:
    absent = [case for case in small.cohort.cases if not case.record.studies][:3]
    inputs = trained.inputs(absent)
    place = trained.modalities.index("imaging")
    assert not inputs.present[:, place].any()
    assert not inputs.evidence[place].any()


def test_a_training_that_finds_its_checkpoints_gives_the_same_model(small: Simulated, tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(what: str, done: int, _total: int) -> None:
        if what == "training end to end" and done == 2:
            raise StoppedError

    folder, names = tmp_path / "model.checkpoints", ("clinical", "text")
    whole = joint(small, names=names)
    with pytest.raises(StoppedError):
        joint(small, folder, names, stop)
    again = joint(small, folder, names)
    for name in names:
        one, other = whole.fitted[name], again.fitted[name]
        np.testing.assert_array_equal(one.out_of_fold.evidence, other.out_of_fold.evidence)
        for mine, theirs in zip(
            *(each.model.tokens(small.complete[0]) for each in (one, other)), strict=True
        ):
            np.testing.assert_array_equal(mine.evidence, theirs.evidence)
    with pytest.raises(CheckpointError, match="other settings"):
        joint(small, folder, names, config=CONFIG.model_copy(update={"seed": 1}))


def test_a_folder_of_other_files_is_not_taken_for_checkpoints(small: Simulated, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(CheckpointError):
        joint(small, tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_the_digest_of_a_run_tells_cohorts_and_settings_apart(small: Simulated) -> None:
    rows = np.arange(len(small.cohort))
    digests = {
        run_digest(small.cohort, CONFIG),
        run_digest(small.cohort, tiny_config()),
        run_digest(small.cohort.take(rows[1:]), CONFIG),
        run_digest(small.cohort.take(rows[::-1]), CONFIG),
    }
    assert len(digests) == 4


def test_where_patients_left_out_gain_nothing_the_read_outs_come_back_as_they_were(small: Simulated) -> None:
    training = CONFIG.training.model_copy(update={"learning_rate": 3.0, "epochs": 1})
    names = ("clinical", "text")
    found = joint(small, names=names, config=CONFIG.model_copy(update={"training": training}))
    for name in names:
        one, other = small.evidence.fitted[name], found.fitted[name]
        np.testing.assert_allclose(other.out_of_fold.evidence, one.out_of_fold.evidence, atol=1e-9)
        start = one.model.summarise(small.complete).evidence
        np.testing.assert_allclose(other.model.summarise(small.complete).evidence, start, atol=1e-9)


def test_settings_choose_the_way_of_training(small: Simulated) -> None:
    done = []
    settings = {"modalities": ["clinical"], "folds": 2, "clinical": {"trees": None}}
    config = tiny_config(**settings, training=CONFIG.training.model_dump())
    train_model(small.cohort, config, lambda what, *_: done.append(what))
    assert "training end to end" in done
