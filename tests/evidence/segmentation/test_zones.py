"""Six zones of the lungs: thirds of each lung's own height."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.errors import InputError
from prognosis.evidence.segmentation.zones import ZONES, lung_zones
from prognosis.record import Segmentation
from tests.evidence.segmentation.lungs import STRUCTURES, drawn_lungs, marked_ball


def outlined(labels: NDArray[np.uint8]) -> Segmentation:
    return Segmentation(labels[None], STRUCTURES, np.eye(4), "film")


def two_lungs() -> NDArray[np.uint8]:
    """A right lung of rows 10 to 69 and a left lung of rows 30 to 59."""
    labels = np.zeros((90, 100), dtype=np.uint8)
    labels[10:70, 10:40], labels[30:60, 60:90] = 1, 2
    return labels


def test_each_lung_is_divided_into_thirds_of_its_own_height() -> None:
    zones = lung_zones(outlined(two_lungs()))
    rows = {name: np.flatnonzero((zones.labels == 1 + ZONES.index(name)).any(axis=1)) for name in ZONES}
    assert {name: (found[0], found[-1]) for name, found in rows.items()} == {
        "right upper zone": (10, 29),
        "left upper zone": (30, 39),
        "right middle zone": (30, 49),
        "left middle zone": (40, 49),
        "right lower zone": (50, 69),
        "left lower zone": (50, 59),
    }
    assert zones.implausible == ""


def test_the_zones_of_a_side_are_its_lung_and_nothing_else() -> None:
    labels = drawn_lungs(61, 47, np.random.default_rng(0))
    zones = lung_zones(outlined(labels)).labels
    for label, side in enumerate(("right", "left"), start=1):
        own = [1 + place for place, name in enumerate(ZONES) if name.startswith(side)]
        assert np.array_equal(np.isin(zones, own), labels == label)


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        (lambda labels: np.where(labels == 2, 0, labels), "not found"),
        (lambda labels: labels[:, ::-1], "wrong sides"),
        (lambda labels: np.where((labels == 2) & (np.arange(90)[:, None] > 46), 0, labels), "too short"),
    ],
)
def test_an_outline_that_is_not_of_two_lungs_says_why(alter: object, why: str) -> None:
    assert callable(alter)
    assert why in lung_zones(outlined(np.asarray(alter(two_lungs()), dtype=np.uint8))).implausible


def test_zones_need_both_lungs_on_a_film() -> None:
    with pytest.raises(InputError, match="is no film on which"):
        lung_zones(marked_ball()[1])
