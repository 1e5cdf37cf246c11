"""Small encoders in the forms that others write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from prognosis.evidence.imaging import ImagingConfig
from prognosis.evidence.imaging.resnet import ResNetShape, build_resnet

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
