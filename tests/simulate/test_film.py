"""Films: deterministic, whole-numbered, and brighter where a lesion is."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.simulate.film import (
    SCANNERS,
    ZONES,
    Lesion,
    Scanner,
    lesion_centre,
    lesion_mask,
    render_film,
    zone_of,
)

DIRECT, COMPUTED = SCANNERS


def test_the_same_seeds_give_the_same_film_and_another_film_seed_another() -> None:
    lesions = (Lesion(ZONES[0], 0.0, 0.5, 10.0),)
    first = render_film(lesions, DIRECT, anatomy_seed=1, film_seed=2)
    assert np.array_equal(first, render_film(lesions, DIRECT, anatomy_seed=1, film_seed=2))
    assert not np.array_equal(first, render_film(lesions, DIRECT, anatomy_seed=1, film_seed=3))


@pytest.mark.parametrize("scanner", SCANNERS)
def test_a_film_holds_whole_numbers_that_fit_twelve_bits(scanner: Scanner) -> None:
    film = render_film((), scanner, anatomy_seed=4, film_seed=4)
    assert film.shape == (1, 128, 128)
    assert film.dtype == np.float32
    assert np.array_equal(film, np.rint(film))
    assert 0 <= film.min() < film.max() <= 4095


@pytest.mark.parametrize("zone", ZONES)
def test_a_lesion_brightens_its_own_zone_and_no_other(zone: str) -> None:
    lesion = Lesion(zone, 0.3, 0.4, 16.0)
    difference = (
        render_film((lesion,), DIRECT, anatomy_seed=5, film_seed=6)
        - render_film((), DIRECT, anatomy_seed=5, film_seed=6)
    )[0]
    rows, columns = np.nonzero(difference > 100)
    assert len(rows) > 10
    assert {zone_of(y, x) for y, x in zip((rows + 0.5) / 128, (columns + 0.5) / 128, strict=True)} == {zone}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("across", "down"), [(-1, 0), (-1, 1), (1, 0), (1, 1), (0, 0.5)])
def test_lesions_lie_in_the_zone_that_they_name(zone: str, across: float, down: float) -> None:
    assert zone_of(*lesion_centre(Lesion(zone, across, down, 5.0))) == zone


def test_the_patients_right_is_on_the_left_of_the_image() -> None:
    _, x = lesion_centre(Lesion("right upper zone", 0.0, 0.5, 5.0))
    assert x < 0.5


def test_a_larger_lesion_adds_more_brightness() -> None:
    empty = render_film((), DIRECT, anatomy_seed=7, film_seed=7)
    added = [
        float((render_film((Lesion(ZONES[4], 0.0, 0.5, d),), DIRECT, 7, 7) - empty).sum())
        for d in (3.0, 8.0, 14.0, 20.0)
    ]
    assert added[0] > 0
    assert added == sorted(added)


def test_lungs_are_darker_than_what_surrounds_them_on_both_scanners() -> None:
    for scanner in SCANNERS:
        film = render_film((), scanner, anatomy_seed=8, film_seed=8)[0]
        assert film[50:60, 32:44].mean() < 0.7 * film[50:60, 60:68].mean()


def test_the_two_scanners_do_not_look_alike() -> None:
    direct, computed = (render_film((), scanner, 9, 9)[0, 40:80, 32:44] for scanner in SCANNERS)
    assert abs(direct.mean() - computed.mean()) > 200


@pytest.mark.parametrize("film_seed", [6, 7, 8])
def test_a_lesions_mask_is_where_the_film_is_brightened_by_half_of_the_lesion_or_more(film_seed: int) -> None:
    lesion = Lesion(ZONES[1], 0.3, 0.4, 16.0)
    with_lesion, without = (
        render_film(lesions, DIRECT, anatomy_seed=5, film_seed=film_seed)[0] for lesions in ((lesion,), ())
    )
    added = (with_lesion - without) / (with_lesion - without).max()
    mask = lesion_mask(lesion, film_seed)
    assert added[mask].min() > 0.45
    assert added[~mask].max() < 0.55
    assert mask.sum() == pytest.approx(np.pi * (16.0 / 2 / 2.5) ** 2, rel=0.15)


def test_a_lesion_smaller_than_a_pixel_has_a_mask_of_one() -> None:
    assert lesion_mask(Lesion(ZONES[1], 0.3, 0.4, 0.5), 6).sum() == 1
