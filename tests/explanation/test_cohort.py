"""Explanations of a cohort add up case by case, and shap can draw them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from prognosis.cohort import Case
from prognosis.errors import CohortError
from prognosis.explanation import CohortExplanation, explain_case, explain_cohort
from prognosis.outputs.explanation_figures import (
    beeswarm_picture,
    importance_picture,
    shares_by_age_picture,
    shares_over_time_picture,
)
from tests.fakes.additive_evidence import random_values, written_case, written_model


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    rng = np.random.default_rng(7)
    return [written_case(number, random_values(rng)) for number in range(25)]


@pytest.fixture(scope="module")
def explained(cases: list[Case]) -> CohortExplanation:
    return explain_cohort(written_model(), cases, "death")


def test_every_case_is_explained_as_it_is_alone(cases: list[Case], explained: CohortExplanation) -> None:
    for row, case in enumerate(cases):
        alone = explain_case(written_model(), case, "death")
        own = {(a.modality, a.name): a.contribution for a in alone.attributions}
        found = dict(zip(explained.concepts, explained.values[row], strict=True))
        assert all(found[key] == pytest.approx(value, abs=1e-12) for key, value in own.items())
        assert all(found[key] == 0.0 for key in found.keys() - own.keys())
        assert explained.base[row] + explained.values[row].sum() == pytest.approx(alone.total, abs=1e-9)
    assert explained.max_additivity_error < 1e-9


def test_concepts_come_by_mean_size_with_the_last_numbers_of_the_clinical_ones(
    cases: list[Case], explained: CohortExplanation
) -> None:
    assert (np.diff(explained.importance()) <= 0.0).all()
    for place, (modality, _) in enumerate(explained.concepts):
        assert np.isnan(explained.measured[:, place]).all() == (modality != "clinical")


def test_shares_of_the_modalities_sum_to_one_at_every_time(explained: CohortExplanation) -> None:
    assert explained.shares_over_time().sum(axis=0) == pytest.approx(1.0)
    assert explained.shares_by_age().sum(axis=0) == pytest.approx([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])


def test_a_cohort_without_a_case_is_refused() -> None:
    with pytest.raises(CohortError, match="no case"):
        explain_cohort(written_model(), [])


def test_figures_say_in_words_what_they_show(explained: CohortExplanation) -> None:
    for picture in (beeswarm_picture, importance_picture, shares_over_time_picture, shares_by_age_picture):
        drawn = picture(explained)
        assert drawn.content
        assert drawn.alternative.endswith(".")
    assert explained.concepts[0][1] in beeswarm_picture(explained).alternative


@pytest.fixture
def plots() -> Iterator[object]:
    shap = pytest.importorskip("shap")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    backend = pyplot.get_backend()
    pyplot.switch_backend("agg")
    yield shap.plots
    pyplot.close("all")
    pyplot.switch_backend(backend)


@pytest.mark.filterwarnings("ignore")
def test_shap_draws_our_cohort_as_a_beeswarm_and_our_case_as_a_waterfall(
    plots, cases: list[Case], explained: CohortExplanation
) -> None:
    held = explained.to_shap()
    assert held.shape == explained.values.shape
    axes = plots.beeswarm(held, show=False)
    shown = {label.get_text() for label in axes.get_yticklabels()}
    assert "{}: {}".format(*explained.concepts[0]) in shown
    alone = explain_case(written_model(), cases[0], "death").to_shap()
    assert plots.waterfall(alone, show=False) is not None
