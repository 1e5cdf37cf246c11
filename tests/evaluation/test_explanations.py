"""Every check of a model's maps at once, on patients that did not train it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from prognosis.cohort import Case
from prognosis.errors import CohortError, InputError
from prognosis.evaluation.explanations import judge_explanations
from prognosis.record import ImagingStudy, Segmentation, Volume
from tests.simulated import Simulated


@dataclass(frozen=True, slots=True)
class LeftHalfMarked:
    """Opens a study from its own store, with the left half of its film marked."""

    own: ImagingStudy

    def volumes(self, _: ImagingStudy) -> tuple[Volume, ...]:
        return self.own.volumes()

    def segmentations(self, _: ImagingStudy) -> tuple[Segmentation, ...]:
        (film,) = self.own.volumes()
        labels = np.zeros(film.voxels.shape, dtype=np.uint8)
        labels[..., : labels.shape[-1] // 2] = 1
        return (Segmentation(labels, ("left half",), film.affine, film.source),)


def marked(case: Case) -> Case:
    studies = tuple(replace(study, store=LeftHalfMarked(study)) for study in case.record.studies)
    return replace(case, record=replace(case.record, studies=studies))


@pytest.fixture(scope="module")
def cases(small: Simulated) -> list[Case]:
    return [case for case in small.complete if case.record.studies][:3]


def test_maps_add_up_and_what_no_source_marks_is_not_judged(small: Simulated, cases: list[Case]) -> None:
    found = judge_explanations(small.model, cases, films=2, replicates=20)
    assert found.films == 2
    assert found.map_additivity_error < 1e-5
    assert found.answer_additivity_error < 1e-5
    assert [each.other for each in found.advantages] == ["random", "contrast"]
    assert found.marked is None
    assert "marks nothing" in found.left_out["pointing game and overlap"]


def test_a_mark_of_half_a_film_is_half_of_it_by_chance(small: Simulated, cases: list[Case]) -> None:
    found = judge_explanations(small.model, [marked(case) for case in cases], films=2, replicates=20)
    assert found.marked is not None
    assert found.marked.images == 2
    assert found.structures == ("left half",)
    assert found.marked.inside_by_chance.value == pytest.approx(0.5)
    assert found.left_out == {}


def test_a_model_without_films_and_cases_without_films_have_no_maps(
    small: Simulated, cases: list[Case]
) -> None:
    blind = [replace(case, record=replace(case.record, studies=())) for case in cases]
    with pytest.raises(CohortError, match="0 of the cases"):
        judge_explanations(small.model, blind)
    evidence = {name: each for name, each in small.model.evidence.items() if name != "imaging"}
    with pytest.raises(InputError, match="no single films"):
        judge_explanations(replace(small.model, evidence=evidence), cases)
