"""Which region each pixel lies in agrees with where a region's evidence is spread."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from prognosis.evidence.imaging.config import VolumeConfig
from prognosis.evidence.imaging.films import Film
from prognosis.evidence.imaging.regions import Layout, Placed, Placement, parse_layout
from prognosis.evidence.imaging.volumes import volume_placement
from prognosis.record import Volume

SIGNS = st.sampled_from([-1.0, 1.0])


def film_at(placement: Placed) -> Film:
    return Film(np.zeros((1, 1), np.float32), placement, datetime(2020, 1, 1, tzinfo=UTC), "x", "p")


def agrees(film: Film, layout: Layout) -> None:
    """Evidence of one region alone lies where its place is stated; layouts here divide evenly."""
    places = film.region_places(layout)
    for place in range(len(layout.names)):
        values = np.zeros(len(layout.names))
        values[place] = 1.0
        spread = film.in_own_order(film.spread_regions(values, layout))
        np.testing.assert_array_equal(places == place, spread > 1e-12)


@given(st.integers(1, 5), st.integers(1, 5))
def test_on_a_film(down: int, across: int) -> None:
    agrees(film_at(Placement.centred(3 * down, 2 * across, 32)), parse_layout("six-zones"))


@given(st.permutations([0, 1, 2]), SIGNS, SIGNS, SIGNS)
def test_in_a_volume_however_it_is_turned(order: list[int], x: float, y: float, z: float) -> None:
    affine = np.eye(4)
    affine[:3, :3] = np.diag([x, y, z])[:, order]
    volume = Volume(np.zeros((12, 12, 12), np.float32), affine, "x", "CT")
    placement = volume_placement(volume, VolumeConfig(size=(16, 16, 16)))
    agrees(film_at(placement), parse_layout("grid 3x2x2", 3))


def test_the_first_zone_is_the_patient_s_upper_right_one() -> None:
    places = film_at(Placement.centred(30, 20, 32)).region_places(parse_layout("six-zones"))
    assert parse_layout("six-zones").names[places[0, 0]] == "right upper zone"
    assert parse_layout("six-zones").names[places[-1, -1]] == "left lower zone"
