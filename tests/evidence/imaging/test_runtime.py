"""Trained networks run the fast way: the same answers, only where they agree, and nothing told to anybody."""

from __future__ import annotations

import gc
import sys
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from prognosis.errors import ConfigError
from prognosis.evidence.imaging import ImagingConfig, fit_imaging, openvino_export, runtime
from prognosis.evidence.imaging.config import VolumeConfig
from prognosis.evidence.imaging.encoder import build_encoder, cell_evidence
from prognosis.evidence.imaging.runtime import answers, on_device
from tests.evidence.imaging.chests import cohort

# not importorskip: the import would report itself to the package's makers
needs_openvino = pytest.mark.skipif(not openvino_export.installed(), reason="openvino is not installed")

FILMS = ImagingConfig(size=32, contrast_scales=(1.0,), channels=(8, 8), strides=(2, 1), threads=1)
TORCH, OPENVINO = (
    FILMS.model_copy(update={"runtime": name, "precision": "float32"}) for name in ("torch", "openvino")
)


def network_of(config: ImagingConfig) -> nn.Module:
    """A network with random weights, its silent read-out included."""
    torch.manual_seed(0)
    network = build_encoder(config, 2).eval()
    for parameter in network[-1].parameters():
        nn.init.normal_(parameter, std=0.1)
    return network


def images(config: ImagingConfig, count: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, config.width, *config.shape)).astype(np.float16)


@needs_openvino
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"trunk": "resnet18"},
        {"dimensions": 3, "volume": VolumeConfig(size=(8, 16, 16))},
    ],
)
def test_openvino_in_single_precision_gives_the_evidence_that_pytorch_gives(
    settings: dict[str, object],
) -> None:
    plain, fast = (each.model_copy(update=settings) for each in (TORCH, OPENVINO))
    network, seen = network_of(plain), images(plain, 11)
    expected = cell_evidence(network, seen, plain)
    np.testing.assert_allclose(
        cell_evidence(network, seen, fast), expected, atol=1e-5 * np.abs(expected).max()
    )


@needs_openvino
def test_an_image_has_one_answer_however_many_are_asked_about_with_it() -> None:
    network, seen = network_of(OPENVINO), images(OPENVINO, 20)
    together = answers(network, seen, OPENVINO)
    np.testing.assert_array_equal(answers(network, seen[13:14], OPENVINO), together[13:14])


@needs_openvino
def test_evidence_adds_up_where_networks_are_run_by_openvino() -> None:
    cases, target, folds, _ = cohort(16)
    fit = fit_imaging(cases, target, folds, OPENVINO.model_copy(update={"epochs": 1, "batch": 8}), seed=0)
    summary = fit.model.summarise(cases[:2])
    for row in range(2):
        tokens = fit.model.tokens(cases[row])
        np.testing.assert_allclose(sum(one.evidence for one in tokens), summary.evidence[row], atol=1e-5)
        drawn, level = fit.model.evidence_map(cases[row]), [one for one in tokens if "change" not in one.name]
        np.testing.assert_allclose(
            drawn.evidence.sum(axis=(1, 2)), sum(one.evidence for one in level)[:, 0], atol=1e-5
        )


@needs_openvino
@pytest.mark.parametrize(("work", "way"), [(0.9, "openvino"), (1.1, None)])
def test_a_network_is_exported_if_one_image_is_work_enough_and_then_for_all_images_or_none(
    monkeypatch: pytest.MonkeyPatch, work: float, way: str | None
) -> None:
    auto = FILMS.model_copy(update={"precision": "float32"})
    network, seen = network_of(auto), images(auto, 40)
    image = 16 * 16 * (2 * 8 * 9 + 8 * 8 * 9 + 8 * 2)  # two 3-convolutions and the read-out on 16 x 16 cells
    monkeypatch.setattr(runtime, "_WORTH_EXPORTING", work * image)
    first = answers(network, seen[:1], auto)
    for asked in (20, 10, 1):
        answers(network, seen[:asked], auto)
        known = runtime._KNOWN[network]
        assert (known.way.engine if known.way else None) == way
    np.testing.assert_array_equal(answers(network, seen[:1], auto), first)


@needs_openvino
def test_weights_that_changed_are_exported_anew() -> None:
    network, seen = network_of(OPENVINO), images(OPENVINO, 2)
    before = answers(network, seen, OPENVINO)
    with torch.no_grad():
        network[-1].weight.mul_(2.0)
        network[-1].bias.mul_(2.0)
    np.testing.assert_allclose(answers(network, seen, OPENVINO), 2.0 * before, rtol=1e-5, atol=1e-6)


@needs_openvino
def test_a_network_takes_what_was_made_of_it_with_it() -> None:
    network = network_of(OPENVINO)
    answers(network, images(OPENVINO, 1), OPENVINO)
    gone = weakref.ref(network)
    assert network in runtime._KNOWN
    del network
    gc.collect()
    assert gone() is None


class Drawn(nn.Module):
    """Answers by chance: no export of it can agree with it."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images + torch.rand(images.shape)


@needs_openvino
def test_a_network_whose_export_disagrees_is_run_by_pytorch_or_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, seen = Drawn(), images(FILMS, 1)
    with pytest.raises(ConfigError, match="does not run this network"):
        answers(network, seen, OPENVINO)
    monkeypatch.setattr(runtime, "_WORTH_EXPORTING", 0.0)
    auto = FILMS.model_copy(update={"precision": "float32"})
    answers(network, seen, auto)
    assert runtime._KNOWN[network].settled
    assert runtime._KNOWN[network].way is None


@needs_openvino
def test_an_operation_that_openvino_has_no_counterpart_of_is_told_as_such() -> None:
    class FlipsNothing(nn.Module):
        def forward(self, seen: torch.Tensor) -> torch.Tensor:
            return seen.flip([])

    with pytest.raises(RuntimeError, match="no counterpart"):
        openvino_export.openvino_model(FlipsNothing(), np.zeros((1, 1, 4, 4), dtype=np.float32))


def test_without_the_package_pytorch_answers_and_openvino_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_export, "installed", lambda: False)
    network, seen = network_of(FILMS), images(FILMS, 3)
    np.testing.assert_array_equal(answers(network, seen, FILMS), answers(network, seen, TORCH))
    with pytest.raises(ConfigError, match="absent"):
        answers(network, seen, OPENVINO)


@pytest.mark.parametrize("short", [False, True])
def test_a_copy_on_a_device_agrees_within_what_is_accepted_of_its_precision(short: bool) -> None:
    network, seen = network_of(TORCH), images(TORCH, 2).astype(np.float32)
    expected = answers(network, seen, TORCH)
    with torch.inference_mode():
        found = on_device(network, "cpu", 2, short=short)(seen)
    apart = np.abs(found - expected).max() / np.abs(expected).max()
    assert found.dtype == np.float32
    assert apart <= (runtime.SHORT if short else 1e-5)
    assert (apart > 1e-5) == short


@needs_openvino
def test_openvino_is_used_without_the_part_that_reports_to_its_makers() -> None:
    answers(network_of(OPENVINO), images(OPENVINO, 1), OPENVINO)
    assert sys.modules.get("openvino_telemetry") is None
