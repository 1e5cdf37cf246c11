from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from prognosis.fusion.challenger import ChallengerConfig, TokenTable
from prognosis.fusion.challenger.model import log_hazard
from prognosis.fusion.challenger.network import FusionTransformer, Scales
from prognosis.fusion.challenger.tokens import PADDING
from tests.fusion.challenger.made import tokens_of_chance

CASES = 40


def transformer(layers: int = 2) -> FusionTransformer:
    """One whose attention has a say: its read-out is not zero."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = ChallengerConfig(layers=layers, width=16)
        network = FusionTransformer(Scales.of(tokens_of_chance(CASES)), np.full((2, 4), -1.0), config)
        torch.nn.init.normal_(network.readout.weight)
    return network


def reordered(tokens: TokenTable, order: np.ndarray) -> TokenTable:
    return TokenTable(
        tokens.modalities,
        tokens.modality[:, order],
        tokens.evidence[:, order],
        tokens.vector[:, order],
        tokens.age_days[:, order],
    )


@pytest.mark.parametrize("layers", [0, 2])
def test_the_order_of_tokens_changes_no_answer(layers: int) -> None:
    tokens, network = tokens_of_chance(CASES), transformer(layers)
    other = reordered(tokens, np.array([3, 0, 5, 1, 4, 2]))
    np.testing.assert_allclose(log_hazard(network, tokens), log_hazard(network, other), atol=1e-5)


@pytest.mark.parametrize("junk", [1e30, -7.0, np.nan, np.inf])
def test_junk_where_there_is_no_token_changes_not_one_bit(junk: float) -> None:
    tokens, network = tokens_of_chance(CASES), transformer()
    none = tokens.modality == PADDING
    assert none.any()
    spoilt = replace(
        tokens,
        evidence=np.where(none[:, :, None, None], junk, tokens.evidence).astype(np.float32),
        vector=np.where(none[:, :, None], junk, tokens.vector).astype(np.float32),
        age_days=np.where(none, junk, tokens.age_days).astype(np.float32),
    )
    np.testing.assert_array_equal(log_hazard(network, tokens), log_hazard(network, spoilt))


def test_junk_in_a_modality_that_is_taken_away_changes_not_one_bit() -> None:
    tokens, network = tokens_of_chance(CASES), transformer()
    spoilt = replace(
        tokens, vector=np.where((tokens.modality == 1)[:, :, None], np.nan, tokens.vector).astype(np.float32)
    )
    keep = [True, False, True]
    np.testing.assert_array_equal(
        log_hazard(network, tokens.keeping(keep)), log_hazard(network, spoilt.keeping(keep))
    )


def test_a_token_that_is_there_and_a_modality_that_is_absent_both_count() -> None:
    tokens, network = tokens_of_chance(CASES), transformer()
    lost = np.abs(log_hazard(network, tokens) - log_hazard(network, tokens.keeping([True, True, False])))
    has_images = (tokens.modality == 2).any(axis=1)
    assert lost[has_images].max(axis=(1, 2)).min() > 1e-3
    assert lost[~has_images].max() == 0.0
    silent = replace(tokens, evidence=tokens.evidence * 0.0, vector=tokens.vector * 0.0)
    absent = log_hazard(network, silent.keeping([True, True, False]))
    assert np.abs(absent - log_hazard(network, silent))[has_images].max() > 1e-3


def test_a_case_without_any_token_has_an_answer_and_always_the_same() -> None:
    nothing = tokens_of_chance(CASES).keeping([False, False, False])
    answers = log_hazard(transformer(), nothing)
    assert np.isfinite(answers).all()
    np.testing.assert_allclose(answers, np.broadcast_to(answers[:1], answers.shape), atol=1e-6)


def test_without_a_layer_it_is_the_sum_of_the_evidence_by_modality() -> None:
    tokens, network = tokens_of_chance(CASES), transformer(layers=0)
    rng = np.random.default_rng(1)
    level, trend = rng.uniform(0.5, 1.5, (2, 3, 2))
    with torch.no_grad():
        network.level.copy_(torch.tensor(level))
        network.trend.copy_(torch.tensor(trend))
    beta = level[:, :, None] + trend[:, :, None] * np.linspace(-1.0, 1.0, 4)
    own = [(tokens.modality == place)[:, :, None, None] for place in range(3)]
    summed = np.stack([np.where(here, tokens.evidence, 0.0).sum(axis=1) for here in own], axis=1)
    expected = -1.0 + (beta * summed).sum(axis=1)
    np.testing.assert_allclose(log_hazard(network, tokens), expected, atol=1e-5)


def test_an_untrained_one_with_layers_starts_at_that_sum_too() -> None:
    tokens = tokens_of_chance(CASES)
    torch.manual_seed(0)
    start = FusionTransformer(Scales.of(tokens), np.full((2, 4), -1.0), ChallengerConfig(width=16))
    here = (tokens.modality != PADDING)[:, :, None, None]
    expected = -1.0 + np.where(here, tokens.evidence, 0.0).sum(axis=1)
    np.testing.assert_allclose(log_hazard(start, tokens), expected, atol=1e-5)


def test_the_cases_taken_keep_their_answers_whatever_padding_is_left() -> None:
    tokens, network = tokens_of_chance(CASES), transformer()
    few = np.argsort((tokens.modality != PADDING).sum(axis=1))[:3]
    assert tokens.take(few).modality.shape[1] < tokens.modality.shape[1]
    np.testing.assert_allclose(
        log_hazard(network, tokens.take(few)), log_hazard(network, tokens)[few], atol=1e-5
    )
