"""The settings of self-supervised pretraining."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prognosis.cohort.statement import read_yaml, refusal
from prognosis.errors import ConfigError
from prognosis.evidence.imaging.config import ImagingConfig


class PretrainingConfig(BaseModel):
    """How an encoder learns from images alone.

    Attributes:
        imaging: How images are read, and the trunk that is trained; a model that uses the encoder must read
            images of the same dimensions and, with the tiny trunk, the same contrast scales.
        epochs: Passes over the images.
        batch: Images a step; each is seen twice.
        learning_rate: Largest step of AdamW; it rises over the first tenth and falls along a cosine.
        weight_decay: AdamW's decoupled decay.
        projector: Width of the two layers behind the trunk, which are thrown away afterwards.
        smallest_crop: Smallest side of a random crop, as a share of the image's.
        mirror: Exchange left and right at random; turn it off where the side itself must be told.
        brightness: Largest change of an image's contrast and brightness, as a share.
        noise: Standard deviation of the noise added to the input channels.
        seed: Of the first weights, the order and the views.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    imaging: ImagingConfig = ImagingConfig()
    epochs: int = Field(default=50, ge=1)
    batch: int = Field(default=64, ge=4)
    learning_rate: float = Field(default=2e-3, gt=0.0)
    weight_decay: float = Field(default=1e-4, ge=0.0)
    projector: int = Field(default=256, ge=8)
    smallest_crop: float = Field(default=0.6, gt=0.0, le=1.0)
    mirror: bool = True
    brightness: float = Field(default=0.3, ge=0.0, lt=1.0)
    noise: float = Field(default=0.05, ge=0.0)
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _the_trunk_is_trained(self) -> PretrainingConfig:
        if self.imaging.encoder is not None:
            message = "imaging.encoder is already trained: pretraining starts from random weights"
            raise ValueError(message)
        return self

    @classmethod
    def load(cls, path: Path) -> PretrainingConfig:
        """Read the settings from YAML.

        Raises:
            ConfigError: The file cannot be read, or a field is unknown or out of range.
        """
        stated = read_yaml(path, ConfigError, "pretraining settings")
        return cls.from_statement(stated or {}, str(path))

    @classmethod
    def from_statement(cls, stated: object, reference: str) -> PretrainingConfig:
        """Check parsed settings.

        Raises:
            ConfigError: A field is unknown or out of range; every one is named.
        """
        try:
            return cls.model_validate(stated)
        except ValidationError as error:
            raise refusal(
                cls, error, reference, ConfigError, "see docs/encoders.md for the settings"
            ) from error
