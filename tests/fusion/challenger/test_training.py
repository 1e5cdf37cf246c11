from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from prognosis.cohort import Target
from prognosis.cohort.target import ABSENT, ONE_BIN, PRESENT, UNKNOWN
from prognosis.errors import CohortError
from prognosis.evaluation.late_fusion import fit_late_fusion
from prognosis.fusion.challenger import (
    ChallengerConfig,
    TokenTable,
    out_of_fold_tokens,
    tokens_of,
    train_challenger,
)
from prognosis.fusion.challenger.tokens import PADDING
from prognosis.fusion.challenger.training import hide_modalities
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import exposure_of, negative_log_likelihood
from prognosis.survival.classification import auroc_statistic
from prognosis.survival.statistic import once, ratio_of
from tests.fusion.challenger.made import signs, tokens_of_chance
from tests.fusion.synthetic import exponential_target

if TYPE_CHECKING:
    from tests.simulated import Simulated

QUICK = ChallengerConfig(layers=1, width=16, heads=2, learning_rate=3e-3, epochs=25, batch=32, dropout=0.0)


def a_class(ill: np.ndarray) -> Target:
    return Target(("ill",), ill.astype(np.int64), np.full(len(ill), 0.5), ONE_BIN, survival=False)


def auroc(ill: np.ndarray, log_odds: np.ndarray) -> float:
    return float(ratio_of(auroc_statistic(ill, log_odds))(once(len(ill)))[0])


def inputs_of_tokens(tokens: TokenTable) -> FusionInputs:
    """Each modality's one token as evidence: its sign."""
    evidence = tuple(tokens.vector[:, place, :1, None].astype(np.float64) for place in range(2))
    present, vectors = np.ones((len(tokens), 2), dtype=bool), tuple(each[:, :, 0] for each in evidence)
    return FusionInputs(
        tokens.modalities, present, evidence, vectors, np.zeros((len(tokens), 2)), ((),) * len(tokens)
    )


def test_it_learns_an_exclusive_or_of_two_modalities_and_late_fusion_cannot() -> None:
    tokens, ill = signs(600)
    exposure = exposure_of(a_class(ill))
    unseen, truth = signs(400, seed=1)
    challenger = train_challenger(tokens, exposure, np.arange(600) % 2, QUICK)
    late = fit_late_fusion(inputs_of_tokens(tokens), exposure)
    assert auroc(truth, challenger.log_hazard(unseen)[:, 0, 0]) > 0.95
    assert auroc(truth, late.log_hazard(inputs_of_tokens(unseen))[:, 0, 0]) < 0.6


def test_it_stops_no_worse_for_the_patients_left_out_than_additive_fusion_starts() -> None:
    tokens = tokens_of_chance(200, causes=1, bins=6)
    here = (tokens.modality != PADDING)[:, :, None, None]
    target = exponential_target(np.where(here, tokens.evidence, 0.0).sum(axis=1).mean(axis=(1, 2)))
    folds = np.arange(200) % 2
    exposure = exposure_of(target)
    start = train_challenger(tokens, exposure, folds, ChallengerConfig(epochs=1, learning_rate=1e-12))
    trained = train_challenger(tokens, exposure, folds, QUICK)
    assert all(a <= b for a, b in zip(trained.held_out_loss, start.held_out_loss, strict=True))


def test_two_findings_are_learnt_at_once_each_from_the_cases_in_which_it_is_known() -> None:
    tokens, _ = signs(300)
    high = tokens.vector[:, 0, 0] > 0.0
    two = replace(tokens, evidence=np.zeros((300, 2, 2, 1), dtype=np.float32))
    known = np.random.default_rng(0).random(300) < 0.5
    few = replace(QUICK, epochs=6)

    def answers(unknown: int) -> np.ndarray:
        marks = np.where(np.column_stack([high, ~high]), PRESENT, ABSENT).astype(np.int8)
        marks[~known, 1] = unknown
        target = Target(("a", "b"), high.astype(np.int64), np.full(300, 0.5), ONE_BIN, False, marks)
        return train_challenger(two, exposure_of(target), np.arange(300) % 2, few).log_hazard(two)

    told = answers(UNKNOWN)
    assert auroc(high, told[:, 0, 0]) > 0.95
    assert auroc(~high, told[:, 1, 0]) > 0.95
    assert answers(PRESENT)[:, 1].mean() > told[:, 1].mean() + 0.3
    np.testing.assert_array_equal(told, answers(UNKNOWN))  # the same seed, the same answer


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_modalities_are_hidden_in_the_share_of_cases_asked_for_down_to_none(share: float) -> None:
    tokens = tokens_of_chance(3000)
    shown = hide_modalities(tokens, share, np.random.default_rng(0))
    assert ((shown.modality == tokens.modality) | (shown.modality == PADDING)).all()
    told = (tokens.modality != PADDING).any(axis=1)
    nothing = (shown.modality == PADDING).all(axis=1) & told
    whole = (shown.modality == tokens.modality).all(axis=1)
    complete = np.array([set(own) >= {0, 1, 2} for own in tokens.modality])
    assert abs((~whole)[complete].mean() - share) < 0.05
    assert nothing.any() == (share > 0.0)


def test_out_of_fold_tokens_sum_to_the_out_of_fold_evidence_and_new_cases_can_be_told(
    small: Simulated,
) -> None:
    evidence, cases = small.evidence, small.cohort.cases
    rows = np.arange(24)
    some = [cases[row] for row in rows]
    part = replace(evidence, folds=evidence.folds[rows])
    tokens, inputs = out_of_fold_tokens(part, some), evidence.inputs().take(rows)
    for place, whole in enumerate(inputs.evidence):
        own = np.where((tokens.modality == place)[:, :, None, None], tokens.evidence, 0.0).sum(axis=1)
        np.testing.assert_allclose(own, np.broadcast_to(whole, own.shape), atol=1e-4)
    exposure = exposure_of(evidence.target).take(rows)
    quick = ChallengerConfig(layers=1, width=8, heads=1, epochs=1)
    challenger = train_challenger(tokens, exposure, part.folds, quick)
    told = tokens_of({name: fitted.model for name, fitted in evidence.fitted.items()}, some)
    loss = negative_log_likelihood(challenger.log_hazard(told), exposure)
    assert np.isfinite(loss).all()


def test_cases_without_one_token_are_refused_in_words(small: Simulated) -> None:
    empty = [
        replace(case, record=replace(case.record, events=(), notes=(), studies=()))
        for case in small.cohort.cases[:2]
    ]
    models = {name: small.model.evidence[name] for name in ("text", "imaging")}
    with pytest.raises(CohortError, match="no case has a modality"):
        tokens_of(models, empty)
