"""Numbers of arms in words."""

from __future__ import annotations

from prognosis.comparison.answer import DAYS, Number
from prognosis.outputs.treatment_words import policy_in_words


def test_a_rule_that_gives_everybody_one_arm_is_said_to_gain_nothing() -> None:
    told = policy_in_words(Number(0.0, 0.0, 0.0, 0.95, DAYS), "new drug")
    assert "+0.0" not in told
    assert "finds no arm surely better than new drug" in told
    assert "gains nothing" in told


def test_a_rule_that_tells_patients_apart_is_said_with_its_interval() -> None:
    told = policy_in_words(Number(-2.6, -33.9, 28.6, 0.95, DAYS), "new drug")
    assert "gains \N{MINUS SIGN}2.6 days (\N{MINUS SIGN}33.9 to +28.6) on giving everybody new drug" in told
