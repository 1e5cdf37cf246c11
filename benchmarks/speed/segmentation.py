"""Structures outlined in one volume by a trained network, from its voxels in memory to labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from monai.inferers.utils import sliding_window_inference
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.speed.timing import OURS, Comparison, in_turn
from prognosis.evaluation.mask_metrics import dice
from prognosis.evidence.imaging import openvino_export
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.inference import segment_volume
from prognosis.evidence.segmentation.training import read_example, train_network
from prognosis.record import Segmentation, Volume

PACKAGES = ("monai", "openvino", "torch")
_MONAI = "MONAI sliding window, overlap 0.25"
_STRUCTURE = "lesion"

Labels = NDArray[np.uint8]


def _drawn(seed: int, side: int) -> tuple[Volume, Segmentation]:
    """Bright and dark balls in coarse noise; the bright ones are the lesions."""
    rng = np.random.default_rng(seed)
    voxels = ndimage.gaussian_filter(rng.normal(size=(side,) * 3).astype(np.float32), 1.5)
    voxels *= 0.1 / voxels.std()
    labels = np.zeros((side,) * 3, dtype=np.uint8)
    places = np.indices((side,) * 3, sparse=True)
    for number in range(max(4, side**3 // 400_000)):
        centre, radius = rng.uniform(8, side - 8, 3), rng.uniform(5.0, 12.0)
        away = sum((place - middle) ** 2 for place, middle in zip(places, centre, strict=True))
        ball = away < radius**2
        voxels[ball] += 0.5 if number % 2 else -0.5
        labels[ball] = number % 2
    volume = Volume(voxels, np.eye(4), "ImagingStudy/1#1", "CT")
    return volume, Segmentation(labels, (_STRUCTURE,), volume.affine, volume.source)


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """256 x 256 x 256 voxels by MONAI's UNet, trained here on volumes drawn like it."""
    torch.set_num_threads(threads)
    side, patch = (64, 32) if quick else (256, 96)
    config = SegmentationConfig(
        norm="batch",
        channels=(8, 16, 32) if quick else (16, 32, 64, 128),
        patch=(patch,) * 3,
        window=(-1.0, 1.0),
        epochs=2 if quick else 50,
        patches=2,
        batch=2,
        augment=0.0,
        learning_rate=5e-3,
        averaging=0.9,
        mirror=False,
        largest_part=False,
        threads=threads,
        runtime="openvino",
    )
    learning = config.model_copy(update={"patch": (patch // 2,) * 3})
    learnt = [read_example(*_drawn(seed, patch), (_STRUCTURE,), learning) for seed in range(1, 5)]
    network = train_network(learnt, (_STRUCTURE,), learning, 0).eval()
    volume, marked = _drawn(0, side)
    tensor = torch.from_numpy((np.clip(volume.voxels, -1.0, 1.0) + 1.0) / 2.0)[None, None]

    def ours() -> Labels:
        return segment_volume(network, volume, (_STRUCTURE,), config, one_pass=True).labels

    def monai() -> Labels:
        with torch.inference_mode():
            found = sliding_window_inference(tensor, config.patch, 4, network)
        return found[0].argmax(dim=0).numpy().astype(np.uint8)

    timings, values = in_turn({OURS: ours, _MONAI: monai}, {OURS: 3, _MONAI: 1})
    found, theirs = (dice(values[name] == 1, marked.labels == 1) for name in (OURS, _MONAI))
    if not quick and (abs(found - theirs) > 0.005 or found < 0.9):
        message = f"Dice {found:.4f} and {theirs:.4f}"
        raise AssertionError(message)
    short = "bfloat16" if openvino_export.computes_bfloat16() else "single precision"
    yield Comparison(
        task=f"{side} x {side} x {side} voxels outlined by a UNet, patches of {patch} or one pass",
        timings=timings,
        goals={_MONAI: 8.0},
        equality=f"Dice with what was drawn {found:.4f}, MONAI's {theirs:.4f}; "
        f"of the two with each other {dice(values[OURS] == 1, values[_MONAI] == 1):.4f}; ours in {short}",
    )
