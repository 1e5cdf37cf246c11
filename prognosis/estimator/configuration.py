"""The model's configuration from an estimator's parameters."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from prognosis.errors import ConfigError
from prognosis.fusion import ModelConfig


def stated_config(
    config: ModelConfig | str | Path | None,
    folds: int | None,
    bins: int | None,
    replicates: int | None,
    seed: int | None,
) -> ModelConfig:
    """A configuration for records alone; a parameter that is not None stands before the configuration's.

    Raises:
        ConfigError: The configuration cannot be read, or a parameter is out of range.
    """
    if isinstance(config, str | Path):
        config = ModelConfig.load(config)
    own = (ModelConfig() if config is None else _checked(config)).model_dump()
    if seed is not None and not (isinstance(seed, int | np.integer) and seed >= 0):
        raise ConfigError("random_state", "is no seed", "give a whole number, 0 or more")
    own["modalities"] = ["clinical"]
    own |= _given(folds=folds, seed=seed)
    own["fusion"] |= _given(bins=bins, bootstrap=replicates)
    return ModelConfig.from_statement(own, "SurvivalStack")


def is_number(stated: object) -> bool:
    """True for a number of Python's or NumPy's."""
    return isinstance(stated, int | float | np.integer | np.floating)


def _checked(config: object) -> ModelConfig:
    if not isinstance(config, ModelConfig):
        raise ConfigError("config", "is no configuration", "give a ModelConfig or a YAML file's path")
    return config


def _given(**parameters: int | None) -> dict[str, int]:
    return {name: value for name, value in parameters.items() if value is not None}
