"""Drivers: what a reader takes for one thing, with the exact value of the game in which it is one player."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from math import factorial

import numpy as np
import pytest

from prognosis.evidence import Token
from prognosis.explanation import Attribution, drivers_of, explain_case
from prognosis.explanation.case import attribution
from prognosis.explanation.game import token_game
from tests.explanation.test_closed_form import mean_log_hazard, places_of, tokens_of
from tests.fakes.additive_evidence import random_values, written_case, written_model
from tests.fusion.synthetic import head_of


def told(name: str, value: float, **cited: object) -> Attribution:
    return replace(Attribution("clinical", name, "", "", "", value, 0.1 * value), **cited)


def of_three_topics(tokens: list[Token]) -> list[Token]:
    """Tokens of each modality about two or three things."""
    return [replace(token, topic=f"topic {int(token.name) % 3}") for token in tokens]


def test_a_driver_is_worth_what_it_is_as_one_player_against_every_order_of_drivers() -> None:
    tokens = of_three_topics(tokens_of((4, 3, 4), seed=3))
    own, joint = (part[:, 0] for part in token_game(head_of(), tokens, places_of(tokens), 7).shares())
    drivers = drivers_of([attribution(*each) for each in zip(tokens, own + joint, joint, strict=True)])
    keys = [driver.key for driver in drivers]
    member = np.array([[(t.modality, t.topic) == key for t in tokens] for key in keys])
    assert 7 <= len(keys) <= 9
    assert member.sum() == len(tokens)
    numbers = np.arange(2 ** len(keys))
    worth = mean_log_hazard(tokens, (numbers[:, None] >> np.arange(len(keys)) & 1) @ member)
    sizes = np.array([number.bit_count() for number in range(len(numbers))])
    weight = [factorial(s) * factorial(len(keys) - s - 1) / factorial(len(keys)) for s in range(len(keys))]
    for place, driver in enumerate(drivers):
        without = numbers[(numbers >> place & 1) == 0]
        exact = np.array(weight)[sizes[without]] @ (worth[without | 1 << place] - worth[without])
        assert driver.contribution == pytest.approx(float(exact), abs=1e-9)


def test_drivers_add_up_to_the_answer_on_both_scales() -> None:
    model, rng = written_model(), np.random.default_rng(4)
    for scale in ("log_hazard", "probability"):
        explanation = explain_case(model, written_case(0, random_values(rng, 1.0)), scale=scale)
        whole = sum(driver.contribution for driver in explanation.drivers)
        assert explanation.base + whole == pytest.approx(explanation.total, abs=1e-9)
        parts = [part for driver in explanation.drivers for part in driver.parts]
        assert sorted(map(repr, parts)) == sorted(map(repr, explanation.attributions))


def test_level_and_change_that_agree_outrank_a_larger_single_fact() -> None:
    level = told("LDH", 0.4, topic="ldh", subject="ldh U/L", time="2020-02-01", age_days=3.0)
    change = told("LDH, change", 0.3, topic="ldh", subject="ldh U/L, change", time="2020-02-01", age_days=3.0)
    other = told("age", 0.5, subject="age")
    first, second = drivers_of([level, change, other])
    assert (first.leading, first.parts) == (level, (level, change))
    assert (first.contribution, first.interaction) == (pytest.approx(0.7), pytest.approx(0.07))
    assert second.parts == (other,)


def test_parts_that_contradict_one_another_cancel() -> None:
    parts = [told("LDH", 0.9, topic="ldh"), told("LDH, change", -0.8, topic="ldh"), told("age", 0.2)]
    assert [driver.leading.name for driver in drivers_of(parts)] == ["age", "LDH"]


def test_the_latest_part_leads_and_an_absence_never_does() -> None:
    old = told("findings", 0.9, topic="worse", time="2020-01-01", age_days=40.0)
    new = told("findings", 0.1, topic="worse", time="2020-02-01", age_days=9.0)
    absent = told("not measured", 0.1, topic="worse")
    for order in permutations([old, new, absent]):
        assert drivers_of(order)[0].leading == new


def test_the_same_topic_in_two_modalities_is_two_drivers() -> None:
    assert len(drivers_of([told("a", 0.1, topic="x"), told("b", 0.2, topic="x", modality="text")])) == 2
