"""Volumes in one pass or by patches: the same outline where that was found of the network, else patches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from prognosis.evidence.imaging import openvino_export
from prognosis.evidence.segmentation import inference
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.inference import one_pass_dice, segment_volume
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.evidence.segmentation.networks import build_network
from prognosis.evidence.segmentation.storage import load_segmentation, save_segmentation
from prognosis.evidence.segmentation.training import read_example, train_network
from tests.evidence.segmentation.lungs import lungs_task, marked_ball

CONFIG = SegmentationConfig(
    norm="batch",
    channels=(8, 16),
    residual_units=1,
    patch=(16, 16, 16),
    window=(-1000.0, 200.0),
    epochs=30,
    patches=4,
    batch=2,
    augment=0.0,
    learning_rate=1e-2,
    mirror=False,
    threads=1,
)
LESION = ("lesion",)


def random_model(norm: str, agreement: float | None) -> SegmentationModel:
    """A network that has learnt nothing, so that its two ways differ."""
    torch.manual_seed(0)
    config = CONFIG.model_copy(update={"norm": norm, "largest_part": False})
    task = lungs_task().model_copy()
    network = build_network(config, 3, len(task.causes)).eval()
    return SegmentationModel(task, config, 3, network, 1, frozenset(), agreement)


def test_a_network_trained_with_batch_normalisation_outlines_alike_in_one_pass_and_by_patches() -> None:
    volume, marked = marked_ball()
    example = read_example(volume, marked, LESION, CONFIG)
    network = train_network([example], LESION, CONFIG, seed=0)
    assert one_pass_dice(network, [example.image], LESION, CONFIG) >= 0.995
    runtimes = ("torch", "openvino") if openvino_export.installed() else ("torch",)
    for runtime in runtimes:
        config = CONFIG.model_copy(update={"runtime": runtime, "precision": "float32"})
        found = segment_volume(network, volume, LESION, config, one_pass=True)
        both = np.count_nonzero(found.mask("lesion") & marked.mask("lesion"))
        total = np.count_nonzero(found.mask("lesion")) + np.count_nonzero(marked.mask("lesion"))
        assert 2.0 * both / total >= 0.95


@pytest.mark.parametrize(("agreement", "one_pass"), [(None, False), (0.99, False), (0.996, True)])
def test_a_volume_is_answered_in_one_pass_only_by_a_network_found_to_agree(
    agreement: float | None, *, one_pass: bool
) -> None:
    model, (volume, _) = random_model("batch", agreement), marked_ball()
    whole, patched = (
        segment_volume(model.network, volume, model.structures, model.config, one_pass=each).labels
        for each in (True, False)
    )
    assert not np.array_equal(whole, patched)
    assert np.array_equal(model.segment(volume).labels, whole if one_pass else patched)


def test_a_volume_too_large_for_the_memory_is_answered_by_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    model, (volume, _) = random_model("batch", 1.0), marked_ball()
    assert model.config.bytes_at_once((256, 256, 256)) == 40 * 8 * 256**3 // 8
    monkeypatch.setattr(inference, "MOST_AT_ONCE_BYTES", 1000)
    assert np.array_equal(
        model.segment(volume).labels, replace(model, one_pass_dice=None).segment(volume).labels
    )


def test_a_saved_model_answers_in_the_way_that_was_found_for_it(tmp_path: Path) -> None:
    model, (volume, _) = random_model("batch", 0.9991), marked_ball()
    save_segmentation(model, tmp_path / "model", "card", {})
    loaded = load_segmentation(tmp_path / "model")
    assert loaded.one_pass_dice == 0.9991
    assert np.array_equal(loaded.segment(volume).labels, model.segment(volume).labels)


def test_how_far_one_pass_agrees_is_not_said_of_volumes_no_larger_than_a_patch() -> None:
    model = random_model("batch", None)
    image = np.zeros(CONFIG.patch, dtype=np.float32)
    assert one_pass_dice(model.network, [image], model.task.causes, model.config) is None
