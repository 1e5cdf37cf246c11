"""A model on disk is the model that was saved, or it is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from prognosis.cohort import Task
from prognosis.errors import BundleError
from prognosis.evidence.manifest import MANIFEST, write_manifest
from prognosis.fusion import load_model, save_model
from prognosis.fusion.bundle_arrays import read_arrays
from tests.fakes.additive_evidence import written_model
from tests.simulated import Simulated, largest_difference


@pytest.fixture
def copy(small: Simulated, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small.model_folder, tmp_path / "model"))


def files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def resign(folder: Path) -> None:
    """Make the manifest agree with an altered folder, as somebody who knows how could."""
    write_manifest(folder, "simulated_progression")


def test_causes_keep_their_order_on_disk(tmp_path: Path) -> None:
    model = written_model()
    assert model.task.causes == ("progression", "death")  # not that of the alphabet
    save_model(model, tmp_path / "model", "card", {})
    stated = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert Task.from_statement(stated["task"], "config.json").causes == model.task.causes


@pytest.mark.parametrize("part", ["alpha", "beta", "strengths", "shift", "scale"])
def test_a_model_whose_head_is_not_finite_is_not_written(tmp_path: Path, part: str) -> None:
    model = written_model()
    head = model.head
    factors = tuple(np.zeros((len(each), 1)) for each in head.factors)
    head = replace(head, factors=factors, strengths=np.zeros((*head.strengths.shape[:2], 1)))
    broken = replace(head, **{part: np.full_like(getattr(head, part), np.nan)})
    with pytest.raises(BundleError, match="not finite"):
        save_model(replace(model, head=broken), tmp_path / "model", "card", {})
    assert not (tmp_path / "model").exists()


def test_a_model_read_back_gives_identical_predictions_and_intervals(small: Simulated) -> None:
    read = load_model(small.model_folder)
    cases = small.cohort.cases[:30]
    assert largest_difference(small.model, read, cases, cases) == 0.0
    assert read.model_id == small.model.model_id
    assert (read.task, read.config, read.training) == (
        small.model.task,
        small.model.config,
        small.model.training,
    )


def test_no_file_of_a_model_can_run_code(small: Simulated) -> None:
    kinds = {path.suffix for path in files(small.model_folder)}
    assert kinds <= {".json", ".safetensors", ".ubj", ".parquet", ".md"}


def test_no_file_of_a_model_holds_a_patient_s_id(small: Simulated) -> None:
    for path in files(small.model_folder):
        content = path.read_bytes()
        assert not [c for c in small.cohort.cases if c.record.patient_id.encode() in content], path.name


def test_a_byte_altered_in_any_file_is_refused(copy: Path) -> None:
    for path in files(copy):
        content = path.read_bytes()
        place = len(content) // 2
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(BundleError):
            load_model(copy)
        path.write_bytes(content)
    load_model(copy)


def test_any_missing_file_is_refused_by_name(copy: Path) -> None:
    for path in files(copy):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(BundleError, match="no manifest.json" if path.name == MANIFEST else "is missing"):
            load_model(copy)
        path.write_bytes(content)
    load_model(copy)


@pytest.mark.parametrize("name", ["extra.json", "evidence/imaging/weights.pt", "evidence/genome/config.json"])
def test_a_file_that_was_added_is_refused_by_name(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text("{}", encoding="utf-8")
    with pytest.raises(BundleError, match=f"{name}: is not in the manifest"):
        load_model(copy)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_refused_whatever_the_manifest_says(copy: Path, value: float) -> None:
    arrays = load_file(copy / "model.safetensors")
    arrays["beta"][0, 0, 0] = value
    save_file(arrays, copy / "model.safetensors")
    resign(copy)
    with pytest.raises(BundleError, match="beta is not finite"):
        load_model(copy)


def test_a_model_of_another_format_is_refused(copy: Path) -> None:
    stated = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    (copy / "config.json").write_text(json.dumps({**stated, "format": 99}), encoding="utf-8")
    resign(copy)
    with pytest.raises(BundleError, match="has format 99; this version reads format 5"):
        load_model(copy)


def test_an_array_that_does_not_fit_the_head_is_refused_by_name(small: Simulated, tmp_path: Path) -> None:
    arrays = load_file(small.model_folder / "model.safetensors")
    widths = {name: model.width for name, model in small.model.evidence.items()}

    def read(altered: dict[str, NDArray[np.float64]]) -> None:
        save_file(altered, tmp_path / "model.safetensors")
        read_arrays(tmp_path, widths, len(small.model.task.causes))

    read(arrays)
    for name, array in arrays.items():
        for altered in (array[:1], np.concatenate([array, array]), array[None]):
            with pytest.raises(BundleError, match="does not fit the head"):
                read({**arrays, name: np.ascontiguousarray(altered)})
        with pytest.raises(BundleError):
            read({each: own for each, own in arrays.items() if each != name})


def test_a_model_with_a_weight_of_one_modality_of_three_is_refused(copy: Path) -> None:
    arrays = load_file(copy / "model.safetensors")
    save_file({**arrays, "beta": arrays["beta"][:1]}, copy / "model.safetensors")
    resign(copy)
    with pytest.raises(BundleError, match="beta does not fit the head"):
        load_model(copy)


@pytest.mark.parametrize(
    ("scale", "problem"),
    [
        ([[1.0, 1.0]], "scale does not fit the head"),
        ([[1.0, 1.0], [1.0]], "scale is not an array of numbers"),
        ([[float("nan")] * 2] * 8, "scale is not finite"),
    ],
)
def test_a_recalibration_that_does_not_fit_the_head_is_refused(
    copy: Path, scale: list[object], problem: str
) -> None:
    stated = json.loads((copy / "calibration.json").read_text(encoding="utf-8"))
    (copy / "calibration.json").write_text(json.dumps({**stated, "scale": scale}), encoding="utf-8")
    resign(copy)
    with pytest.raises(BundleError, match=problem):
        load_model(copy)


def test_a_modality_of_a_later_version_is_refused_by_name(copy: Path) -> None:
    stated = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    (copy / "config.json").write_text(json.dumps({**stated, "modalities": ["genome"]}), encoding="utf-8")
    resign(copy)
    with pytest.raises(BundleError, match="genome"):
        load_model(copy)


def test_a_folder_that_holds_something_else_is_not_overwritten(small: Simulated, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(BundleError, match="holds files that are not a model"):
        save_model(small.model, tmp_path, "card", {})
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "years of work"


@pytest.mark.parametrize("manifest", ['{"name": "a web page"}', "[]", "not JSON", '{"sha256": {}}'])
def test_a_manifest_of_something_else_does_not_make_its_folder_a_model(
    small: Simulated, tmp_path: Path, manifest: str
) -> None:
    (tmp_path / MANIFEST).write_text(manifest, encoding="utf-8")
    (tmp_path / "index.html").write_text("kept", encoding="utf-8")
    with pytest.raises(BundleError, match="not a model"):
        save_model(small.model, tmp_path, "", {})
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "kept"


def test_an_earlier_model_is_replaced_as_a_whole(small: Simulated, copy: Path) -> None:
    (copy / "notes.txt").write_text("beside the model", encoding="utf-8")
    saved = save_model(small.model, copy, "another card", {})
    assert not (copy / "notes.txt").exists()
    assert load_model(copy).model_id == saved.model_id != small.model.model_id


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a model folder"):
        load_model(tmp_path)


def test_lower_bounds_are_read_back_as_they_were_saved(small: Simulated) -> None:
    read = load_model(small.model_folder)
    assert tuple(read.bounds) == tuple(small.model.bounds) != ()
    for name, bound in small.model.bounds.items():
        assert np.array_equal(read.bounds[name].probability, bound.probability)
        assert read.bounds[name].last_day == bound.last_day


@pytest.mark.parametrize(
    ("altered", "problem"),
    [
        ({"last_day": float("nan")}, "last_day is not finite"),
        ({"probability": [0.5]}, "probability does not fit"),
    ],
)
def test_a_lower_bound_that_cannot_be_read_off_is_refused(
    copy: Path, altered: dict[str, object], problem: str
) -> None:
    stated = json.loads((copy / "conformal.json").read_text(encoding="utf-8"))
    stated["any event"] |= altered
    (copy / "conformal.json").write_text(json.dumps(stated), encoding="utf-8")
    resign(copy)
    with pytest.raises(BundleError, match=problem):
        load_model(copy)
