"""The probability scale against enumeration of every coalition and against its own stated error."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations
from math import factorial

import numpy as np
import pytest

from prognosis.errors import InputError
from prognosis.evidence import Token
from prognosis.explanation import explain_case
from prognosis.explanation.case import split_probability
from prognosis.explanation.coalitions import (
    every_coalition,
    every_probability,
    probabilities,
    shapley_values,
)
from prognosis.explanation.game import TokenGame, token_game
from prognosis.explanation.groups import group_tokens
from prognosis.explanation.horizon import HorizonProbability
from prognosis.fusion.head import cumulative_incidence
from tests.fakes.additive_evidence import written_case, written_model
from tests.fusion.synthetic import head_of

EDGES = np.array([0.0, 40.0, 90.0, 200.0, 365.0])
VALUES = {"clinical": [0.6, -0.9], "text": [0.4, 0.2, -0.3], "imaging": [1.1, 0.5, -0.2]}
NAMES = ("clinical", "text", "imaging")


def tokens_of(counts: tuple[int, int, int], families: int, seed: int = 0) -> list[Token]:
    """Random tokens of the three modalities whose vectors are 2, 3 and 2 wide."""
    rng = np.random.default_rng(seed)
    return [
        Token(
            *(name, f"{name}-{k}", "", "", "", 0.0),
            rng.normal(0.0, 0.8, (2, 4)),
            rng.normal(0.0, 0.6, width),
            family=f"family {k % families}",
        )
        for name, width, count in zip(NAMES, (2, 3, 2), counts, strict=True)
        for k in range(count)
    ]


def game_of(tokens: list[Token], subset: int = 7) -> TokenGame:
    return token_game(head_of(), tokens, np.array([NAMES.index(t.modality) for t in tokens]), subset)


def by_head(tokens: list[Token], known: np.ndarray, which: int, days: float, questions: int) -> float:
    """The probability with some tokens known, through the head's own curves, one coalition at a time."""
    head = head_of()
    sums = np.zeros((2, 4))
    vectors = [np.zeros(2), np.zeros(3), np.zeros(2)]
    for token, here in zip(tokens, known, strict=True):
        place = NAMES.index(token.modality)
        sums += here * head.beta[place] * token.evidence
        vectors[place] = vectors[place] + here * token.vector
    for first, second in combinations(range(3), 2):
        matrix = head.interaction_matrix(first, second)
        sums += np.einsum("i,kij,j->k", vectors[first], matrix, vectors[second])[:, None]
    eta = head.alpha + head.shift[7] + head.scale[7][:, None] * sums
    return float(cumulative_incidence(eta[None], EDGES, np.array([days]), questions)[0, which, 0])


@pytest.mark.parametrize("questions", [1, 2])
@pytest.mark.parametrize("size", [1.0, 10.0, 30.0, 100.0, 700.0, 5000.0])
def test_however_large_the_log_hazards_the_explanation_and_the_prediction_tell_one_probability(
    size: float, questions: int
) -> None:
    eta = np.random.default_rng(7).normal(0.0, size, (2000, 2, 4))
    days = np.array([0.0, 0.4, 25.0, 40.0, 90.1, 300.0, 365.0])
    told = cumulative_incidence(eta, EDGES, days, questions)
    assert told.min() >= 0.0
    assert told.sum(axis=1).max() <= questions * (1.0 + 1e-14)
    assert np.diff(told, axis=2).min() >= -1e-14
    for which in (0, 1):
        for place, day in enumerate(days[1:], start=1):
            answer = HorizonProbability.by(which, day, EDGES, alone=questions > 1)
            explained = answer.of(eta.transpose(1, 2, 0)[:, : answer.bins])
            assert np.abs(explained - told[:, which, place]).max() < 1e-9


@pytest.mark.parametrize("questions", [1, 2])
@pytest.mark.parametrize("days", [25.0, 40.0, 300.0, 365.0])
def test_a_coalition_is_worth_what_the_prediction_would_be(days: float, questions: int) -> None:
    tokens = tokens_of((2, 2, 2), 2)
    game, known = game_of(tokens), every_coalition(6)
    for which in (0, 1):
        answer = HorizonProbability.by(which, days, EDGES, alone=questions > 1)
        found = probabilities(game.of_bins(answer.bins), answer, known)
        expected = [by_head(tokens, column, which, days, questions) for column in known.T]
        assert np.abs(found - expected).max() < 1e-12
        assert np.abs(every_probability(game.of_bins(answer.bins), answer) - expected).max() < 1e-12


def test_evidence_beyond_all_measure_is_enumerated_without_overflow() -> None:
    tokens = [replace(token, evidence=800.0 * token.evidence) for token in tokens_of((2, 2, 2), 2)]
    answer = HorizonProbability.by(0, 300.0, EDGES, alone=False)
    game = game_of(tokens).of_bins(answer.bins)
    found = every_probability(game, answer)
    assert np.isfinite(found).all()
    assert np.abs(found - probabilities(game, answer, every_coalition(6))).max() < 1e-12


def test_a_certain_event_is_no_overflow() -> None:
    answer = HorizonProbability.by(0, 300.0, EDGES, alone=False)
    eta = np.full((2, answer.bins, 1), 900.0)
    assert answer.of(eta)[0] == pytest.approx(0.5)
    assert answer.of(np.full((2, answer.bins, 1), -900.0))[0] == 0.0


def test_enumerated_values_are_the_mean_over_all_orders() -> None:
    worth = np.random.default_rng(3).normal(size=2**5)
    found = np.zeros(5)
    for order in permutations(range(5)):
        number = 0
        for player in order:
            found[player] += worth[number | 1 << player] - worth[number]
            number |= 1 << player
    assert np.abs(shapley_values(worth, 5) - found / factorial(5)).max() < 1e-12


def test_groups_are_exact_by_brute_force_over_every_coalition_of_groups() -> None:
    """Six groups by the textbook's sum over subsets, each coalition through the head's own curves."""
    tokens = tokens_of((4, 3, 3), 2)
    game = game_of(tokens)
    answer = HorizonProbability.by(1, 300.0, EDGES, alone=False)
    groups = group_tokens(tokens, np.ones(len(tokens)), most=6)
    assert len(groups) == 6
    assert {len(group.members) for group in groups} == {1, 2}
    found = split_probability(game.of_bins(answer.bins), answer, groups, 0)
    worth = {}
    for size in range(7):
        for chosen in combinations(range(6), size):
            known = np.zeros(10)
            known[[place for group in chosen for place in groups[group].members]] = 1.0
            worth[frozenset(chosen)] = by_head(tokens, known, 1, 300.0, 1)
    for place, group in enumerate(groups):
        others = [other for other in range(6) if other != place]
        exact = sum(
            factorial(size)
            * factorial(5 - size)
            / factorial(6)
            * (worth[frozenset({*chosen, place})] - worth[frozenset(chosen)])
            for size in range(6)
            for chosen in combinations(others, size)
        )
        assert found.values[group.members].sum() == pytest.approx(exact, abs=1e-9)


def test_tokens_within_groups_are_right_within_the_stated_standard_error() -> None:
    """Against every order of groups and of tokens within them: errors in units of the standard error."""
    tokens = tokens_of((3, 4, 3), 1, seed=5)
    game = game_of(tokens)
    answer = HorizonProbability.by(0, 300.0, EDGES, alone=False)
    game = game.of_bins(answer.bins)
    groups = group_tokens(tokens, np.ones(len(tokens)), most=3)
    worth = probabilities(game, answer, every_coalition(10))
    exact = np.zeros(10)
    bits = [int((1 << group.members).sum()) for group in groups]
    for order in permutations(range(3)):
        for place, group in enumerate(groups):
            before = sum(bits[other] for other in order[: order.index(place)])
            inner = list(permutations(group.members))
            for chain in inner:
                number = before
                for token in chain:
                    exact[token] += (worth[number | 1 << token] - worth[number]) / len(inner) / factorial(3)
                    number |= 1 << token
    runs = [split_probability(game, answer, groups, seed) for seed in range(30)]
    errors = np.array([(run.values - exact) / run.standard_error for run in runs])
    assert np.abs(errors).max() < 4.5
    assert 0.2 < np.sqrt((errors**2).mean()) < 1.2
    away = abs(worth[-1] - worth[0])
    assert all(run.standard_error <= 0.01 * away for run in runs)
    assert all(abs(run.base + run.values.sum() - worth[-1]) < 1e-12 for run in runs)


def test_the_tokens_of_one_group_sum_to_it_although_their_sum_never_varies() -> None:
    tokens = tokens_of((0, 20, 0), 1, seed=3)
    game = game_of(tokens, subset=2)
    answer = HorizonProbability.by(0, 300.0, EDGES, alone=False)
    game = game.of_bins(answer.bins)
    for seed in range(6):
        run = split_probability(game, answer, group_tokens(tokens, np.ones(20), most=14), seed)
        whole = probabilities(game, answer, np.column_stack([np.zeros(20), np.ones(20)]))
        assert abs(run.values.sum() - (whole[1] - whole[0])) < 1e-12


def test_few_tokens_are_each_a_group_and_exact() -> None:
    model = written_model()
    explanation = explain_case(model, written_case(0, VALUES), "death", scale="probability", horizon_days=150)
    assert explanation.standard_error == 0.0
    assert explanation.permutations == 0
    assert explanation.coalitions == 2**8
    assert explanation.max_additivity_error < 1e-12
    asked = model.cumulative_incidence([written_case(0, VALUES)], np.array([150.0]))
    assert explanation.total == pytest.approx(asked[0, 1, 0])
    assert explanation.base + explanation.values().sum() == pytest.approx(explanation.total, abs=1e-12)
    assert sum(group.contribution for group in explanation.groups) == pytest.approx(
        explanation.values().sum()
    )


def test_nothing_known_is_the_base() -> None:
    explanation = explain_case(written_model(), written_case(0, {}), scale="probability")
    assert explanation.attributions == ()
    assert explanation.base == pytest.approx(explanation.total, abs=1e-12)


def test_a_horizon_beyond_the_training_follow_up_is_refused() -> None:
    model = written_model()
    for days in (0.0, float(model.edges[-1]) + 1.0):
        with pytest.raises(InputError, match="outside the predicted time"):
            explain_case(model, written_case(0, VALUES), scale="probability", horizon_days=days)


def test_families_are_joined_smallest_first_until_they_are_few_enough() -> None:
    tokens = tokens_of((9, 9, 4), 3)
    sizes = np.arange(22.0)
    groups = group_tokens(tokens, sizes, most=7)
    assert len(groups) == 7
    assert sorted(np.concatenate([group.members for group in groups]).tolist()) == list(range(22))
    joined = [group for group in groups if group.name == "other"]
    assert [set(group.members.tolist()) for group in joined if group.modality == "clinical"] == [
        {0, 3, 6, 1, 4, 7}
    ]
    assert all(len({tokens[place].modality for place in group.members}) == 1 for group in groups)


def test_a_scale_that_is_none_and_a_horizon_without_a_probability_are_refused() -> None:
    model, case = written_model(), written_case(0, VALUES)
    with pytest.raises(InputError, match="cannot be explained"):
        explain_case(model, case, scale="odds")
    with pytest.raises(InputError, match="without a horizon"):
        explain_case(model, case, horizon_days=100.0)
