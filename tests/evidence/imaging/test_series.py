"""A patient's films by date: the same evidence as the latest film's tokens, and changes that turn round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.cohort import Case
from prognosis.evaluation.evidence_maps import (
    READ_OUTS,
    cell_maps,
    map_additivity_error,
    perturbed,
    randomised_maps,
)
from prognosis.evaluation.faithfulness import rank_correlation
from prognosis.evidence.imaging import ImagingConfig, ImagingEvidence, fit_imaging
from prognosis.evidence.imaging.films import read_image
from prognosis.evidence.imaging.series import change_between, evidence_series
from tests.evidence.imaging.chests import MemoryStore, case, cohort, film, study

CONFIG = ImagingConfig(
    size=32, contrast_scales=(1.0, 2.0), channels=(4, 4), strides=(2, 2), epochs=2, batch=8
)


@pytest.fixture(scope="module")
def model() -> ImagingEvidence:
    cases, target, folds, _ = cohort(120)
    fitted = fit_imaging(cases, target, folds, CONFIG, seed=3).model
    assert isinstance(fitted, ImagingEvidence)
    return replace(fitted, gate=None)


@pytest.fixture
def patient() -> Case:
    store = MemoryStore()
    spots = ((1.0, 30.0), (4.0, 20.0), (6.0, 10.0))
    films = [study(store, f"s{days}", film(spot, 5, (32, 32)), days) for spot, days in spots]
    return case("grows", *films, study(store, "damaged", None, 2.0))


def test_the_last_film_of_a_series_has_the_evidence_of_the_level_tokens(
    model: ImagingEvidence, patient: Case
) -> None:
    series = evidence_series(model, patient)
    assert [each.film.source for each in series] == [f"ImagingStudy/s{days}" for days in (30.0, 20.0, 10.0)]
    level = np.stack([token.evidence[:, 0] for token in model.tokens(patient)[:6]], axis=1)
    np.testing.assert_allclose(series[-1].regions, level, atol=1e-6)
    assert len(evidence_series(model, patient, most=2)) == 2
    assert evidence_series(model, case("nobody")) == ()


def test_a_film_has_not_changed_from_itself_and_changes_turn_round_with_the_order(
    model: ImagingEvidence, patient: Case
) -> None:
    first, _, last = (each.film for each in evidence_series(model, patient))
    assert not change_between(model, last, last).regions.any()
    there, back = change_between(model, first, last), change_between(model, last, first)
    assert np.abs(there.regions).max() > 0.01
    np.testing.assert_allclose(there.regions, -back.regions, atol=0.2 * np.abs(there.regions).max())


def test_a_growing_spot_raises_the_evidence_of_its_zone_by_more_than_of_any_other(
    model: ImagingEvidence, patient: Case
) -> None:
    first, _, last = (each.film for each in evidence_series(model, patient))
    change = change_between(model, first, last).regions[0]
    assert model.config.layout.names[int(np.abs(change).argmax())] == "right lower zone"


def test_maps_tokens_and_evidence_are_one_number(model: ImagingEvidence, patient: Case) -> None:
    assert map_additivity_error(model, [patient, case("nobody")]) < 1e-5


def test_deleting_by_the_map_lowers_the_evidence_faster_than_at_random(
    model: ImagingEvidence, patient: Case
) -> None:
    spotted = evidence_series(model, patient)[-1].film
    random = np.random.default_rng(0)
    curves = [perturbed(model, spotted, random) for _ in range(3)]
    assert np.mean([each.by_random.deletion - each.by_map.deletion for each in curves]) > 0.0


def test_maps_with_weights_drawn_anew_are_other_maps(model: ImagingEvidence) -> None:
    store = MemoryStore()
    cases = [case(f"p{n}", study(store, f"p{n}", film(4.0, n), 1.0)) for n in range(6)]
    films = [read_image(one.record.studies[0], one.patient, model.config) for one in cases]
    shown = [each for each in films if not isinstance(each, str)]
    found = randomised_maps(model, shown, draws=2, seed=0)
    assert list(found) == [READ_OUTS, "and 1 of 2 layers", "and 2 of 2 layers"]
    for drawn in found.values():
        assert drawn.shape == (2, 6, 64)
        assert all(np.abs(rank_correlation(cell_maps(model, shown), each)).mean() < 0.9 for each in drawn)
