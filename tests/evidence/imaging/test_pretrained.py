"""Encoders trained elsewhere: read strictly from four forms, and refused by name where they do not fit."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
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
from prognosis.evidence.imaging.resnet import ResNetShape, build_resnet
from tests.evidence.imaging.chests import cohort

CONFIG = ImagingConfig(size=32, contrast_scales=(1.0,), channels=(4,), strides=(2,), epochs=0)


def small_shape(dimensions: int, *, bottleneck: bool = False, channels: int = 1) -> ResNetShape:
    stem, stride = (7,) * dimensions, (2,) * dimensions
    return ResNetShape(
        dimensions,
        channels,
        (1, 1, 1, 1),
        bottleneck,
        width=4,
        stem=stem,
        stem_stride=stride,
        projected_first=bottleneck,
    )


def plain_file(path: Path, shape: ResNetShape, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    torch.save({"state_dict": {f"module.{k}": v for k, v in build_resnet(shape).state_dict().items()}}, path)
    return path


def transformers_model(name: str) -> Any:
    import transformers

    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    made: dict[str, Callable[[], Any]] = {
        "vit": lambda: transformers.ViTConfig(**small, image_size=32, patch_size=8),
        "dinov2": lambda: transformers.Dinov2WithRegistersConfig(
            hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=8
        ),
        "resnet": lambda: transformers.ResNetConfig(
            embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"
        ),
        "convnext": lambda: transformers.ConvNextConfig(
            hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, image_size=32
        ),
        "swin": lambda: transformers.SwinConfig(
            embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4, image_size=32, patch_size=2
        ),
        "clip": lambda: transformers.CLIPConfig(
            vision_config={**small, "image_size": 32, "patch_size": 8},
            text_config={**small, "vocab_size": 99},
        ),
    }
    torch.manual_seed(0)
    return transformers.AutoModel.from_config(made[name]())


@pytest.mark.parametrize(
    ("name", "cells"),
    [("vit", 4), ("dinov2", 4), ("resnet", 4), ("convnext", 4), ("swin", 8), ("clip", 4)],
)
def test_a_hugging_face_vision_folder_gives_its_patches_in_their_places(
    name: str, cells: int, tmp_path: Path
) -> None:
    transformers_model(name).save_pretrained(tmp_path)
    encoder = load_encoder(tmp_path)
    assert encoder.map_shape(CONFIG)[1:] == (cells, cells)
    encoder.save(tmp_path / "own")
    again = load_encoder(tmp_path / "own")
    assert again.digest == encoder.digest
    channels = np.random.default_rng(0).standard_normal((1, 2, 32, 32)).astype(np.float16)
    np.testing.assert_array_equal(
        again.feature_maps(channels, CONFIG), encoder.feature_maps(channels, CONFIG)
    )


def test_a_patch_token_says_what_lies_at_its_own_place(tmp_path: Path) -> None:
    transformers_model("vit").save_pretrained(tmp_path)
    encoder = load_encoder(tmp_path)
    dark = np.full((1, 2, 32, 32), -1.0, dtype=np.float16)
    bright = dark.copy()
    bright[0, 0, 8:16, 24:32] = 1.0
    moved = np.abs(encoder.feature_maps(bright, CONFIG) - encoder.feature_maps(dark, CONFIG)).sum(axis=(0, 1))
    assert np.unravel_index(moved.argmax(), moved.shape) == (1, 3)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("bottleneck", [False, True])
def test_bare_weights_tell_their_own_network(dimensions: int, bottleneck: bool, tmp_path: Path) -> None:
    shape = small_shape(dimensions, bottleneck=bottleneck)
    encoder = load_encoder(plain_file(tmp_path / "weights.pt", shape))
    assert encoder.statement.dimensions == dimensions
    stated = encoder.statement.network
    assert stated["bottleneck"] == bottleneck
    assert list(stated["stem_stride"]) == [2] * dimensions


@pytest.mark.parametrize(("dimensions", "name"), [(2, "resnet18"), (3, "resnet50"), (3, "resnet34")])
def test_monais_residual_networks_give_the_same_map_in_ours(
    dimensions: int, name: str, tmp_path: Path
) -> None:
    from monai.networks import nets

    torch.manual_seed(1)
    theirs = getattr(nets, name)(
        spatial_dims=dimensions,
        n_input_channels=1,
        conv1_t_stride=2,
        widen_factor=0.125,
        num_classes=2,
        shortcut_type="A" if name == "resnet34" else "B",
    ).eval()
    torch.save(theirs.state_dict(), tmp_path / "weights.pt")
    encoder = load_encoder(tmp_path / "weights.pt")
    images = torch.randn(1, 1, *(40,) * dimensions)
    features = theirs.maxpool(theirs.act(theirs.bn1(theirs.conv1(images))))
    for stage in (theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4):
        features = stage(features)
    with torch.inference_mode():
        torch.testing.assert_close(encoder.network(images), features)


def bundle(folder: Path, network_def: dict[str, Any], network: torch.nn.Module | None = None) -> Path:
    (folder / "configs").mkdir()
    (folder / "models").mkdir()
    config = {"width": 4, "network_def": network_def, "preprocessing": {"_target_": "Compose"}}
    (folder / "configs" / "inference.json").write_text(json.dumps(config))
    if network is not None:
        torch.save(network.state_dict(), folder / "models" / "model.pt")
    return folder


NETWORKS: dict[str, dict[str, Any]] = {
    "SegResNet": {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "init_filters": 8},
    "UNet": {
        "spatial_dims": 3,
        "in_channels": 1,
        "out_channels": 2,
        "channels": [4, 8, 16],
        "strides": [2, 2],
        "num_res_units": 1,
    },
    "DenseNet121": {
        "spatial_dims": 3,
        "in_channels": 1,
        "out_channels": 2,
        "init_features": 8,
        "growth_rate": 4,
    },
    "resnet18": {"spatial_dims": 3, "n_input_channels": 1, "num_classes": 2, "widen_factor": 0.125},
}


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_monai_bundle_gives_the_map_of_its_networks_encoder(name: str, tmp_path: Path) -> None:
    from monai.networks import nets

    network = getattr(nets, name)(**NETWORKS[name])
    folder = bundle(tmp_path, {"_target_": name, **NETWORKS[name]}, network)
    encoder = load_encoder(folder)
    config = ImagingConfig(
        dimensions=3,
        volume=VolumeConfig(size=(32, 32, 32), windows=((-1000.0, 400.0),)),
        strides=(2,),
        channels=(4,),
        contrast_scales=(1.0,),
    )
    encoder.check(config)
    shape = encoder.map_shape(config)
    assert len(shape) == 4
    assert shape[0] > 2


@pytest.mark.parametrize(
    ("network_def", "reason"),
    [
        ({"_target_": "os.system", "command": "true"}, "is none of"),
        ({"_target_": "UNet", "in_channels": "$__import__('os').getpid()"}, "expression"),
        ({"_target_": "UNet", "act": {"_target_": "torch.nn.ReLU"}}, "builds an object"),
        ({"_target_": "UNet", "in_channels": "@preprocessing"}, "no plain value"),
        ({"_target_": "UNet", "nonsense": 3}, "cannot be built"),
    ],
)
def test_a_bundle_that_asks_for_anything_but_a_known_network_is_refused(
    network_def: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=reason):
        load_encoder(bundle(tmp_path, network_def))


class _Runs:
    """What a pickle would do if it were opened without care."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.getpid, ()


def test_a_file_that_needs_unpickling_of_more_than_tensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save({"state_dict": _Runs()}, path)
    with pytest.raises(ConfigError, match=r"weights\.pt: holds more than tensors"):
        load_encoder(path)
    (tmp_path / "old.pt").write_bytes(pickle.dumps({"conv1.weight": [1.0]}))
    with pytest.raises(ConfigError, match=r"old\.pt"):
        load_encoder(tmp_path / "old.pt")


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = plain_file(tmp_path / "weights.pt", small_shape(2))
    whole = torch.load(path, weights_only=True)["state_dict"]

    def refused(change: dict[str, Any], without: str, reason: str) -> None:
        state = {name: value for name, value in {**whole, **change}.items() if name != without}
        torch.save(state, path)
        with pytest.raises(ConfigError, match=reason):
            load_encoder(path)

    refused({}, "module.bn1.weight", r"missing bn1\.weight")
    refused({"module.layer1.0.conv9.weight": torch.zeros(1)}, "", r"left over layer1\.0\.conv9\.weight")
    refused(
        {"module.layer2.0.conv2.weight": torch.zeros(3, 3)},
        "",
        r"layer2\.0\.conv2\.weight has shape \(3, 3\)",
    )
    refused({"module.bn1.weight": torch.full((4,), torch.nan)}, "", "not finite")
    refused({}, "module.conv1.weight", r"no conv1\.weight")


def test_what_is_no_encoder_is_refused_with_the_forms_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not there; give a Hugging Face"):
        load_encoder(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="0 files of weights"):
        load_encoder(tmp_path)
    import transformers

    words = transformers.BertConfig(
        vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(words).save_pretrained(tmp_path / "words")
    with pytest.raises(ConfigError, match="no vision model"):
        load_encoder(tmp_path / "words")
    (tmp_path / "config.json").write_text('{"model_type": "vit", "auto_map": {"AutoModel": "evil.Evil"}}')
    with pytest.raises(ConfigError, match="code of its own"):
        load_encoder(tmp_path)


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


def test_real_3d_weights_load_strictly_and_read_a_volume() -> None:
    place = os.environ.get("PROGNOSIS_3D_ENCODER")
    if place is None:
        pytest.skip("PROGNOSIS_3D_ENCODER does not name a file of 3D weights; see docs/encoders.md")
    encoder = load_encoder(Path(place))
    config = ImagingConfig(
        dimensions=3, volume=VolumeConfig(size=(32, 64, 64), windows=((-1000.0, 200.0),)), threads=1
    )
    encoder.check(config)
    channels = np.random.default_rng(0).random((1, config.width, *config.shape)).astype(np.float16)
    seen = encoder.feature_maps(channels, config)
    assert seen.shape[1] == 2048
    assert np.isfinite(seen).all()
    assert seen.std() > 0.0
