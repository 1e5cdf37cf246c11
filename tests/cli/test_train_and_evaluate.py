"""`prognosis train` and `prognosis evaluate`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prognosis.fusion import load_model, save_model
from tests.cli.program import Program
from tests.simulated import (
    PATIENTS,
    TASK_PATH,
    Simulated,
    hospital,
    largest_difference,
    tiny_config,
    write_tiny_config,
)

CONFIGS = Path(__file__).parents[2] / "configs"


def sources(uris: tuple[str, ...]) -> list[str]:
    return [word for uri in uris for word in ("--source", uri)]


def with_settings(small: Simulated, folder: Path, **changes: object) -> Path:
    """The model on disk, stating other settings: those that a retraining takes."""
    model = replace(small.model, config=tiny_config(**changes), model_id="")
    save_model(model, folder, "# A test's model\n", {"measured": False})
    return folder


def images(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Grey squares; in those of class 1 the left lung is brighter."""
    labels = np.arange(count) % 2
    pixels = random.normal(90, 12, (count, 28, 28))
    pixels[:, 8:20, 4:12] += 50 * labels[:, None, None]
    return np.clip(pixels, 0, 255).astype(np.uint8), labels[:, None].astype(np.uint8)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a training and a validation part, and one with a test part."""
    folder = tmp_path_factory.mktemp("films")
    random = np.random.default_rng(0)
    for name, parts in (("known.npz", {"train": 80, "val": 40}), ("new.npz", {"test": 40})):
        arrays = {}
        for part, count in parts.items():
            arrays[f"{part}_images"], arrays[f"{part}_labels"] = images(random, count)
        np.savez(folder / name, **arrays)
    return folder


def test_the_command_trains_the_same_model_that_the_library_trained_with_the_same_seed(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    config = write_tiny_config(tmp_path)
    ran = prognosis("train", TASK_PATH, *sources(small.uris), "--out", out, "--config", config, "--json")
    assert ran.status == 0
    model = load_model(out)
    assert ran.stated["model_id"] == model.model_id
    assert ran.stated["cohort"]["cases"] == PATIENTS
    cases = small.cohort.cases[:20]
    assert largest_difference(small.model, model, cases, cases) <= 1e-9
    card = (out / "README.md").read_text(encoding="utf-8")
    assert model.task.question in card
    assert "prognosis train" in card


def test_a_model_is_not_judged_on_the_patients_that_trained_it(prognosis: Program, small: Simulated) -> None:
    ran = prognosis("evaluate", small.model_folder, *sources(small.uris), "--json")
    assert (ran.status, ran.out) == (2, "")
    assert f"all {PATIENTS} cases are of patients that trained the model" in ran.prose
    assert "--cv" in ran.prose


def test_a_model_is_judged_on_strangers_with_an_interval_for_every_number(
    prognosis: Program, small: Simulated, strangers: Path
) -> None:
    ran = prognosis(
        "evaluate", small.model_folder, *sources(hospital(strangers)), "--replicates", 100, "--json"
    )
    assert ran.status == 0
    assert (ran.stated["model_id"], ran.stated["cross_validated"]) == (small.model.model_id, False)
    assert (ran.stated["n"], ran.stated["patients"]) == (60, 60)
    for name, metric in ran.stated["metrics"].items():
        assert metric["low"] <= metric["value"] <= metric["high"], name
    assert 0.0 <= ran.stated["metrics"]["harrell_c"]["value"] <= 1.0


def test_among_known_and_new_patients_only_the_new_are_judged(
    prognosis: Program, small: Simulated, strangers: Path
) -> None:
    both = [*sources(small.uris), *sources(hospital(strangers))]
    ran = prognosis("evaluate", small.model_folder, *both, "--replicates", 100, "--json")
    assert ran.status == 0
    assert ran.stated["n"] == 60
    assert f"judged on 60 of {PATIENTS + 60} cases" in ran.prose


def test_cross_validation_judges_every_training_patient_by_a_model_that_did_not_know_them(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    model = with_settings(small, tmp_path / "model", folds=2, clinical={"trees": None})
    arguments = (model, *sources(small.uris), "--cv", "--folds", 2, "--replicates", 100)
    ran = prognosis("evaluate", *arguments, "--rivals", "--json")
    assert ran.status == 0
    assert ran.stated["cross_validated"] is True
    assert ran.stated["n"] == PATIENTS
    subsets = {"clinical + text", "clinical + imaging", "text + imaging"}
    singles = {f"{name} alone" for name in small.model.modalities}
    rivals = {"late fusion", "HAIM-style", "transformer"}
    assert set(ran.stated["members"]) == singles | subsets | rivals
    compared = {(each["b"], each["metric"]) for each in ran.stated["comparisons"]}
    assert {(name, metric) for name in subsets | rivals for metric in ("uno_c", "ibs")} <= compared


def test_a_judged_model_is_shown_beside_its_modalities(
    prognosis: Program, small: Simulated, strangers: Path
) -> None:
    ran = prognosis("evaluate", small.model_folder, *sources(hospital(strangers)), "--replicates", 100)
    assert ran.status == 0
    for word in ("fused", *small.model.modalities, "harrell_c", "paired by patient"):
        assert word in ran.out


def test_each_site_is_judged_by_a_model_of_the_others(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    model = with_settings(small, tmp_path / "model", modalities=["text"], folds=2)
    arguments = (model, *sources(small.uris), "--by-site", "--replicates", 100)
    ran = prognosis("evaluate", *arguments, "--json")
    assert ran.status == 0
    assert {site: found["n"] for site, found in ran.stated["sites"].items()} == {
        site: sum(case.record.site == site for case in small.cohort.cases) for site in ("north", "south")
    }


def test_a_publisher_s_split_is_kept_and_its_validation_part_is_judged(
    prognosis: Program, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    task = CONFIGS / "tasks" / "pneumonia.yaml"
    settings = [word for each in ("imaging.epochs=1", "fusion.bootstrap=10") for word in ("--set", each)]
    trained = prognosis(
        "train", task, "--source", f"pneumoniamnist:{films / 'known.npz'}", "--out", out, *settings, "--json"
    )
    assert trained.status == 0
    assert trained.stated["validation"]["n"] == 40
    assert trained.stated["validation"]["metrics"]["auroc"]["value"] > 0.95
    assert load_model(out).training.cases == 80
    kept = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert kept["validation"] == trained.stated["validation"]
    judged = prognosis("evaluate", out, "--source", f"pneumoniamnist:{films / 'new.npz'}", "--json")
    assert judged.status == 0
    assert "projection alone: not judged, for want of the training cohort" in judged.prose
    assert not any("projection" in name for name in judged.stated["members"])
    assert judged.stated["n"] == 40
    assert set(judged.stated["metrics"]["auroc"]) >= {"value", "low", "high"}
