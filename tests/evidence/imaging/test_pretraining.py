"""Self-supervised pretraining: views agree, nothing collapses, no outcome is read, exclusions hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from prognosis.errors import CohortError
from prognosis.evidence.imaging import ImagingConfig, fit_imaging
from prognosis.evidence.imaging.config import VolumeConfig
from prognosis.evidence.imaging.pretrained import load_encoder
from prognosis.evidence.imaging.pretraining import PretrainingConfig, pretrain_encoder, unlabelled_images
from prognosis.evidence.imaging.pretraining.vicreg import vicreg_loss
from prognosis.evidence.imaging.pretraining.views import random_view
from prognosis.record import PatientRecord
from tests.evidence.imaging import scans
from tests.evidence.imaging.chests import cohort

IMAGING = ImagingConfig(size=32, contrast_scales=(1.0, 2.0), channels=(8, 8), strides=(2, 2), threads=1)
CONFIG = PretrainingConfig(imaging=IMAGING, epochs=6, batch=16, projector=16)


def nobody(_: PatientRecord) -> bool:
    return False


def test_vicreg_is_zero_for_spread_uncorrelated_and_agreeing_views_and_large_for_a_constant() -> None:
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]) * 1.5
    assert float(vicreg_loss(corners, corners)) == pytest.approx(0.0, abs=1e-5)
    constant = torch.ones(4, 2)
    assert float(vicreg_loss(constant, constant)) > 20.0
    line = corners[:, :1].expand(4, 2)
    assert float(vicreg_loss(line, line)) > 1.0
    assert float(vicreg_loss(corners, -corners)) > 50.0


def test_a_view_without_chance_is_the_image_itself() -> None:
    still = PretrainingConfig(imaging=IMAGING, smallest_crop=1.0, mirror=False, brightness=0.0, noise=0.0)
    channels = torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(random_view(channels, still), channels, atol=1e-4, rtol=1e-4)
    moved = random_view(channels, CONFIG)
    assert moved.shape == channels.shape
    assert not torch.allclose(moved, channels, atol=0.1)


def test_pretraining_lowers_the_loss_gives_distinct_features_and_an_encoder_that_can_be_read(
    tmp_path: Path,
) -> None:
    cases, target, folds, _ = cohort(24)
    images = unlabelled_images([one.record for one in cases], IMAGING, nobody)
    assert len(images.channels) == 48
    found = pretrain_encoder(images, CONFIG)
    assert found.losses[-1] < found.losses[0]
    found.encoder.save(tmp_path / "encoder")
    encoder = load_encoder(tmp_path / "encoder")
    assert encoder.digest == found.encoder.digest
    features = encoder.feature_maps(images.channels, IMAGING).mean(axis=(2, 3))
    assert features.std(axis=0).max() > 0.01
    config = IMAGING.model_copy(update={"encoder": str(tmp_path / "encoder"), "epochs": 0})
    fit = fit_imaging(cases, target, folds, config, seed=0)
    assert np.abs(fit.model.folds[0].frozen).max() > 0.0
    again = pretrain_encoder(images, CONFIG)
    assert again.encoder.digest == found.encoder.digest


def test_the_studies_of_patients_left_out_are_never_opened() -> None:
    cases, _, _, store = cohort(24)
    records = [one.record for one in cases]
    images = unlabelled_images(records, IMAGING, lambda record: record.patient_id in {"p0", "p7"})
    assert images.patients == {record.person for record in records} - {"/p0", "/p7"}
    assert not {uid for uid in store.opened if uid.startswith(("p0.", "p7."))}


def test_volumes_are_pretrained_on_alike() -> None:
    cases, _, _ = scans.cohort(16)
    imaging = ImagingConfig(
        dimensions=3,
        volume=VolumeConfig(size=(8, 8, 8)),
        contrast_scales=(1.0,),
        channels=(4,),
        strides=(2,),
        threads=1,
    )
    config = PretrainingConfig(imaging=imaging, epochs=1, batch=8, projector=8)
    images = unlabelled_images([one.record for one in cases], imaging, nobody)
    assert pretrain_encoder(images, config).encoder.statement.dimensions == 3


def test_too_few_images_and_a_trunk_that_is_already_trained_are_refused() -> None:
    cases, _, _, _ = cohort(4)
    with pytest.raises(CohortError, match="8 readable images"):
        unlabelled_images([one.record for one in cases], IMAGING, nobody)
    with pytest.raises(ValidationError, match="already trained"):
        PretrainingConfig(imaging=IMAGING.model_copy(update={"encoder": "somewhere"}))


def test_the_command_writes_an_encoder_and_reads_only_the_training_part(tmp_path: Path) -> None:
    from prognosis.cli.pretrain import run_pretrain

    random = np.random.default_rng(0)
    images = {f"{part}_images": random.integers(0, 255, (20, 28, 28), np.uint8) for part in ("train", "val")}
    labels = {f"{part}_labels": np.arange(20)[:, None] % 2 for part in ("train", "val")}
    np.savez(tmp_path / "films.npz", **images, **labels)
    (tmp_path / "held.txt").write_text("train-00003\n")
    settings = ["epochs=1", "batch=8", "imaging.size=28", "imaging.channels=[4]", "imaging.strides=[2]"]
    run_pretrain(
        [f"pneumoniamnist:{tmp_path}/films.npz"],
        tmp_path / "encoder",
        None,
        settings,
        tmp_path / "held.txt",
        json_output=False,
    )
    account = json.loads((tmp_path / "encoder" / "pretraining.json").read_text())
    assert account["images"] == 19
    assert load_encoder(tmp_path / "encoder").digest == account["digest"]
