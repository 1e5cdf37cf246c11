"""The settings of the imaging evidence, checked when a configuration is read."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from prognosis.evidence.imaging.outline import LUNG_LAYOUT
from prognosis.evidence.imaging.regions import Layout, parse_layout

LATERAL_VIEWS = ("LL", "RL", "L", "LATERAL")


class VolumeConfig(BaseModel):
    """How a volume (CT, MR) is read.

    Attributes:
        size: Voxels of the block to which a volume is resampled: levels, rows, columns.
        spacing_mm: Between voxels of the block along the same axes, the volume centred in it and what lies
            beyond not read; None fits the whole volume in with its aspect kept.
        windows: (low, high) in Hounsfield units, each an image of its own that CT is read through; of another
            modality every image is the same, from the 0.5th to the 99.5th percentile.
        modalities: DICOM modalities that are read; empty means any.
        minimum_slices: A volume with fewer slices is not read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    size: tuple[int, int, int] = (32, 64, 64)
    spacing_mm: tuple[float, float, float] | None = None
    windows: tuple[tuple[float, float], ...] = Field(
        default=((-1350.0, 150.0), (-160.0, 240.0)), min_length=1
    )
    modalities: tuple[str, ...] = ()
    minimum_slices: int = Field(default=8, ge=2)

    @model_validator(mode="after")
    def _numbers_are_possible(self) -> VolumeConfig:
        if min(self.size) < 8 or max(self.size) > 512:
            message = "size must give 8 to 512 voxels along each axis"
            raise ValueError(message)
        if self.spacing_mm is not None and not all(0.0 < spacing < 100.0 for spacing in self.spacing_mm):
            message = "spacing_mm must be above 0 and below 100"
            raise ValueError(message)
        if any(not low < high for low, high in self.windows):
            message = "each of windows must be (low, high) with low < high"
            raise ValueError(message)
        return self


class ImagingConfig(BaseModel):
    """How films or volumes are read and how the network that reads them is trained.

    Attributes:
        dimensions: 2 reads single films, 3 reads volumes; a study of the other kind is withheld.
        size: Pixels along a side of the square to which a film is resampled (its aspect is kept).
        volume: How a volume is read.
        regions: "six-zones" (upper, middle and lower third on each side), "grid RxC" or, for volumes,
            "grid ZxRxC".
        segmentation: Folder of a model that outlines both lungs on films (configs/tasks/cxr_lungs.yaml): the
            regions are then thirds of each lung and what lies outside them, and `regions` is not used.
        views: DICOM view positions that are read; empty means every view that is not lateral.
        minimum_pixels: A film whose shorter side has fewer pixels is not read.
        contrast_scales: Standard deviations, in pixels of the square, of the Laplacian-of-Gaussian filters
            from which the fixed descriptors are made and which the network is given beside the film.
        channels: Width of each convolution of the trunk.
        strides: Stride of each convolution; their product is the side of an evidence cell in pixels.
        norm: Normalisation between convolutions. "batch" keeps an evidence cell strictly local once
            trained; "group" and "instance" let a cell's evidence depend on the whole film.
        dropout: Share of the trunk's channels dropped while training.
        trunk: "tiny" (what `channels` and `strides` say), "resnet18", "resnet34" or "resnet50" from random
            weights, or "encoder": the pretrained encoder, fine-tuned.
        trunk_rate: The pretrained trunk's share of `learning_rate`.
        encoder: File or folder of a pretrained encoder, read frozen as a member of its own; see
            docs/encoders.md.
        epochs: Passes of the network over the training films; 0 leaves it out.
        learning_rate: Largest step of AdamW; it rises over the first tenth and falls along a cosine.
        weight_decay: AdamW's decoupled decay.
        batch: Films a step.
        augment: "none", "shift" (a few pixels) or "shift-flip" (also left and right exchanged).
        shift: Largest shift as a fraction of `size`.
        threads: Threads used by the network; None leaves PyTorch's own setting.
        runtime: What trained networks are run by: "auto" (CUDA, else OpenVINO where it is installed, else
            PyTorch on the CPU), "torch" (never OpenVINO) or "openvino" (from the first image on).
        precision: "auto" for half precision on CUDA and bfloat16 on a CPU that computes in it; "float32".
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    dimensions: Literal[2, 3] = 2
    size: int = Field(default=128, ge=16, le=1024)
    volume: VolumeConfig = VolumeConfig()
    regions: str = "six-zones"
    segmentation: str | None = None
    views: tuple[str, ...] = ()
    minimum_pixels: int = Field(default=16, ge=8)
    contrast_scales: tuple[float, ...] = (1.0, 1.5, 2.5, 4.0)
    channels: tuple[int, ...] = Field(default=(16, 24, 24), min_length=1)
    strides: tuple[int, ...] = Field(default=(2, 2, 1), min_length=1)
    norm: Literal["batch", "group", "instance", "none"] = "batch"
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    trunk: Literal["tiny", "resnet18", "resnet34", "resnet50", "encoder"] = "tiny"
    trunk_rate: float = Field(default=0.1, ge=0.0, le=1.0)
    encoder: str | None = None
    epochs: int = Field(default=10, ge=0)
    learning_rate: float = Field(default=3e-3, gt=0.0)
    weight_decay: float = Field(default=1e-2, ge=0.0)
    batch: int = Field(default=32, ge=2)
    augment: Literal["none", "shift", "shift-flip"] = "shift-flip"
    shift: float = Field(default=0.04, ge=0.0, le=0.25)
    threads: int | None = Field(default=None, ge=1)
    runtime: Literal["auto", "torch", "openvino"] = "auto"
    precision: Literal["auto", "float32"] = "auto"

    @model_validator(mode="after")
    def _shape_is_possible(self) -> ImagingConfig:
        parse_layout(self.regions, self.dimensions)
        if len(self.channels) != len(self.strides) or any(stride not in (1, 2) for stride in self.strides):
            message = "strides must give 1 or 2 for each of channels"
            raise ValueError(message)
        if any(side % math.prod(self.strides) for side in self.shape):
            size = self.size if self.dimensions == 2 else self.volume.size
            message = f"size {size} must be a multiple of the strides' product {math.prod(self.strides)}"
            raise ValueError(message)
        if self.segmentation is not None and self.dimensions != 2:
            message = "segmentation outlines the lungs of films, and dimensions is 3"
            raise ValueError(message)
        if self.trunk == "encoder" and self.encoder is None:
            message = "trunk: encoder needs encoder: the file or folder of its weights"
            raise ValueError(message)
        return self

    @property
    def layout(self) -> Layout:
        """The regions; those of outlined lungs lie where each film's outline says."""
        return LUNG_LAYOUT if self.segmentation is not None else parse_layout(self.regions, self.dimensions)

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels or voxels along each axis of what is read."""
        return (self.size, self.size) if self.dimensions == 2 else self.volume.size

    @property
    def cells(self) -> tuple[int, ...]:
        """Cells of the fixed descriptors and of the tiny network along each axis."""
        return tuple(side // math.prod(self.strides) for side in self.shape)

    @property
    def images(self) -> int:
        """Images that one film or volume is read through: one, or one a window."""
        return 1 if self.dimensions == 2 else len(self.volume.windows)

    @property
    def width(self) -> int:
        """Channels of the network's input: each image and its local contrast at each scale."""
        return self.images * (1 + len(self.contrast_scales))

    def reads_view(self, view: str) -> bool:
        """True when films of this view position are read."""
        view = view.upper()
        return view in self.views if self.views else view not in LATERAL_VIEWS
