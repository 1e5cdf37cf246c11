"""Model settings: defaults, what the task asks for, a YAML file, --set key=value; the later overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from prognosis.cohort import Task
from prognosis.cohort.statement import not_yaml, read_yaml
from prognosis.errors import ConfigError
from prognosis.fusion import ModelConfig


def model_config(path: Path | None, settings: Sequence[str], task: Task) -> ModelConfig:
    """The configuration of a run.

    Args:
        path: A YAML file, or None.
        settings: "section.field=value", the value as YAML.
        task: Its own settings are the starting point.

    Raises:
        ConfigError: The file or a setting cannot be read, or the result is not valid: the first of the three
            is named with which it is not.
    """
    stated: dict[str, Any] = dict(task.model)
    origins = [(f"task {task.name}", stated)]
    if path is not None:
        stated = merged(stated, read_settings(path))
        origins.append((str(path), stated))
    for setting in settings:
        stated = merged(stated, stated_settings([setting]))
        origins.append((f"--set {setting}", stated))
    try:
        return ModelConfig.from_statement(stated, origins[-1][0])
    except ConfigError:
        for origin, so_far in origins:
            ModelConfig.from_statement(so_far, origin)
        raise


def stated_settings(settings: Sequence[str]) -> dict[str, Any]:
    """The settings that "section.field=value" state, the value as YAML; the later overrides.

    Raises:
        ConfigError: One has no value, or one that is not YAML.
    """
    stated: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting}", "has no value", "write it as section.field=value")
        try:
            nested: Any = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {setting}", not_yaml(error), "write the value as YAML") from error
        for part in reversed(name.split(".")):
            nested = {part: nested}
        stated = merged(stated, nested)
    return stated


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of a YAML file.

    Raises:
        ConfigError: The file cannot be read or is not a mapping.
    """
    stated = read_yaml(path, ConfigError, "a YAML file")
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
