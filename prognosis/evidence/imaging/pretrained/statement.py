"""What an encoder is, stated beside its weights: how to build it and what it expects of an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prognosis.errors import ConfigError

STATEMENT_FILE = "encoder.json"
WEIGHTS_FILE = "model.safetensors"

Model = TypeVar("Model", bound=BaseModel)

_OWN_AXES = {2: "IL", 3: "IPL"}
_OPPOSITE = {"I": "S", "P": "A", "L": "R"}


class Expectation(BaseModel):
    """What an encoder expects of an image.

    Attributes:
        axes: The patient direction in which each axis of its input runs: I or S (feet, head), P or A (back,
            front), L or R. A film is "IL", a volume "IPL" unless stated.
        size: Pixels or voxels along those axes to which the image is resampled; None leaves it as it is.
        mean: Subtracted from an image of 0 to 1, one a channel or one for all.
        std: What it is then divided by.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    axes: str = ""
    size: tuple[int, ...] | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


class EncoderStatement(Expectation):
    """An encoder's whole statement, `encoder.json`.

    Attributes:
        kind: "resnet" and "tiny" are our own networks; "transformers" and "monai" are theirs.
        dimensions: 2 or 3.
        channels: Images that the network takes.
        network: What its kind is built from.
    """

    kind: Literal["resnet", "tiny", "transformers", "monai"]
    dimensions: Literal[2, 3]
    channels: int = Field(ge=1)
    network: dict[str, Any]

    @model_validator(mode="after")
    def _axes_are_the_patients(self) -> EncoderStatement:
        order = self.order
        if sorted(order) != list(range(self.dimensions)) or len(self.own_axes) != self.dimensions:
            message = f"axes {self.axes!r} must name each direction once, like {_OWN_AXES[self.dimensions]!r}"
            raise ValueError(message)
        if self.size is not None and (len(self.size) != self.dimensions or min(self.size) < 1):
            message = f"size must give {self.dimensions} numbers above 0"
            raise ValueError(message)
        if {len(self.mean), len(self.std)} - {1, self.channels} or min(self.std) <= 0.0:
            message = f"mean and std must give 1 or {self.channels} numbers, std above 0"
            raise ValueError(message)
        return self

    @property
    def own_axes(self) -> str:
        """The directions of its input's axes."""
        return self.axes or _OWN_AXES[self.dimensions]

    @property
    def order(self) -> tuple[int, ...]:
        """Which of our axes each of its axes is; -1 for a direction that is none of ours."""
        ours = _OWN_AXES[self.dimensions]
        return tuple(
            next((place for place, own in enumerate(ours) if letter in (own, _OPPOSITE[own])), -1)
            for letter in self.own_axes
        )

    @property
    def flipped(self) -> tuple[int, ...]:
        """Those of its axes that run against ours."""
        return tuple(place for place, letter in enumerate(self.own_axes) if letter in _OPPOSITE.values())


def read_json(path: Path) -> Any:  # noqa: ANN401 - what a JSON file holds
    """What a JSON file states.

    Raises:
        ConfigError: It cannot be read.
    """
    import json

    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(str(path), "cannot be read as JSON", "copy the encoder's folder again") from error


def checked(kind: type[Model], stated: object, path: Path) -> Model:
    """A statement as its model.

    Raises:
        ConfigError: A field is unknown, missing or out of range.
    """
    try:
        return kind.model_validate(stated)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'encoder'}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise ConfigError(str(path), faults, "see docs/encoders.md for what it may state") from error
