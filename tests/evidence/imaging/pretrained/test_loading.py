"""Encoders trained elsewhere: read strictly, and refused by name where they do not fit."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prognosis.errors import ConfigError
from prognosis.evidence.imaging import ImagingConfig
from prognosis.evidence.imaging.config import VolumeConfig
from prognosis.evidence.imaging.pretrained import load_encoder
from tests.evidence.imaging.pretrained.small import CONFIG, plain_file, small_shape, transformers_model


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
