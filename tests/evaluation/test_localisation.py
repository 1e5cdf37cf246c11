"""Maps against masks: known answers, and what chance reaches."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.errors import InputError
from prognosis.evaluation.localisation import localisation, localise


def square(rows: slice, columns: slice, side: int = 20) -> np.ndarray:
    mask = np.zeros((side, side), dtype=bool)
    mask[rows, columns] = True
    return mask


def test_a_map_that_is_the_mask_points_into_it_overlaps_it_and_lies_inside() -> None:
    mask = square(slice(4, 9), slice(3, 7))
    found = localise(mask.astype(float), mask, 0.0)
    assert (found.points, found.overlap, found.inside) == (1.0, 1.0, 1.0)
    assert found.points_by_chance == found.inside_by_chance == 20 / 400


def test_a_maximum_beside_the_mask_counts_only_within_the_tolerance() -> None:
    mask = square(slice(4, 9), slice(3, 7))
    evidence = np.zeros(mask.shape)
    evidence[6, 9] = 1.0  # three columns beyond the last one
    assert [localise(evidence, mask, tolerance).points for tolerance in (0.0, 2.9, 3.0)] == [0.0, 0.0, 1.0]


def test_maxima_that_tie_count_by_their_share() -> None:
    mask = square(slice(0, 2), slice(0, 2))
    evidence = np.zeros(mask.shape)
    evidence[0, :4] = 2.0
    assert localise(evidence, mask, 0.0).points == 0.5


def test_overlap_is_taken_at_the_masks_own_area() -> None:
    mask = square(slice(0, 2), slice(0, 4))
    evidence = square(slice(0, 2), slice(2, 6)).astype(float) + 0.1 * mask
    found = localise(evidence, mask, 0.0)
    assert found.overlap == pytest.approx(4 / 12)
    assert found.inside == pytest.approx((4 + 0.8) / (8 + 0.8))


def test_a_map_without_positive_evidence_has_none_inside() -> None:
    mask = square(slice(0, 2), slice(0, 4))
    assert localise(-np.ones(mask.shape), mask, 0.0).inside == 0.0


def test_random_maps_reach_what_chance_is_said_to_reach() -> None:
    random = np.random.default_rng(0)
    mask = square(slice(4, 12), slice(3, 9))
    found = [localise(random.normal(size=mask.shape), mask, 1.0) for _ in range(400)]
    told = localisation(found, np.array([str(number) for number in range(400)]), replicates=200)
    assert told.points.low < told.points_by_chance.value < told.points.high
    assert told.inside.low < told.inside_by_chance.value < told.inside.high


def test_an_empty_mask_or_another_grid_is_refused() -> None:
    with pytest.raises(InputError):
        localise(np.zeros((4, 4)), np.zeros((4, 4), dtype=bool), 0.0)
    with pytest.raises(InputError):
        localise(np.zeros((4, 4)), np.ones((4, 5), dtype=bool), 0.0)
