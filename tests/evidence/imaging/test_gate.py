"""The quality gate: what it learns from good films, and what it makes of real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.altered_films import ALTERATIONS
from benchmarks.quality_gate import Held, judged, learned, real_films
from prognosis.evidence.imaging import ImagingConfig
from prognosis.evidence.imaging.faults import FAULTS
from prognosis.evidence.imaging.films import Film, read_image
from prognosis.evidence.imaging.gate import FilmGate
from prognosis.evidence.imaging.gate_fitting import FEWEST_FILMS, learn_gate
from prognosis.evidence.imaging.gate_storage import gate_statement
from prognosis.evidence.imaging.kind import TrainingKinds
from prognosis.evidence.imaging.other_sites import other_site
from prognosis.evidence.imaging.reduced import SIDES, on_side, reduced_film
from prognosis.evidence.imaging.regions import overlap
from prognosis.evidence.imaging.statistics import film_statistics
from prognosis.record import Series
from tests.evidence.imaging.chests import MemoryStore, film, study

CONFIG = ImagingConfig(size=32)
SURE = (
    "blank",
    "inverted",
    "turned 90 degrees left",
    "turned 180 degrees",
    "turned 90 degrees right",
    "cropped to the left half",
    "collimated to a corner",
    "half of it black",
    "wide black frame",
    "50% at the brightest value",
    "50% at the darkest value",
    "blurred, 8 px of 640",
    "noise, 20% of the range",
    "enlarged from 32 px",
)


def opened(count: int) -> list[Film]:
    store = MemoryStore()
    films = [read_image(study(store, f"s{n}", film(2.0, n), 1.0), f"p{n}", CONFIG) for n in range(count)]
    return [each for each in films if isinstance(each, Film)]


@pytest.mark.parametrize("shape", [(28, 28), (128, 128), (300, 500), (3000, 2500)])
def test_a_reduced_film_keeps_its_layout_at_the_largest_side_it_reaches(shape: tuple[int, int]) -> None:
    ramp = np.tile(np.linspace(0.0, 4095.0, shape[1], dtype=np.float32), (shape[0], 1))
    reduced = reduced_film(ramp)
    assert len(reduced) == max(side for side in SIDES if side <= max(min(shape), SIDES[-1]))
    expected = (np.arange(len(reduced)) + 0.5) / len(reduced)
    np.testing.assert_allclose(reduced[0], (expected - expected[0]) / np.ptp(expected), atol=0.02)
    assert on_side(reduced, 64).shape == (64, 64)


@pytest.mark.parametrize("shape", [(28, 60), (131, 97), (256, 500)])
def test_a_reduced_film_holds_the_mean_over_each_squares_area(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).random(shape).astype(np.float32)
    reduced = reduced_film(pixels).astype(np.float64)
    rows, columns = (overlap(len(reduced), length) * len(reduced) / length for length in shape)
    means = rows @ pixels @ columns.T
    np.testing.assert_allclose(reduced, (means - means.min()) / np.ptp(means), atol=1e-3)


def test_a_copy_of_another_site_is_another_picture_of_the_same_chest() -> None:
    films = np.stack([on_side(reduced_film(film(25.0, seed, (90, 90))[0]), 64) for seed in range(12)])
    copies, again = (other_site(films, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(copies, again)
    assert copies.shape == films.shape
    for one, copy in zip(films, copies, strict=True):
        assert 0.4 < np.corrcoef(one.ravel(), copy.ravel())[0, 1] < 0.999


def test_films_of_one_site_teach_wider_limits_than_the_same_films_of_two() -> None:
    films, folds = opened(30), np.arange(30) % 3
    one, two = (learn_gate(films, folds, sites, seed=4)[0] for sites in (["a"] * 30, ["a", "b"] * 15))
    assert one.unlike >= two.unlike
    limits = {each.name: each.refuse for each in two.detectors}
    shared = [each for each in one.detectors if each.name in limits]
    assert shared
    assert all(each.refuse >= limits[each.name] for each in shared)
    assert any(each.refuse > limits[each.name] for each in shared)


def test_a_gate_says_which_faults_it_does_not_look_for() -> None:
    gate, _ = learn_gate(opened(30), np.arange(30) % 3, ["a"] * 30, seed=0)
    stated = gate_statement(gate)
    assert "blurred" in stated["not_looked_for"]  # films of 32 pixels of noise have nothing to blur
    assert set(stated["faults"]) | set(stated["not_looked_for"]) == {fault.name for fault in FAULTS}


def test_quality_does_not_depend_on_the_unit_of_brightness() -> None:
    pixels = film(3.0, 1, (200, 160))[0]
    one, other = (reduced_film(each)[None].astype(np.float32) for each in (pixels, 16.0 * pixels + 1000.0))
    np.testing.assert_allclose(film_statistics(one), film_statistics(other), atol=0.02)


def test_every_fault_changes_a_film_and_keeps_its_size() -> None:
    films = np.stack([on_side(reduced_film(film(3.0, seed, (90, 90))[0]), 64) for seed in range(6)])
    for fault in FAULTS:
        altered = fault.alter(films, np.random.default_rng(0))
        assert altered.shape == films.shape
        assert (np.abs(altered - films).reshape(6, -1).max(axis=1) > 0.02).all(), fault.name


def test_too_few_films_teach_no_limits() -> None:
    films = opened(FEWEST_FILMS - 1)
    gate, distance = learn_gate(films, np.arange(len(films)) % 3, [""] * len(films), seed=0)
    assert gate.detectors == ()
    assert np.isfinite(distance).all()


def test_the_same_films_and_seed_teach_the_same_gate() -> None:
    films = opened(30)
    folds = np.arange(len(films)) % 3
    first, second = (learn_gate(films, folds, [""] * len(films), seed=4)[0] for _ in range(2))
    assert [each.name for each in first.detectors] == [each.name for each in second.detectors]
    for one, other in zip(first.detectors, second.detectors, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)


def test_headers_refuse_only_what_the_training_films_headers_contradict() -> None:
    silent = TrainingKinds.of([Series("1", "CR", "AP")])
    told = TrainingKinds.of([Series("1", "CR", "AP", "Thorax")])
    hand = Series("2", "DX", "PA", "HAND")
    assert silent.refusal(hand) == ""
    assert "HAND" in told.refusal(hand)
    assert told.refusal(Series("3", "OT", "", "")) == ""
    assert "modality MR" in told.refusal(Series("4", "MR", "", "CHEST"))


@pytest.fixture(scope="module")
def frontal(real_data: Path) -> list[Held]:
    """Every readable frontal film of both sites."""
    return real_films(real_data)[0]


@pytest.fixture(scope="module")
def real_gate(frontal: list[Held]) -> tuple[FilmGate, list[Held]]:
    """A gate of 110 real films of both sites, and 40 films of other patients."""
    patients = sorted({each.patient for each in frontal})
    held_out = set(np.random.default_rng(0).permutation(patients)[: len(patients) // 2])
    own = [each for each in frontal if each.patient not in held_out][::-1]
    return learned(own[:: max(1, len(own) // 110)]), [each for each in frontal if each.patient in held_out][
        ::4
    ]


@pytest.mark.parametrize("title", SURE)
def test_on_real_films_of_other_patients_a_plain_fault_is_refused_by_its_name(
    real_gate: tuple[FilmGate, list[Held]], title: str
) -> None:
    gate, others = real_gate
    fault = next(each for each in ALTERATIONS if each.title == title)
    random = np.random.default_rng(0)
    said = [judged(gate, fault.alter(each.pixels, random)).refusal for each in others]
    assert np.mean([bool(each) for each in said]) >= 0.9
    named = [any(word in each for word in fault.words) for each in said if each]
    assert np.mean(named) >= 0.75


def test_real_films_of_other_patients_are_read(real_gate: tuple[FilmGate, list[Held]]) -> None:
    gate, others = real_gate
    assert np.mean([bool(judged(gate, each.pixels).refusal) for each in others]) <= 0.05


def test_ordinary_films_of_a_site_that_taught_nothing_are_read(frontal: list[Held]) -> None:
    gate = learned([each for each in frontal if each.site == "hannover-cxr"][::2])
    others = [each for each in frontal if each.site == "covid-cxr"][::3]
    assert np.mean([bool(judged(gate, each.pixels).refusal) for each in others]) <= 0.15
    upside_down = [judged(gate, np.rot90(each.pixels, 2).copy()).refusal for each in others]
    assert np.mean([bool(each) for each in upside_down]) >= 0.95
