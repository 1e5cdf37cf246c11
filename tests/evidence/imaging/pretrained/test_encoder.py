"""A pretrained encoder at work: features in their places, evidence that adds up, weights that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prognosis.errors import BundleError, ConfigError
from prognosis.evidence.imaging import ImagingConfig, fit_imaging, load_imaging
from prognosis.evidence.imaging.config import VolumeConfig
from prognosis.evidence.imaging.pretrained import PretrainedEncoder, load_encoder
from prognosis.evidence.imaging.pretrained import encoder as encoder_module
from prognosis.evidence.imaging.pretrained.statement import EncoderStatement
from tests.evidence.imaging.chests import cohort
from tests.evidence.imaging.pretrained.small import CONFIG, plain_file, small_shape, transformers_model


def test_a_patch_token_says_what_lies_at_its_own_place(tmp_path: Path) -> None:
    transformers_model("vit").save_pretrained(tmp_path)
    encoder = load_encoder(tmp_path)
    dark = np.full((1, 2, 32, 32), -1.0, dtype=np.float16)
    bright = dark.copy()
    bright[0, 0, 8:16, 24:32] = 1.0
    moved = np.abs(encoder.feature_maps(bright, CONFIG) - encoder.feature_maps(dark, CONFIG)).sum(axis=(0, 1))
    assert np.unravel_index(moved.argmax(), moved.shape) == (1, 3)


def test_an_encoder_of_the_wrong_dimensions_is_refused(tmp_path: Path) -> None:
    encoder = load_encoder(plain_file(tmp_path / "weights.pt", small_shape(3)))
    with pytest.raises(ConfigError, match="reads 3 dimensions"):
        encoder.check(CONFIG)


def test_an_encoder_of_other_axes_sees_the_image_turned_and_gives_its_map_turned_back(tmp_path: Path) -> None:
    class Kept(torch.nn.Module):
        seen: torch.Tensor

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.seen = images
            return images

    config = ImagingConfig(
        dimensions=3,
        volume=VolumeConfig(size=(8, 12, 16), windows=((0.0, 1.0),)),
        channels=(2,),
        strides=(2,),
        contrast_scales=(),
    )
    statement = EncoderStatement(kind="resnet", dimensions=3, channels=1, network={}, axes="SRA")
    network = Kept()
    encoder = PretrainedEncoder(statement, network, tmp_path)
    channels = np.random.default_rng(0).random((1, 1, 8, 12, 16)).astype(np.float16)
    plain = channels.astype(np.float32) / 2.0 + 0.5
    np.testing.assert_allclose(encoder.feature_maps(channels, config), plain, atol=1e-6)
    assert network.seen.shape[2:] == (8, 16, 12)
    expected = plain[0, 0, ::-1, ::-1, ::-1].transpose(0, 2, 1)
    np.testing.assert_allclose(network.seen[0, 0].numpy(), expected, atol=1e-6)


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    return plain_file(tmp_path / "weights.pt", small_shape(2, channels=3))


@pytest.mark.parametrize("epochs", [0, 1])
def test_with_a_frozen_encoder_the_evidence_is_still_the_sum_of_its_regions(
    epochs: int, shifted: Path, tmp_path: Path
) -> None:
    cases, target, folds, _ = cohort(24)
    config = replace_config(encoder=str(shifted), epochs=epochs, trunk="encoder" if epochs else "tiny")
    fit = fit_imaging(cases, target, folds, config, seed=1)
    assert fit.model.combination.slopes.shape[0] == 2 + epochs
    assert np.abs(fit.model.folds[0].frozen).max() > 0.0
    summary = fit.model.summarise(cases[:3])
    for row, one in enumerate(cases[:3]):
        tokens = fit.model.tokens(one)
        np.testing.assert_allclose(sum(token.evidence for token in tokens), summary.evidence[row], atol=1e-5)
        drawn = fit.model.evidence_map(one)
        level = sum(token.evidence for token in tokens if "change" not in token.name)
        np.testing.assert_allclose(drawn.evidence.sum(axis=(1, 2)), level[:, 0], atol=1e-5)
    saved = tmp_path / "model"
    saved.mkdir()
    fit.model.save(saved)
    shifted.unlink()
    np.testing.assert_array_equal(load_imaging(saved).summarise(cases[:3]).evidence, summary.evidence)


def test_a_large_encoder_is_named_and_refused_when_it_is_another(
    shifted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_module, "MOST_CARRIED_BYTES", 0)
    cases, target, folds, _ = cohort(16)
    fit = fit_imaging(cases, target, folds, replace_config(encoder=str(shifted)), seed=1)
    saved = tmp_path / "model"
    saved.mkdir()
    fit.model.save(saved)
    assert not (saved / "encoder").exists()
    assert load_imaging(saved).encoder.digest == fit.model.encoder.digest
    plain_file(shifted, small_shape(2, channels=3), seed=9)
    with pytest.raises(BundleError, match="is another encoder"):
        load_imaging(saved)
    shifted.unlink()
    with pytest.raises(BundleError, match="cannot be read"):
        load_imaging(saved)


def test_a_fine_tuned_trunk_starts_at_the_pretrained_weights(shifted: Path) -> None:
    from prognosis.evidence.imaging.encoder import build_encoder

    encoder = load_encoder(shifted)
    config = replace_config(encoder=str(shifted), trunk="encoder", epochs=1)
    network = build_encoder(config, 2, encoder)
    first = next(network.parameters())
    assert torch.equal(first, next(encoder.network.parameters()))
    assert first is not next(encoder.network.parameters())


def replace_config(**changes: Any) -> ImagingConfig:
    return ImagingConfig.model_validate({**CONFIG.model_dump(), **changes})
