"""The settings of the imaging evidence, checked when a configuration is read."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from prognosis.evidence.imaging.regions import parse_layout

LATERAL_VIEWS = ("LL", "RL", "L", "LATERAL")


class ImagingConfig(BaseModel):
    """How films are read and how the network that reads them is trained.

    Attributes:
        size: Pixels along a side of the square to which a film is resampled (its aspect is kept).
        regions: "six-zones" (upper, middle and lower third on each side) or "grid RxC".
        views: DICOM view positions that are read; empty means every view that is not lateral.
        minimum_pixels: A film whose shorter side has fewer pixels is not read.
        reject_inverted: Do not read a film whose mediastinum is darker than its lungs.
        contrast_scales: Standard deviations, in pixels of the square, of the Laplacian-of-Gaussian filters
            from which the fixed descriptors are made and which the network is given beside the film.
        channels: Width of each convolution of the trunk.
        strides: Stride of each convolution; their product is the side of an evidence cell in pixels.
        norm: Normalisation between convolutions. "batch" keeps an evidence cell strictly local once
            trained; "group" and "instance" let a cell's evidence depend on the whole film.
        dropout: Share of the trunk's channels dropped while training.
        epochs: Passes of the network over the training films; 0 leaves the fixed descriptors alone.
        learning_rate: Largest step of AdamW; it rises over the first tenth and falls along a cosine.
        weight_decay: AdamW's decoupled decay.
        batch: Films a step.
        augment: "none", "shift" (a few pixels) or "shift-flip" (also left and right exchanged).
        shift: Largest shift as a fraction of `size`.
        threads: Threads used by the network; None leaves PyTorch's own setting.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(default=128, ge=16, le=1024)
    regions: str = "six-zones"
    views: tuple[str, ...] = ()
    minimum_pixels: int = Field(default=16, ge=8)
    reject_inverted: bool = False
    contrast_scales: tuple[float, ...] = (1.0, 1.5, 2.5, 4.0)
    channels: tuple[int, ...] = Field(default=(16, 24, 24), min_length=1)
    strides: tuple[int, ...] = Field(default=(2, 2, 1), min_length=1)
    norm: Literal["batch", "group", "instance", "none"] = "batch"
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    epochs: int = Field(default=10, ge=0)
    learning_rate: float = Field(default=3e-3, gt=0.0)
    weight_decay: float = Field(default=1e-2, ge=0.0)
    batch: int = Field(default=32, ge=2)
    augment: Literal["none", "shift", "shift-flip"] = "shift-flip"
    shift: float = Field(default=0.04, ge=0.0, le=0.25)
    threads: int | None = Field(default=None, ge=1)

    @field_validator("regions")
    @classmethod
    def _layout_is_known(cls, layout: str) -> str:
        parse_layout(layout)
        return layout

    @model_validator(mode="after")
    def _shape_is_possible(self) -> ImagingConfig:
        if len(self.channels) != len(self.strides) or any(stride not in (1, 2) for stride in self.strides):
            message = "strides must give 1 or 2 for each of channels"
            raise ValueError(message)
        if self.size % math.prod(self.strides):
            message = f"size {self.size} must be a multiple of the strides' product {math.prod(self.strides)}"
            raise ValueError(message)
        return self

    @property
    def cells(self) -> int:
        """Cells along a side of the evidence map."""
        return self.size // math.prod(self.strides)

    def reads_view(self, view: str) -> bool:
        """True when films of this view position are read."""
        view = view.upper()
        return view in self.views if self.views else view not in LATERAL_VIEWS
