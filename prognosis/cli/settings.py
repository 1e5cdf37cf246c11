"""Model settings from a YAML file and from --set key=value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from prognosis.errors import ConfigError
from prognosis.fusion import ModelConfig


def model_config(path: Path | None, settings: Sequence[str]) -> ModelConfig:
    """The configuration of a run.

    Args:
        path: A YAML file; the defaults without one.
        settings: "section.field=value", the value as YAML.

    Raises:
        ConfigError: A setting is not of that form, or the result is not valid.
    """
    config = ModelConfig.load(path) if path is not None else ModelConfig()
    if not settings:
        return config
    stated: dict[str, Any] = config.model_dump(mode="json")
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting}", "has no value", "write it as section.field=value")
        *sections, field = name.split(".")
        place = stated
        for section in sections:
            inner = place.get(section)
            if not isinstance(inner, dict):
                raise ConfigError(f"--set {setting}", f"there is no section {section!r}", f"use one of {', '.join(stated)}")
            place = inner
        place[field] = yaml.safe_load(value)
    return ModelConfig.from_statement(stated, "--set")
