"""The imaging evidence: additive, silent without a film, and never fitted on whom it judges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort import Case, Target
from prognosis.errors import BundleError, CohortError
from prognosis.evidence.imaging import ImagingConfig, fit_imaging, load_imaging
from prognosis.evidence.token import FittedEvidence
from tests.evidence.imaging.chests import INDEX, MemoryStore, case, cohort, film, study

CONFIG = ImagingConfig(
    size=32, contrast_scales=(1.0, 2.0), channels=(4, 4), strides=(2, 2), epochs=2, batch=8
)


Fitted = tuple[FittedEvidence, list[Case], Target]


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    cases, target, folds, _ = cohort(40)
    return fit_imaging(cases, target, folds, CONFIG, seed=3), cases, target


def test_a_films_evidence_is_the_sum_of_its_tokens(fitted: Fitted) -> None:
    fit, cases, _ = fitted
    summary = fit.model.summarise(cases[:5])
    for row, one in enumerate(cases[:5]):
        tokens = fit.model.tokens(one)
        assert len(tokens) == 12
        np.testing.assert_allclose(sum(token.evidence for token in tokens), summary.evidence[row], atol=1e-6)
        np.testing.assert_allclose(sum(token.vector for token in tokens), summary.vector[row], atol=1e-6)


@pytest.mark.parametrize("shape", [(32, 32), (48, 40), (29, 61)])
def test_the_map_on_the_films_own_pixels_sums_to_its_level_tokens(
    fitted: Fitted, shape: tuple[int, int]
) -> None:
    fit, _, _ = fitted
    model = replace(fit.model, gate=None)  # which has seen films of one size only
    one = case("map", study(MemoryStore(), "m", film(3.0, 9, shape), 1.0))
    drawn = model.evidence_map(one)
    level = sum(token.evidence for token in model.tokens(one))
    assert drawn is not None
    assert drawn.evidence.shape == (2, *shape)
    assert drawn.film.shape == shape
    np.testing.assert_allclose(drawn.evidence.sum(axis=(1, 2)), level[:, 0], atol=1e-6)


def test_without_a_film_there_is_no_token_and_the_evidence_is_exactly_zero(fitted: Fitted) -> None:
    fit, cases, _ = fitted
    absent = case("nobody")
    summary = fit.model.summarise([cases[0], absent])
    assert summary.present.tolist() == [True, False]
    assert not summary.evidence[1].any()
    assert not summary.vector[1].any()
    assert summary.typical_distance[1] == 0.0
    assert summary.withheld == ("", "")
    assert fit.model.tokens(absent) == ()
    assert fit.model.evidence_map(absent) is None


def test_a_blank_film_is_withheld_with_its_reason_and_changes_nothing_else(fitted: Fitted) -> None:
    fit, cases, _ = fitted
    blank = case("blank", study(MemoryStore(), "b", np.full((1, 32, 32), 7.0, dtype=np.float32), 1.0))
    damaged = case("damaged", study(MemoryStore(), "d", None, 1.0))
    summary = fit.model.summarise([cases[0], blank, damaged])
    assert summary.present.tolist() == [True, False, False]
    assert "blank" in summary.withheld[1]
    assert "pixels are damaged" in summary.withheld[2]
    assert not summary.evidence[1:].any()
    np.testing.assert_allclose(summary.evidence[0], fit.model.summarise(cases[:1]).evidence[0], atol=1e-6)


def test_a_larger_opacity_is_worse(fitted: Fitted) -> None:
    fit, _, _ = fitted
    store = MemoryStore()
    few = [case(f"s{n}", study(store, f"s{n}", film(0.5, 500 + n), 1.0)) for n in range(8)]
    many = [case(f"l{n}", study(store, f"l{n}", film(4.5, 600 + n), 1.0)) for n in range(8)]
    small, large = fit.model.summarise(few), fit.model.summarise(many)
    assert large.evidence[:, 0, 0].mean() > small.evidence[:, 0, 0].mean()


def test_the_training_cases_mean_out_of_fold_evidence_is_zero(fitted: Fitted) -> None:
    fit, _, _ = fitted
    level = fit.out_of_fold.vector[:, :2]
    np.testing.assert_allclose(level.mean(axis=0), 0.0, atol=0.05)


def test_saved_and_loaded_it_says_the_same(fitted: Fitted, tmp_path: Path) -> None:
    fit, cases, _ = fitted
    fit.model.save(tmp_path)
    again = load_imaging(tmp_path)
    np.testing.assert_array_equal(
        again.summarise(cases[:4]).evidence, fit.model.summarise(cases[:4]).evidence
    )
    assert again.causes == ("progression", "death")
    assert again.width == 4


def test_weights_that_are_not_finite_are_refused(fitted: Fitted, tmp_path: Path) -> None:
    fit, _, _ = fitted
    combination = replace(fit.model.combination, change=np.array([np.nan, 0.0]))
    replace(fit.model, combination=combination).save(tmp_path)
    with pytest.raises(BundleError, match="not finite"):
        load_imaging(tmp_path)


def test_weights_of_another_network_than_the_settings_state_are_refused_when_it_is_run(
    fitted: Fitted, tmp_path: Path
) -> None:
    fit, cases, _ = fitted
    fit.model.save(tmp_path)
    stated = (tmp_path / "config.json").read_text(encoding="utf-8")
    altered = stated.replace('"norm": "batch"', '"norm": "none"')
    assert altered != stated
    (tmp_path / "config.json").write_text(altered, encoding="utf-8")
    with pytest.raises(BundleError, match="not those of the network"):
        load_imaging(tmp_path).summarise(cases[:1])


def test_the_same_seed_gives_the_same_model() -> None:
    cases, target, folds, _ = cohort(20)
    first, second = (fit_imaging(cases, target, folds, CONFIG, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.out_of_fold.evidence, second.out_of_fold.evidence)


def test_a_cases_own_outcome_never_reaches_the_model_that_judges_it_out_of_fold() -> None:
    cases, target, folds, _ = cohort(24)
    before = fit_imaging(cases, target, folds, CONFIG, seed=5)
    changed = target.cause.copy()
    changed[folds == 0] = np.where(changed[folds == 0] == 1, 2, 1)
    after = fit_imaging(cases, replace(target, cause=changed), folds, CONFIG, seed=5)
    judged_by_fold_0 = [fit.model.folds[0].coefficients for fit in (before, after)]
    np.testing.assert_array_equal(*judged_by_fold_0)
    assert not np.array_equal(before.model.folds[1].coefficients, after.model.folds[1].coefficients)
    np.testing.assert_array_equal(before.model.centres.members[0], after.model.centres.members[0])


def test_each_study_is_opened_once_however_many_cases_share_it() -> None:
    cases, target, folds, store = cohort(12)
    landmarks = [*cases, *(replace(one, index_time=INDEX) for one in cases)]
    doubled = Target(
        target.causes, np.tile(target.cause, 2), np.tile(target.days, 2), target.edges, target.survival
    )
    fit_imaging(landmarks, doubled, np.tile(folds, 2), CONFIG, seed=1)
    assert len(store.opened) == len(set(store.opened)) == 24


def test_a_class_is_learned_as_log_odds() -> None:
    cases, target, folds, _ = cohort(40)
    cause = (target.days < np.median(target.days)).astype(np.int64)
    label = Target(("sick",), cause, np.full(40, 0.5), np.array([0.0, 1.0]), survival=False)
    fit = fit_imaging(cases, label, folds, replace_epochs(0), seed=1)
    evidence = fit.out_of_fold.evidence[:, 0, 0]
    assert evidence[cause == 1].mean() > evidence[cause == 0].mean()


def test_a_cohort_without_films_is_refused() -> None:
    _, target, folds, _ = cohort(8)
    with pytest.raises(CohortError, match="readable films"):
        fit_imaging([case(f"n{row}") for row in range(8)], target, folds, CONFIG, seed=1)


def replace_epochs(epochs: int) -> ImagingConfig:
    return CONFIG.model_copy(update={"epochs": epochs})
