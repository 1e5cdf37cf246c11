"""Networks that outline structures: what they learn, what they may not learn from, and the way back."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from prognosis.errors import BundleError, CohortError, ConfigError, ScopeError, StudyError
from prognosis.evaluation.mask_metrics import dice
from prognosis.evidence.manifest import write_manifest
from prognosis.evidence.segmentation.augmentation import augmented, mirrored_order
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.grid import WorkingGrid, read_target
from prognosis.evidence.segmentation.inference import largest_parts, segment_volume
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.evidence.segmentation.storage import load_segmentation, save_segmentation
from prognosis.evidence.segmentation.training import read_example, segmentation_loss, train_network
from prognosis.fusion import ModelConfig, load_model
from prognosis.record.imaging import UNMARKED
from tests.evidence.segmentation.lungs import STRUCTURES, lungs_task, marked_ball, marked_film

FILMS = SegmentationConfig(channels=(8, 16, 32, 32), residual_units=1, size=32, epochs=24, batch=4, threads=1)
VOLUMES = SegmentationConfig(
    channels=(8, 16),
    residual_units=1,
    patch=(16, 16, 16),
    spacing_mm=(1.5, 1.5, 1.5),
    window=(-1000.0, 200.0),
    epochs=25,
    patches=4,
    batch=2,
    augment=0.3,
    learning_rate=1e-2,
    mirror=False,
    threads=1,
)


@pytest.fixture(scope="module")
def model() -> SegmentationModel:
    """A small model trained on ten drawn films."""
    examples = [read_example(*marked_film(seed), STRUCTURES, FILMS) for seed in range(10)]
    network = train_network(examples, STRUCTURES, FILMS, seed=0)
    return SegmentationModel(lungs_task(), FILMS, 2, network, len(examples), frozenset({"a"}))


def test_lungs_of_films_it_has_not_seen_are_outlined_and_told_apart(model: SegmentationModel) -> None:
    for seed in (20, 21, 22):
        volume, marked = marked_film(seed, 60, 44)
        found = model.segment(volume)
        assert found.labels.shape == volume.voxels.shape
        assert found.source == volume.source
        assert all(dice(found.mask(name), marked.mask(name)) > 0.85 for name in STRUCTURES)


def test_the_answer_does_not_depend_on_the_scale_of_the_grey_values(model: SegmentationModel) -> None:
    volume, _ = marked_film(23)
    scaled = replace(volume, voxels=7.0 * volume.voxels - 100.0)
    assert (model.segment(scaled).labels == model.segment(volume).labels).mean() > 0.999


def test_a_model_of_films_refuses_a_volume(model: SegmentationModel) -> None:
    with pytest.raises(ScopeError, match="16 slices, and the model reads films"):
        model.segment(marked_ball()[0])


def test_a_network_in_three_dimensions_learns_one_volume_and_outlines_it_on_its_own_grid() -> None:
    volume, marked = marked_ball()
    example = read_example(volume, marked, ("lesion",), VOLUMES)
    assert example.image.shape == (21, 24, 24)  # 32 x 36 x 36 mm in voxels of 1.5 mm
    network = train_network([example], ("lesion",), VOLUMES, seed=0)
    found = segment_volume(network, volume, ("lesion",), VOLUMES)
    assert found.labels.shape == volume.voxels.shape
    assert dice(found.mask("lesion"), marked.mask("lesion")) >= 0.95


def test_what_nobody_marked_moves_no_weight() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 6, 6, requires_grad=True)
    targets = torch.softmax(torch.randn(2, 3, 6, 6), dim=1)
    targets[..., 4:] = 0.0
    (gradient,) = torch.autograd.grad(segmentation_loss(logits, targets), logits)
    assert (gradient[..., 4:] == 0.0).all()
    assert (gradient[..., :4] != 0.0).any()


def test_unmarked_voxels_are_in_no_channel_of_the_target() -> None:
    volume, marked = marked_film(0)
    labels = marked.labels.copy()
    labels[..., :10] = UNMARKED
    grid = WorkingGrid.of(volume, replace_config(size=48))
    target = read_target(replace(marked, labels=labels), STRUCTURES, grid)
    assert grid.working == (40, 48)
    assert (target[..., :10] == 0.0).all()
    assert (target[..., 10:].sum(axis=0) == 1.0).all()


def replace_config(**settings: object) -> SegmentationConfig:
    return SegmentationConfig.model_validate({**FILMS.model_dump(), **settings})


def test_structures_keep_their_place_when_marks_name_them_in_another_order() -> None:
    volume, marked = marked_film(0)
    swapped = np.array([0, 2, 1], dtype=np.uint8)[marked.labels]
    other = replace(marked, labels=swapped, structures=STRUCTURES[::-1])
    config = replace_config()
    assert np.array_equal(
        read_example(volume, marked, STRUCTURES, config).target,
        read_example(volume, other, STRUCTURES, config).target,
    )


def test_mirroring_exchanges_the_sides_and_nothing_else() -> None:
    assert mirrored_order(STRUCTURES) == [0, 2, 1]
    assert mirrored_order(("heart", "left lung", "trachea")) == [0, 1, 2, 3]


def test_without_strength_an_image_is_only_ever_mirrored_together_with_its_marks() -> None:
    volume, marked = marked_film(0, 32, 32)
    example = read_example(volume, marked, STRUCTURES, FILMS)
    image, target = (torch.from_numpy(each).float()[None] for each in (example.image[None], example.target))
    torch.manual_seed(1)
    images, targets = augmented(image.repeat(16, 1, 1, 1), target.repeat(16, 1, 1, 1), 0.0, [0, 2, 1])
    mirrored = torch.isclose(images, image.flip(-1), atol=1e-5).all(dim=(1, 2, 3))
    same = torch.isclose(images, image, atol=1e-5).all(dim=(1, 2, 3))
    assert mirrored.any()
    assert same.any()
    assert (mirrored | same).all()
    assert torch.allclose(targets[mirrored], target.flip(-1)[:, [0, 2, 1]], atol=1e-5)
    assert torch.allclose(targets[same], target, atol=1e-5)


def test_a_crumb_beside_a_structure_is_dropped() -> None:
    labels = np.zeros((8, 8), dtype=np.uint8)
    labels[1:4, 1:4], labels[6, 6], labels[5:8, 0:2] = 1, 1, 2
    kept = largest_parts(labels, 2)
    assert kept[6, 6] == 0
    assert np.array_equal(kept == 2, labels == 2)
    assert (kept == 1).sum() == 9


def test_a_segmentation_of_another_shape_than_its_volume_is_refused() -> None:
    volume, marked = marked_film(0)
    with pytest.raises(StudyError, match="another shape"):
        read_example(volume, replace(marked, labels=marked.labels[:, 1:]), STRUCTURES, FILMS)


def test_films_and_volumes_do_not_train_one_network() -> None:
    flat = read_example(*marked_film(0), STRUCTURES, FILMS)
    deep = read_example(*marked_ball(), ("lesion",), VOLUMES)
    with pytest.raises(CohortError, match="mix films and volumes"):
        train_network([flat, deep], STRUCTURES, FILMS, seed=0)


@pytest.mark.parametrize(
    "bad", [{"size": 50}, {"patch": [16, 16, 9]}, {"network": "basic_unet"}, {"window": [1, 0]}]
)
def test_a_network_that_cannot_be_built_is_refused_when_its_settings_are_read(bad: dict[str, object]) -> None:
    stated = {"segmentation": {"channels": [8, 16, 16], "patch": [16, 16, 16], **bad}}
    with pytest.raises(ConfigError):
        ModelConfig.from_statement(stated, "settings")


def test_a_saved_model_outlines_as_it_did(model: SegmentationModel, tmp_path: Path) -> None:
    saved = save_segmentation(model, tmp_path / "model", "card", {"images": 10})
    loaded = load_segmentation(tmp_path / "model")
    volume, _ = marked_film(24)
    assert loaded.model_id == saved.model_id
    assert loaded.patients == {"a"}
    assert np.array_equal(loaded.segment(volume).labels, model.segment(volume).labels)


def test_a_model_folder_with_other_weights_than_it_states_is_refused(
    model: SegmentationModel, tmp_path: Path
) -> None:
    whole = tmp_path / "model"
    save_segmentation(model, whole, "card", {})
    weights = load_file(whole / "model.safetensors")
    name = next(iter(weights))
    for altered, refused in (
        ({**weights, name: np.full_like(weights[name], np.nan)}, "is not finite"),
        ({**weights, name: weights[name][None]}, "another network"),
    ):
        save_file(altered, whole / "model.safetensors")
        with pytest.raises(BundleError, match="was altered"):
            load_segmentation(whole)
        write_manifest(whole, "lungs")
        with pytest.raises(BundleError, match=refused):
            load_segmentation(whole)


def test_a_segmentation_model_is_not_taken_for_a_prognosis(model: SegmentationModel, tmp_path: Path) -> None:
    save_segmentation(model, tmp_path / "model", "card", {})
    with pytest.raises(BundleError, match="has format segmentation 1"):
        load_model(tmp_path / "model")
    other = shutil.copytree(tmp_path / "model", tmp_path / "other")
    stated = json.loads((other / "config.json").read_text(encoding="utf-8"))
    (other / "config.json").write_text(json.dumps({**stated, "format": 2}), encoding="utf-8")
    write_manifest(other, "lungs")
    with pytest.raises(BundleError, match="has format 2"):
        load_segmentation(other)
