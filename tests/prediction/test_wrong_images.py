"""A wrong image gives no risk but the reason, and never stands in the way of what else is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

import prognosis
from prognosis.prediction import Prediction
from prognosis.record import ImagingStudy, PatientRecord, Series, Volume
from prognosis.simulate.film import SCANNERS, render_film
from tests.simulated import Simulated

Pixels = NDArray[np.float32]
TIME = datetime(2021, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OneFilm:
    """An image store of one film."""

    pixels: Pixels

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        series = study.series[0]
        source = f"ImagingStudy/{study.study_uid}#{series.series_uid}"
        return (Volume(self.pixels[None], np.eye(4), source, series.modality, series.view),)


def good_film(seed: int = 900) -> Pixels:
    return render_film([], SCANNERS[seed % 2], seed, seed)[0]


def film_study(pixels: Pixels, modality: str = "DX", view: str = "PA", part: str = "CHEST") -> ImagingStudy:
    return ImagingStudy(TIME, "9.1", (Series("9.1.1", modality, view, part),), "", OneFilm(pixels))


def predicted(small: Simulated, study: ImagingStudy) -> Prediction:
    return prognosis.predict(small.model, PatientRecord("stranger", studies=(study,)))


def blurred(film: Pixels) -> Pixels:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(film, 2.5)


def noisy(film: Pixels) -> Pixels:
    noise = 400.0 * np.random.default_rng(0).standard_normal(film.shape)
    return np.clip(film + noise, 0, 4095).astype(np.float32)


def lettered(film: Pixels) -> Pixels:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(film)
    for line, text in enumerate(("DOE^JANE ANN", "1961-04-23 F")):
        font = ImageFont.load_default(size=9)
        ImageDraw.Draw(image).text((6, 50 + 11 * line), text, fill=4095.0, font=font)
    return np.asarray(image)


def hand(_: Pixels) -> Pixels:
    """A palm and five fingers on black."""
    y, x = np.mgrid[:128, :128]
    shown = np.hypot((y - 95) / 26.0, (x - 64) / 24.0) < 1.0
    for column, tip in ((30, 60), (46, 22), (62, 12), (78, 20), (94, 34)):
        shown |= (np.abs(x - column - (y - 95) * (62 - column) / 160) < 5) & (y > tip) & (y < 95)
    return (300.0 + 2400.0 * shown + 40.0 * np.random.default_rng(1).standard_normal(y.shape)).astype(
        np.float32
    )


def side_view(_: Pixels) -> Pixels:
    """One lung behind the heart, the spine to the right, nothing symmetric."""
    y, x = np.mgrid[:128, :128] / 128.0
    body = 0.75 - 0.5 * (np.hypot((x - 0.5) / 0.42, (y - 0.5) / 0.7) > 1.0)
    lung = np.hypot((x - 0.52) / 0.24, (y - 0.45) / 0.36) < 1.0
    spine = (np.abs(x - 0.8) < 0.05) & (np.sin(40 * y) > 0)
    noise = 0.02 * np.random.default_rng(2).standard_normal(y.shape)
    return (4095.0 * np.clip(body - 0.4 * lung + 0.2 * spine + noise, 0, 1)).astype(np.float32)


def computed_tomography(_: Pixels) -> Pixels:
    import pydicom
    from pydicom.data import get_testdata_file

    path = get_testdata_file("CT_small.dcm", download=False)
    return pydicom.dcmread(path).pixel_array.astype(np.float32)


def collimated(film: Pixels) -> Pixels:
    shown = np.full_like(film, film.min())
    shown[:60, :60] = film[:60, :60]
    return shown


WRONG: dict[str, tuple[Callable[[Pixels], Pixels], str]] = {
    "blank": (lambda film: np.full_like(film, 7.0), "film is blank"),
    "inverted": (lambda film: 4095.0 - film, "inverted"),
    "turned left": (lambda film: np.rot90(film).copy(), "turned by 90 degrees to the left"),
    "turned right": (lambda film: np.rot90(film, 3).copy(), "turned by 90 degrees to the right"),
    "upside down": (lambda film: np.rot90(film, 2).copy(), "turned by 180 degrees"),
    "left half": (lambda film: film[:, :64], "cropped"),
    "right half": (lambda film: film[:, 64:], "cropped"),
    "a corner": (collimated, "cropped"),
    "all clipped": (lambda film: np.minimum(film, np.quantile(film, 0.3)), "clipped"),
    "half clipped": (lambda film: np.maximum(film, np.quantile(film, 0.5)), "clipped"),
    "heavy noise": (noisy, "too noisy"),
    "heavy blur": (blurred, "blurred"),
    "enlarged": (lambda film: np.kron(film[::8, ::8], np.ones((8, 8), np.float32)), "resolution"),
    "too small": (lambda film: film[::4, ::4], "too small"),
    "burned-in text": (lettered, "text burned into it"),
    "a hand": (hand, "unlike the films"),
    "a side view": (side_view, "unlike the films"),
    "a CT slice": (computed_tomography, "unlike the films"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_image_alone_gives_the_reason_instead_of_a_risk(small: Simulated, kind: str) -> None:
    alter, reason = WRONG[kind]
    prediction = predicted(small, film_study(alter(good_film())))
    assert prediction.abstained
    assert reason in prediction.abstained_because


@pytest.mark.parametrize(
    ("modality", "view", "part", "reason"),
    [
        ("CT", "", "CHEST", "modality CT"),
        ("DX", "PA", "HAND", "body part HAND"),
        ("DX", "LL", "CHEST", "no frontal film"),
    ],
)
def test_a_header_of_another_kind_refuses_a_film_whose_pixels_look_right(
    small: Simulated, modality: str, view: str, part: str, reason: str
) -> None:
    prediction = predicted(small, film_study(good_film(), modality, view, part))
    assert reason in prediction.abstained_because


def test_untouched_films_of_strangers_are_read(small: Simulated) -> None:
    said = [predicted(small, film_study(good_film(seed))) for seed in range(1000, 1030)]
    assert sum(each.abstained for each in said) <= 1
    assert all("imaging" in each.modalities_used for each in said if not each.abstained)


@pytest.mark.parametrize("part", ["THORAX", "PORT CHEST", ""])
def test_every_name_of_the_chest_is_the_chest_and_a_silent_header_is_no_fault(
    small: Simulated, part: str
) -> None:
    prediction = predicted(small, film_study(good_film(), part=part))
    assert prediction.modalities_used == ("imaging",)
    assert not any("body part" in caution for caution in prediction.cautions)


def test_an_unknown_body_part_is_a_caution_and_not_repeated(small: Simulated) -> None:
    prediction = predicted(small, film_study(good_film(), part="MRS DOE"))
    assert prediction.modalities_used == ("imaging",)
    assert any("a body part that is not CHEST" in caution for caution in prediction.cautions)
    assert "DOE" not in " ".join(prediction.cautions)


def test_a_wrong_image_is_said_and_the_rest_of_the_record_is_read_as_if_there_were_none(
    small: Simulated,
) -> None:
    case = small.complete[0]
    bare = replace(case.record, studies=())
    wrong = replace(bare, studies=(replace(film_study(4095.0 - good_film()), time=case.index_time),))
    without, beside = (prognosis.predict(small.model, record, case.index_time) for record in (bare, wrong))
    assert not beside.abstained
    assert "inverted" in beside.modalities_missing["imaging"]
    assert any("inverted" in caution for caution in beside.cautions)
    for cause in small.model.task.causes:
        np.testing.assert_array_equal(beside.cumulative_incidence[cause], without.cumulative_incidence[cause])


def test_the_gate_says_the_same_when_the_model_is_loaded(small: Simulated) -> None:
    loaded = prognosis.load(small.model_folder)
    for alter, _ in (WRONG["upside down"], WRONG["a hand"]):
        record = PatientRecord("stranger", studies=(film_study(alter(good_film())),))
        said = [prognosis.predict(model, record).abstained_because for model in (small.model, loaded)]
        assert said[0] == said[1]
