"""From studies to films: which is read, where it lies, and why one is withheld."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from prognosis.cohort import Case
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.films import gather_films, windowed_square
from prognosis.evidence.imaging.quality import unreadable
from prognosis.evidence.imaging.regions import (
    Placement,
    film_map,
    parse_layout,
    region_map,
    region_weights,
    resample,
)
from tests.evidence.imaging.chests import INDEX, MemoryStore, case, film, study

CONFIG = ImagingConfig(size=32, strides=(2, 2, 1))


def test_the_images_left_side_is_the_patients_right() -> None:
    names = parse_layout("six-zones").names
    assert names[0] == "right upper zone"
    assert names[1] == "left upper zone"
    assert names[4] == "right lower zone"
    weights = region_weights(Placement.centred(32, 32, 32), parse_layout("six-zones"), (8, 8))
    assert weights[4, 7, 0] > 0.0
    assert weights[4, 7, 7] == 0.0


@pytest.mark.parametrize(("height", "width"), [(32, 32), (640, 512), (28, 61)])
def test_regions_share_out_the_whole_film_and_none_of_the_padding(height: int, width: int) -> None:
    place = Placement.centred(height, width, 32)
    weights = region_weights(place, parse_layout("grid 4x3"), (8, 8))
    assert weights.sum() == pytest.approx(1.0)
    cells = np.random.default_rng(0).standard_normal((8, 8))
    assert film_map(cells, place).shape == (height, width)
    assert film_map(cells, place).sum() == pytest.approx((weights * cells).sum())
    values = np.arange(12.0)
    assert region_map(values, place, parse_layout("grid 4x3")).sum() == pytest.approx(values.sum())


def test_resampling_keeps_the_mean_grey() -> None:
    pixels = np.random.default_rng(1).random((60, 44)).astype(np.float32)
    place = Placement.centred(60, 44, 32)
    assert resample(pixels, place).shape == (32, place.columns)
    assert resample(pixels, place).mean() == pytest.approx(pixels.mean(), abs=1e-6)


def test_the_latest_readable_frontal_film_is_read_and_the_one_before_it() -> None:
    store = MemoryStore()
    one = case(
        "p",
        study(store, "old", film(1.0, 1), 30.0),
        study(store, "before", film(1.0, 2), 20.0),
        study(store, "now", film(1.0, 3), 10.0),
        study(store, "side", film(1.0, 4), 5.0, view="LL"),
    )
    table = gather_films([one], CONFIG)
    assert table.films[int(table.latest[0])].source == "ImagingStudy/now"
    assert table.films[int(table.previous[0])].source == "ImagingStudy/before"
    assert table.gap_days[0] == pytest.approx(10.0)
    assert table.withheld == ("",)
    assert "side" not in store.opened


def test_at_each_landmark_the_change_is_between_the_last_two_films_known_there() -> None:
    store = MemoryStore()
    taken = {"first": 40.0, "second": 20.0, "third": 5.0}
    films = [study(store, uid, film(1.0, n), days) for n, (uid, days) in enumerate(taken.items())]
    whole = case("p", *films).record
    times = [INDEX - timedelta(days=days) for days in (30.0, 20.0, 5.0)]
    table = gather_films([Case(whole.as_of(time), time) for time in times], CONFIG)
    latest = [table.films[place].source.rpartition("/")[2] for place in table.latest]
    previous = [
        table.films[place].source.rpartition("/")[2] if place >= 0 else "" for place in table.previous
    ]
    assert latest == ["first", "second", "third"]
    assert previous == ["", "first", "second"]
    np.testing.assert_allclose(table.gap_days, [0.0, 20.0, 15.0])
    assert sorted(store.opened) == ["first", "second", "third"]  # a film of two landmarks is read once


def test_a_film_that_fails_the_gate_gives_way_to_the_one_before_and_is_named() -> None:
    store = MemoryStore()
    blank = study(store, "now", np.zeros((1, 32, 32), dtype=np.float32), 10.0)
    table = gather_films([case("p", study(store, "before", film(1.0, 2), 20.0), blank)], CONFIG)
    assert table.films[int(table.latest[0])].source == "ImagingStudy/before"
    assert table.withheld == ("study of 2021-02-19: film is blank",)


def test_a_ct_volume_is_refused_by_an_encoder_of_single_films() -> None:
    volume = np.random.default_rng(0).random((12, 32, 32)).astype(np.float32)
    table = gather_films([case("p", study(MemoryStore(), "ct", volume, 1.0, view=""))], CONFIG)
    assert not table.present[0]
    assert "volume of 12 slices" in table.withheld[0]


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((40, 40)), "blank"),
        (np.tile([0.0, 1.0], (40, 20)), "blank"),
        (np.random.default_rng(0).random((12, 40)), "too small"),
        (np.where(np.random.default_rng(0).random((40, 40)) < 0.6, 1.0, np.linspace(0, 0.9, 40)), "clipped"),
        (np.full((40, 40), np.nan), "not numbers"),
    ],
)
def test_the_quality_gate_says_what_is_wrong(pixels: NDArray[np.float64], reason: str) -> None:
    assert reason in unreadable(pixels.astype(np.float32), 16)


def test_28_pixel_films_pass_the_gate() -> None:
    assert unreadable(film(2.0, 1, (28, 28))[0], 16) == ""


def test_two_patients_with_the_same_study_uid_keep_their_own_films() -> None:
    first, second = MemoryStore(), MemoryStore()
    cases = [
        case("a", study(first, "1", film(0.0, 1), 1.0)),
        case("b", study(second, "1", film(5.0, 2), 1.0)),
    ]
    table = gather_films(cases, CONFIG)
    assert len(table.films) == 2
    assert [table.films[int(at)].patient for at in table.latest] == ["/a", "/b"]


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValidationError, match="multiple of the strides"):
        ImagingConfig(size=30, channels=(4, 4), strides=(2, 2))
    with pytest.raises(ValidationError, match="grid RxC"):
        ImagingConfig(regions="lobes")
    with pytest.raises(ValidationError):
        ImagingConfig(colour="red")  # type: ignore[call-arg]


def test_padding_draws_no_edge_round_a_film_so_that_its_shape_is_no_evidence() -> None:
    placement = Placement.centred(40, 80, 32)
    film = np.tile(np.linspace(0.0, 1.0, 80, dtype=np.float32), (40, 1))
    square = windowed_square(film, placement)
    assert np.array_equal(square[0], square[placement.top])
    assert np.array_equal(square[-1], square[placement.top + placement.rows - 1])
