"""Model settings: defaults, what the task asks for, a YAML file, --set key=value; the later overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from prognosis.cohort import Task
from prognosis.errors import ConfigError
from prognosis.fusion import ModelConfig


def model_config(path: Path | None, settings: Sequence[str], task: Task) -> ModelConfig:
    """The configuration of a run.

    Args:
        path: A YAML file, or None.
        settings: "section.field=value", the value as YAML.
        task: Its own settings are the starting point.

    Raises:
        ConfigError: The file or a setting cannot be read, or the result is not valid.
    """
    stated: dict[str, Any] = dict(task.model)
    if path is not None:
        stated = merged(stated, read_settings(path))
    stated = merged(stated, stated_settings(settings))
    return ModelConfig.from_statement(stated, " ".join([f"task {task.name}", *([str(path)] if path else [])]))


def stated_settings(settings: Sequence[str]) -> dict[str, Any]:
    """The settings that "section.field=value" state, the value as YAML; the later overrides.

    Raises:
        ConfigError: One has no value.
    """
    stated: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting}", "has no value", "write it as section.field=value")
        nested: Any = yaml.safe_load(value)
        for part in reversed(name.split(".")):
            nested = {part: nested}
        stated = merged(stated, nested)
    return stated


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of a YAML file.

    Raises:
        ConfigError: The file cannot be read or is not a mapping.
    """
    try:
        stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(str(path), f"cannot be read ({error})", "give the path of a YAML file") from error
    if stated is not None and not isinstance(stated, dict):
        raise ConfigError(str(path), "is not a mapping of settings", "see configs/models for examples")
    return stated or {}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`, section by section."""
    result = dict(base)
    for name, value in over.items():
        inside = result.get(name)
        result[name] = (
            merged(inside, value) if isinstance(inside, dict) and isinstance(value, dict) else value
        )
    return result
