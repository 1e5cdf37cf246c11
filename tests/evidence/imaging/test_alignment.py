"""An earlier film laid over a later one: known moves are found, strangers are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.evidence.imaging.alignment import Alignment, align
from prognosis.simulate.film import SCANNERS, render_film


def chest(patient: int, film: int) -> np.ndarray:
    return np.asarray(render_film([], SCANNERS[0], patient, film)[0] / 4095.0, dtype=np.float32)


def test_a_known_shift_and_scale_are_found_to_a_fraction_of_a_pixel() -> None:
    earlier = chest(1, 2)
    known = Alignment((0.06, -0.04), (1.08, 0.95), 0.0, 0.0)
    noise = np.random.default_rng(0).normal(0.0, 0.02, earlier.shape).astype(np.float32)
    found = align(earlier, known.applied(earlier) + noise)
    assert found.shift == pytest.approx(known.shift, abs=0.3 / 128)
    assert found.scale == pytest.approx(known.scale, abs=0.01)
    assert found.agreement > 0.9 > found.agreement_before
    assert not found.caution


def test_a_film_is_not_moved_over_itself() -> None:
    found = align(chest(1, 2), chest(1, 2))
    assert not found.moved
    assert found.agreement == pytest.approx(1.0)
    assert np.array_equal(found.applied(chest(1, 2)), chest(1, 2))


def test_films_that_do_not_agree_stay_as_they_lie_with_a_caution() -> None:
    random = np.random.default_rng(0)
    found = align(random.random((128, 128), np.float32), chest(1, 2))
    assert not found.moved
    assert "could not be aligned" in found.caution


def test_a_blank_film_has_no_alignment_and_no_numbers_that_are_not_finite() -> None:
    found = align(np.zeros((128, 128), np.float32), chest(1, 2))
    assert not found.moved
    assert all(np.isfinite(each).all() for each in found.comparable(np.zeros((128, 128)), chest(1, 2)))


def test_comparing_films_in_the_other_order_turns_the_difference_round() -> None:
    first, second = chest(1, 2), chest(1, 3)
    there = Alignment((0.02, -0.01), (1.04, 1.0), 1.0, 0.0)
    back = Alignment((-0.02 / 1.04, 0.01), (1.0 / 1.04, 1.0), 1.0, 0.0)
    later_less_earlier = np.subtract(*there.comparable(first, second)[::-1])
    turned_round = np.subtract(*back.comparable(second, first)[::-1])
    assert later_less_earlier == pytest.approx(-turned_round, abs=1e-5)


def test_two_exposures_of_one_chest_have_one_tone_when_they_are_compared() -> None:
    first = chest(1, 2)
    harder = 0.2 + 0.6 * first
    one, other = Alignment((0.0, 0.0), (1.0, 1.0), 1.0, 1.0).comparable(first, harder)
    assert one == pytest.approx(other, abs=1e-5)
