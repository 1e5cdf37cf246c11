"""Volumes: read in the patient's orientation whatever the file's, additive on their own voxels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

import prognosis
from prognosis.cli.patient_report import patient_page
from prognosis.cohort import Case, Cohort, Task
from prognosis.evidence.imaging import ImagingConfig
from prognosis.evidence.imaging.config import VolumeConfig
from prognosis.evidence.imaging.films import gather_films
from prognosis.evidence.imaging.regions import parse_layout, region_weights
from prognosis.evidence.imaging.volumes import volume_placement, windowed_block
from prognosis.fusion import FusionModel, ModelConfig
from prognosis.record import Volume
from tests.evidence.imaging import scans
from tests.evidence.imaging.scans import VolumeStore, scan, voxels

WINDOWS = ((-1000.0, 0.0), (-160.0, 240.0))
VOLUME = VolumeConfig(size=(8, 16, 16), windows=WINDOWS, minimum_slices=8)
CONFIG = ImagingConfig(
    dimensions=3,
    volume=VOLUME,
    regions="grid 2x1x2",
    contrast_scales=(1.0, 2.0),
    channels=(6, 6),
    strides=(2, 1),
    epochs=4,
    batch=8,
)
RIGHT_LOW = "level 2 row 1 column 1"
TASK = Task.model_validate(
    {
        "name": "nodule",
        "question": "Will it grow?",
        "index": {"at": "study"},
        "outcome": {
            "kind": "time_to_event",
            "causes": {"progression": ["x|grown"]},
            "horizons_days": [100, 200],
        },
    }
)

Trained = tuple[FusionModel, list[Case], NDArray[np.float64]]


@pytest.fixture(scope="module")
def trained() -> Trained:
    cases, radii, _ = scans.cohort(60)
    config = ModelConfig.model_validate(
        {"modalities": ["imaging"], "folds": 2, "imaging": CONFIG, "fusion": {"bins": 4, "bootstrap": 10}}
    )
    return prognosis.train(Cohort(TASK, tuple(cases)), config), cases, radii


def test_a_ct_cohort_is_trained_predicted_and_explained_with_evidence_that_adds_up(trained: Trained) -> None:
    model, cases, radii = trained
    evidence = model.evidence["imaging"]
    summary = evidence.summarise(cases)
    assert summary.present.all()
    sick, well = summary.evidence[radii > 6.0, 0, 0], summary.evidence[radii == 0.0, 0, 0]
    assert sick.mean() > well.mean() + 0.5
    for row in (0, 1):
        tokens = evidence.tokens(cases[row])
        assert [token.name for token in tokens] == list(CONFIG.layout.names)
        np.testing.assert_allclose(sum(each.evidence for each in tokens), summary.evidence[row], atol=1e-5)
        explanation = prognosis.explain(model, cases[row].record, cases[row].index_time)
        assert explanation.max_additivity_error < 1e-5
    risks = [
        prognosis.predict(model, one.record, at=one.index_time).risks()[0].probability for one in cases[:20]
    ]
    assert np.corrcoef(risks, radii[:20])[0, 1] > 0.5


def test_the_map_lies_on_the_studys_own_voxels_and_points_at_the_nodule(trained: Trained) -> None:
    model, _, _ = trained
    store, hits = VolumeStore(), 0
    for number in range(8):
        one = scan(store, f"n{number}", voxels(8.0, 900 + number))
        drawn = model.evidence["imaging"].evidence_map(one)
        assert drawn.evidence.shape == (1, *scans.SHAPE)
        assert drawn.film.shape == scans.SHAPE
        tokens = {token.name: float(token.evidence[0, 0]) for token in model.evidence["imaging"].tokens(one)}
        np.testing.assert_allclose(drawn.evidence.sum(), sum(tokens.values()), atol=1e-5)
        hits += max(tokens, key=lambda name: tokens[name]) == RIGHT_LOW
    assert hits >= 7


def test_a_patients_page_shows_the_slice_with_the_nodule(trained: Trained) -> None:
    model, _, _ = trained
    film = patient_page(model, scan(VolumeStore(), "n", voxels(8.0, 77))).films[0]
    assert film.pixels.shape == film.evidence.shape == scans.SHAPE[1:]
    assert "of 16" in film.title
    assert film.zones == ()


def test_the_same_patient_stored_in_another_order_has_the_same_evidence_and_the_map_turned_alike(
    trained: Trained,
) -> None:
    model, _, _ = trained
    imaging, array = model.evidence["imaging"], voxels(7.0, 5)
    store = VolumeStore()
    one, other = scan(store, "a", array), scan(store, "b", array)
    turned = np.ascontiguousarray(array[::-1].transpose(2, 0, 1))  # axes: x, z downwards, y
    steps = scans.affine()[:3, :3]
    columns = [steps[:, 1], -steps[:, 2], steps[:, 0]]  # of the new array's x (y), y (z down), z (x)
    held = np.eye(4)
    held[:3, :3] = np.column_stack(columns)
    uid = other.record.studies[0].study_uid
    store.held[uid] = (Volume(turned, held, "s", "CT"),)
    np.testing.assert_allclose(
        imaging.summarise([one]).evidence, imaging.summarise([other]).evidence, atol=1e-9
    )
    upright, sideways = imaging.evidence_map(one), imaging.evidence_map(other)
    np.testing.assert_allclose(sideways.evidence[0], upright.evidence[0, ::-1].transpose(2, 0, 1), atol=1e-12)


def test_the_first_level_is_the_head_and_the_first_column_the_patients_right() -> None:
    ramp = np.broadcast_to(np.linspace(-1000.0, 0.0, 16)[:, None, None], scans.SHAPE).astype(np.float32)
    volume = Volume(ramp, scans.affine(), "s", "CT")
    block = windowed_block(volume, volume_placement(volume, VOLUME), VOLUME)
    assert block[0, 0].mean() > block[0, -1].mean()
    across = np.broadcast_to(np.linspace(-1000.0, 0.0, 24), scans.SHAPE).astype(np.float32)
    mirrored = scans.affine() @ np.diag([-1.0, 1.0, 1.0, 1.0])  # x runs to the patient's right
    volume = Volume(across, mirrored, "s", "CT")
    block = windowed_block(volume, volume_placement(volume, VOLUME), VOLUME)
    assert block[0, ..., 2].mean() > block[0, ..., -3].mean()


def test_a_window_is_an_image_of_hounsfield_units_and_another_modality_has_percentiles() -> None:
    array = voxels(8.0, 1)
    ct, mr = (Volume(array, scans.affine(), "s", modality) for modality in ("CT", "MR"))
    place = volume_placement(ct, VOLUME)
    lung, soft = windowed_block(ct, place, VOLUME)
    assert lung.max() == 1.0
    assert (soft[lung < 0.5] == 0.0).all()
    first, second = windowed_block(mr, place, VOLUME)
    np.testing.assert_array_equal(first, second)
    brighter = replace(mr, voxels=3.0 * array + 7.0)
    np.testing.assert_allclose(windowed_block(brighter, place, VOLUME)[0], first, atol=1e-4)


def test_a_working_spacing_keeps_millimetres_and_cuts_what_lies_beyond() -> None:
    config = VolumeConfig(size=(8, 16, 16), spacing_mm=(3.0, 2.0, 2.0), windows=WINDOWS)
    volume = Volume(voxels(5.0, 2), scans.affine(), "s", "CT")
    place = volume_placement(volume, config)
    assert [axis.extent for axis in place.axes] == pytest.approx(scans.SHAPE)
    block = windowed_block(volume, place, config)
    shown = np.clip((volume.voxels[::-1][4:12, 4:20, 4:20] + 1000.0) / 1000.0, 0.0, 1.0)
    np.testing.assert_allclose(block[0], shown, atol=1e-5)
    weights = region_weights(place, parse_layout("grid 2x2x2", 3), (4, 8, 8))
    assert weights.sum() == pytest.approx(1.0)
    finer = Volume(np.repeat(volume.voxels, 2, axis=1), scans.affine((3.0, 1.0, 2.0)), "s", "CT")
    np.testing.assert_allclose(
        windowed_block(finer, volume_placement(finer, config), config), block, atol=1e-5
    )


@pytest.mark.parametrize(
    ("array", "modality", "reason"),
    [
        (voxels(5.0, 1)[:1], "CT", "single film and this encoder reads volumes"),
        (voxels(5.0, 1)[:4], "CT", "4 slices of the 8 needed"),
        (voxels(5.0, 1), "MR", "no series of modality CT"),
        (np.zeros(scans.SHAPE, dtype=np.float32), "CT", "blank"),
        (np.where(voxels(5.0, 1) > 0.0, np.nan, 0.0).astype(np.float32), "CT", "not numbers"),
    ],
)
def test_a_study_of_the_wrong_kind_is_withheld_with_its_reason(
    array: NDArray[np.float32], modality: str, reason: str
) -> None:
    config = CONFIG.model_copy(update={"volume": VOLUME.model_copy(update={"modalities": ("CT",)})})
    table = gather_films([scan(VolumeStore(), "p", array, modality)], config)
    assert not table.present[0]
    assert reason in table.withheld[0]


def test_a_volume_with_no_orientation_is_withheld() -> None:
    store = VolumeStore()
    one = scan(store, "p", voxels(5.0, 1))
    uid = one.record.studies[0].study_uid
    store.held[uid] = (replace(store.held[uid][0], affine=np.zeros((4, 4))),)
    assert "no usable orientation" in gather_films([one], CONFIG).withheld[0]


def test_settings_of_volumes_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValidationError, match="grid ZxRxC"):
        ImagingConfig(dimensions=3, regions="grid 2x2")
    with pytest.raises(ValidationError, match="multiple of the strides"):
        ImagingConfig(dimensions=3, volume=VolumeConfig(size=(18, 32, 32)))
    with pytest.raises(ValidationError, match="low < high"):
        VolumeConfig(windows=((100.0, -100.0),))
    assert ImagingConfig(dimensions=3).layout.shape == (3, 1, 2)
