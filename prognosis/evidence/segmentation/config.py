"""The settings of a segmentation model, checked when a configuration is read."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SegmentationConfig(BaseModel):
    """How images are read, and how the network that outlines structures on them is built and trained.

    Attributes:
        network: "unet" halves the image at every level but the first with strided convolutions and residual
            units (Kerfoot et al., STACOM 2018); "basic_unet" starts at full resolution (Falk et al., Nat
            Methods 2019) and costs about three times as much.
        channels: Width of each level, finest first; each level halves the grid.
        norm: Between convolutions: "instance" by each image's own mean and spread, of a patch those of the
            patch; "batch" by those of the training images, so that a volume may be answered in one pass.
        residual_units: Convolutions a residual unit of "unet"; 0 for plain ones.
        size: Longer side, in pixels, of the grid on which films are read (their aspect is kept).
        spacing_mm: Voxel (z, y, x) of the grid on which volumes are read; None reads them on their own.
        patch: Voxels (z, y, x) of a volume that the network sees at once.
        window: Intensities that become 0 and 1 (lung window of a CT: -1350, 150); None takes the image's
            0.5th and 99.5th percentile.
        epochs: Passes over the training images.
        patches: Patches drawn from a volume in each pass.
        batch: Images or patches a step.
        learning_rate: Largest step of AdamW; it rises over the first tenth and falls along a cosine.
        weight_decay: AdamW's decoupled decay.
        averaging: The weights used are a running mean over steps, which keeps this share of itself at each.
        augment: Strength of random rotation, scaling, shift, contrast and noise: 0 for none.
        mirror: Also learn from, and answer as the mean with, the image mirrored left to right, its structures
            exchanged by their sides.
        overlap: Share of a patch's side by which neighbouring patches of a volume overlap.
        largest_part: Keep only the largest connected part of each structure.
        threads: Threads used by the network; None leaves PyTorch's own setting.
        runtime: What trained networks are run by: "auto" (CUDA, else OpenVINO where it is installed, else
            PyTorch on the CPU), "torch" (never OpenVINO) or "openvino" (from the first image on).
        precision: "auto" for half precision on CUDA and bfloat16 on a CPU that computes in it; "float32".
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    network: Literal["unet", "basic_unet"] = "unet"
    channels: tuple[int, ...] = Field(default=(16, 32, 64, 128, 256), min_length=2, max_length=7)
    norm: Literal["instance", "batch"] = "instance"
    residual_units: int = Field(default=2, ge=0, le=4)
    size: int = Field(default=128, ge=16, le=2048)
    spacing_mm: tuple[float, float, float] | None = None
    patch: tuple[int, int, int] = (64, 64, 64)
    window: tuple[float, float] | None = None
    epochs: int = Field(default=60, ge=1)
    patches: int = Field(default=1, ge=1)
    batch: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=3e-3, gt=0.0)
    weight_decay: float = Field(default=1e-2, ge=0.0)
    averaging: float = Field(default=0.98, ge=0.0, lt=1.0)
    augment: float = Field(default=1.0, ge=0.0, le=3.0)
    mirror: bool = True
    overlap: float = Field(default=0.5, ge=0.0, lt=1.0)
    largest_part: bool = True
    threads: int | None = Field(default=None, ge=1)
    runtime: Literal["auto", "torch", "openvino"] = "auto"
    precision: Literal["auto", "float32"] = "auto"

    @model_validator(mode="after")
    def _grids_can_be_halved(self) -> SegmentationConfig:
        step = self.coarsest
        for name, sides in (("size", (self.size,)), ("patch", self.patch)):
            if any(side % step or side < 2 * step for side in sides):
                message = f"{name} must be a multiple of {step}, and at least two of it"
                raise ValueError(message)
        if self.network == "basic_unet" and len(self.channels) != 5:
            message = "basic_unet has 5 levels of channels"
            raise ValueError(message)
        if self.spacing_mm is not None and min(self.spacing_mm) <= 0.0:
            message = "spacing_mm must be above 0"
            raise ValueError(message)
        if self.window is not None and self.window[0] >= self.window[1]:
            message = "window must rise"
            raise ValueError(message)
        return self

    @property
    def coarsest(self) -> int:
        """Voxels of the working grid along a side of a voxel of the coarsest level."""
        return int(2 ** (len(self.channels) - 1))

    def bytes_at_once(self, grid: tuple[int, ...]) -> int:
        """About what one pass through a volume of this grid holds in memory.

        Measured of both networks, in PyTorch and in OpenVINO: at most ten times the numbers of the finest
        level, in single precision.
        """
        finest = 8 if self.network == "unet" else 1
        return 4 * 10 * self.channels[0] * math.prod(grid) // finest

    def window_shape(self, dimensions: int) -> tuple[int, ...]:
        """What the network sees at once: a whole film's square, or a patch of a volume."""
        return (self.size, self.size) if dimensions == 2 else self.patch
