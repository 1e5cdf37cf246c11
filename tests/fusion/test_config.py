"""A model configuration is checked field by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognosis.errors import ConfigError
from prognosis.fusion import ModelConfig


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("", encoding="utf-8")
    assert ModelConfig.load(path) == ModelConfig()


@pytest.mark.parametrize("text", ["fold: 3", "folds: 1", "fusion: {level: 1.5}", "fusion: {bin: 3}", "- a"])
def test_a_field_that_is_unknown_or_out_of_range_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        ModelConfig.load(path)
    assert caught.value.reference == str(path)
    assert text.strip("- {}").split(":")[0].split("{")[-1] in caught.value.problem or text == "- a"


@pytest.mark.parametrize(
    ("content", "told"), [(b"seed: 1\nfolds: [", r"is not YAML \(line 2: .*\)"), (b"\xff\xfe\x89", "UTF-8")]
)
def test_a_file_that_is_not_yaml_cannot_be_read(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=told) as caught:
        ModelConfig.load(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        ModelConfig.load(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "fusion: {dropout_weight: .inf}",
        "training: {learning_rate: .inf}",
        "training: {encoder_rate: .nan}",
        "clinical: {windows_days: [30, .inf]}",
        "clinical: {trees: {shrinkage: .inf}}",
        "text: {half_life_days: .nan}",
        "imaging: {volume: {windows: [[-.inf, 0]]}}",
        "imaging: {learning_rate: .inf}",
        "segmentation: {weight_decay: .inf}",
    ],
)
def test_a_number_that_is_not_finite_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="should be a finite number"):
        ModelConfig.load(path)
