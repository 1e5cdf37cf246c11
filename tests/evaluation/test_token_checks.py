"""Checks of explanations in every modality, on a model small enough to be trained in a test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.cohort import Case
from prognosis.errors import CohortError
from prognosis.evaluation.random_readouts import randomised_readouts
from prognosis.evaluation.token_checks import TokenChecks, judge_tokens, perturbed
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.region_masks import region_masks
from prognosis.explanation import case_tokens, explain_case
from prognosis.explanation.citations import citation
from tests.simulated import Simulated


@pytest.fixture(scope="module")
def cases(small: Simulated) -> list[Case]:
    return small.complete[:6]


@pytest.fixture(scope="module")
def found(small: Simulated, cases: list[Case]) -> TokenChecks:
    return judge_tokens(small.model, cases, [small.model], replicates=20)


def test_attributions_add_up_on_both_scales(found: TokenChecks) -> None:
    assert found.cases == 6
    assert found.additivity_error < 1e-9
    assert found.probability_additivity_error < 1e-9
    assert found.probability_standard_error <= 0.01


def test_the_order_of_the_attributions_is_better_than_a_random_one(found: TokenChecks) -> None:
    assert found.by_random.deletion.low > 0.0
    assert found.by_random.insertion.low > 0.0


def test_a_model_explains_a_case_as_itself(small: Simulated, found: TokenChecks) -> None:
    alike = found.stability[small.model.model_id]
    assert (alike.low, alike.value, alike.high) == pytest.approx((1.0, 1.0, 1.0))


def test_every_source_is_found_again_as_cited(found: TokenChecks) -> None:
    assert set(found.citations) == {"clinical", "text", "imaging"}
    assert set(found.citations["text"]) == set(found.citations["imaging"]) == {"found"}
    assert "not found" not in found.citations["clinical"]


def test_random_read_outs_give_other_values_of_every_modality(small: Simulated, found: TokenChecks) -> None:
    assert [stage.stage for stage in found.randomised] == [
        f"read-outs of {name}" for name in small.model.modalities
    ]
    assert all(stage.correlation.value < 0.9 for stage in found.randomised)


def test_random_read_outs_still_add_up(small: Simulated, cases: list[Case]) -> None:
    drawn = randomised_readouts(small.model, 1)
    assert explain_case(drawn, cases[0]).max_additivity_error < 1e-9
    again = explain_case(randomised_readouts(small.model, 1), cases[0])
    assert again.values() == pytest.approx(explain_case(drawn, cases[0]).values())


def test_random_read_outs_never_touch_the_cache_of_the_model_itself(small: Simulated) -> None:
    imaging = replace(small.model.evidence["imaging"], cache=object())
    model = replace(small.model, evidence={**small.model.evidence, "imaging": imaging})
    assert randomised_readouts(model, 0).evidence["imaging"].cache is None


def test_deleting_all_tokens_ends_at_the_base_and_inserting_them_at_the_answer(
    small: Simulated, cases: list[Case]
) -> None:
    known = case_tokens(small.model, cases[0])
    ours, theirs = perturbed(known, np.random.default_rng(0))
    assert ours.deletion < theirs.deletion
    assert ours.insertion > theirs.insertion


def test_a_citation_of_what_the_record_does_not_hold_is_not_found(
    small: Simulated, cases: list[Case]
) -> None:
    case, imaging = cases[0], small.model.evidence["imaging"]
    assert isinstance(imaging, ImagingEvidence)
    regions = region_masks(imaging, case)
    assert regions is not None
    height, width = case.record.studies[-1].volumes()[0].voxels.shape[1:]
    for mask in regions.masks.values():
        assert mask.shape == (height, width)
    covered = np.sum(list(regions.masks.values()), axis=0)
    assert covered.min() >= 1
    assert covered.mean() < 1.1
    for each in explain_case(small.model, case).attributions:
        if not each.source:
            assert citation(each, case, regions) == "nothing to cite"
            continue
        assert citation(each, case, regions) == "found"
        moved = replace(each, source=f"Other{each.source}")
        assert citation(moved, case, regions) == "not found"
        if each.span is not None:
            shifted = replace(each, span=(each.span[0] + 1, each.span[1]))
            assert citation(shifted, case, regions) == "not found"


def test_cases_without_anything_to_explain_are_refused(small: Simulated, cases: list[Case]) -> None:
    with pytest.raises(CohortError, match="1 of the cases"):
        judge_tokens(small.model, cases[:1])
