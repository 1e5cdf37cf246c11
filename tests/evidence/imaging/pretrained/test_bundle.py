"""MONAI bundles: the encoder of a known network, and nothing that a bundle could run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from prognosis.errors import ConfigError
from prognosis.evidence.imaging import ImagingConfig
from prognosis.evidence.imaging.config import VolumeConfig
from prognosis.evidence.imaging.pretrained import load_encoder


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
