"""Agreement of outlines, and who may not stand on two sides of a split of images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.metrics import DiceMetric, HausdorffDistanceMetric

from prognosis.cohort import build_cohort
from prognosis.cohort.lint.images import look_alike_patients
from prognosis.errors import CohortError
from prognosis.evaluation.mask_folds import cross_validated_masks, left_out_site_masks
from prognosis.evaluation.mask_metrics import dice, hausdorff_95
from prognosis.evaluation.segmentation import evaluate_masks, judge_masks
from prognosis.evidence.model_folder import patient_digest
from prognosis.evidence.segmentation.config import SegmentationConfig
from tests.evaluation.marked_films import marked_records
from tests.evidence.segmentation.lungs import lungs_task

QUICK = SegmentationConfig(channels=(4, 8), residual_units=0, size=16, epochs=1, threads=1)


def blob(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((40, 50))
    centre, radii = rng.uniform(14, 26, 2), rng.uniform(5, 12, 2)
    return np.asarray(((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2 < 1)


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
@pytest.mark.parametrize("seed", range(4))
def test_dice_and_the_95th_hausdorff_percentile_are_those_of_monai(seed: int) -> None:
    one, other = blob(seed), blob(seed + 10)
    as_batch = [torch.from_numpy(mask)[None, None].float() for mask in (one, other)]
    assert dice(one, other) == pytest.approx(float(DiceMetric()(*as_batch)[0, 0]), abs=1e-6)
    theirs = HausdorffDistanceMetric(include_background=True, percentile=95.0)
    assert hausdorff_95(one, other, (2.0, 0.5)) == pytest.approx(
        float(theirs(*as_batch, spacing=(2.0, 0.5))[0, 0]), abs=1e-4
    )


def test_two_empty_masks_agree_and_one_empty_mask_is_as_far_as_the_image_is_wide() -> None:
    nothing, something = np.zeros((3, 4), dtype=bool), np.ones((3, 4), dtype=bool)
    assert dice(nothing, nothing) == 1.0
    assert hausdorff_95(nothing, nothing, (1.0, 1.0)) == 0.0
    assert dice(nothing, something) == 0.0
    assert hausdorff_95(nothing, something, (1.0, 1.0)) == 5.0


def test_a_film_under_two_patient_ids_makes_one_group_of_both_patients() -> None:
    cohort = build_cohort(lungs_task(), marked_records(patients=6, copied=((0, 3), (3, 5))))
    groups = look_alike_patients(cohort)
    patients = cohort.patients.tolist()
    alike = {groups[patients.index(f"north/p{number}")] for number in (0, 3, 5)}
    assert len(alike) == 1
    assert len(set(groups.tolist())) == 4


def test_no_group_is_on_both_sides_of_a_fold() -> None:
    cohort = build_cohort(lungs_task(), marked_records(patients=6, copied=((0, 3),)))
    alike = look_alike_patients(cohort)
    groups = dict(zip(cohort.patients.tolist(), alike.tolist(), strict=True))
    folds = list(cross_validated_masks(cohort, alike, QUICK, folds=3, seed=0))
    assert sorted(case.patient for _, held in folds for case in held.cases) == sorted(cohort.patients)
    for model, held in folds:
        outside = {groups[case.patient] for case in held.cases}
        trained = {name for name in cohort.patients if patient_digest(name) in model.patients}
        assert trained
        assert not outside & {groups[name] for name in trained}


def test_a_site_is_judged_by_a_model_of_the_others() -> None:
    cohort = build_cohort(lungs_task(), marked_records(patients=4, sites=("north", "south")))
    judged = left_out_site_masks(cohort, cohort.patients, QUICK, seed=0)
    found = dict(zip(("north", "south"), judged, strict=True))
    model, held = found["south"]
    assert {case.record.site for case in held.cases} == {"south"}
    assert model.images == sum(case.record.site == "north" for case in cohort.cases)
    one = build_cohort(lungs_task(), marked_records(patients=2))
    with pytest.raises(CohortError, match="one site"):
        next(left_out_site_masks(one, one.patients, QUICK, seed=0))


def test_only_what_was_marked_is_judged_and_a_training_patient_is_refused() -> None:
    cohort = build_cohort(lungs_task(), marked_records(patients=3, unmarked_columns=20))
    half = build_cohort(lungs_task(), marked_records(patients=3))
    model, held = next(cross_validated_masks(cohort, cohort.patients, QUICK, folds=3, seed=0))
    (image,) = judge_masks(model, held)
    assert image.unit == "px"
    same = half.where(lambda case: case.patient in held.patients)
    (whole,) = judge_masks(model, same)
    assert image.together != whole.together
    with pytest.raises(CohortError, match="trained the model"):
        judge_masks(model, cohort)


def test_the_mean_over_images_has_an_interval_from_resampled_patients() -> None:
    cohort = build_cohort(lungs_task(), marked_records(patients=6))
    folds = cross_validated_masks(cohort, cohort.patients, QUICK, folds=2, seed=0)
    images = [image for model, held in folds for image in judge_masks(model, held)]
    clusters = np.array([image.case.patient for image in images])
    result = evaluate_masks(lungs_task(), images, clusters, replicates=50)
    found = result.result.metrics["dice"]
    assert found.value == pytest.approx(np.mean([image.dice.mean() for image in images]))
    assert found.low <= found.value <= found.high
    sides = [result.result.metrics[f"dice:{name}"].value for name in ("right lung", "left lung")]
    assert found.value == pytest.approx(np.mean(sides))
    assert result.subgroups[0].result is None  # six patients are too few
