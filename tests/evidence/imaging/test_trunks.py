"""Networks of other sizes: additive whatever the trunk, and a pretrained one moves at its own rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from prognosis.evidence.imaging import ImagingConfig, fit_imaging
from prognosis.evidence.imaging.arrays import film_arrays
from prognosis.evidence.imaging.config import VolumeConfig
from prognosis.evidence.imaging.encoder import build_encoder, network_cells
from prognosis.evidence.imaging.films import gather_films
from prognosis.evidence.imaging.pretrained import load_encoder
from prognosis.evidence.imaging.resnet import ResNetShape, build_resnet
from prognosis.evidence.imaging.training import train_encoder
from tests.evidence.imaging.chests import cohort


@pytest.mark.parametrize(("trunk", "dimensions"), [("resnet34", 2), ("resnet18", 3), ("resnet50", 3)])
def test_a_residual_trunk_has_the_cells_that_are_stated_and_starts_silent(
    trunk: str, dimensions: int
) -> None:
    config = ImagingConfig.model_validate(
        {"dimensions": dimensions, "size": 48, "volume": {"size": [16, 48, 40]}, "trunk": trunk}
    )
    network = build_encoder(config, 2).eval()
    with torch.inference_mode():
        cells = network(torch.randn(1, config.width, *config.shape))
    assert cells.shape == (1, 2, *network_cells(config, None))
    assert not cells.any()


def test_a_residual_trunk_gives_evidence_that_adds_up() -> None:
    cases, target, folds, _ = cohort(12)
    config = ImagingConfig(
        size=32, contrast_scales=(1.0,), trunk="resnet18", epochs=1, batch=8, regions="grid 2x2", threads=1
    )
    fit = fit_imaging(cases, target, folds, config, seed=0)
    summary = fit.model.summarise(cases[:2])
    for row in range(2):
        tokens = fit.model.tokens(cases[row])
        np.testing.assert_allclose(sum(one.evidence for one in tokens), summary.evidence[row], atol=1e-5)


def test_a_rate_of_zero_keeps_the_pretrained_trunk_and_trains_the_read_out(tmp_path: Path) -> None:
    cases, target, _, _ = cohort(16)
    torch.manual_seed(0)
    shape = ResNetShape(2, 1, (1, 1, 1, 1), bottleneck=False, width=4, stem=(3, 3), stem_stride=(1, 1))
    torch.save(build_resnet(shape).state_dict(), tmp_path / "weights.pt")
    encoder = load_encoder(tmp_path / "weights.pt")
    config = ImagingConfig.model_validate(
        {
            "size": 32,
            "trunk": "encoder",
            "encoder": str(tmp_path / "weights.pt"),
            "trunk_rate": 0.0,
            "epochs": 1,
            "batch": 4,
            "threads": 1,
        }
    )
    table = gather_films(cases, config)
    films = film_arrays(table.films, config, encoder=encoder)
    kept = {name: value.clone() for name, value in encoder.network.named_parameters()}
    for rate, moved in ((0.0, False), (0.5, True)):
        own = config.model_copy(update={"trunk_rate": rate})
        network = train_encoder(films, table.latest, target, own, 0, encoder=encoder)
        trained = dict(network[0].network.named_parameters())
        assert any(not torch.equal(trained[name], kept[name]) for name in kept) == moved
        assert network[1].weight.abs().max() > 0.0
        assert all(torch.equal(value, kept[name]) for name, value in encoder.network.named_parameters())


def test_a_volume_config_needs_no_film_settings() -> None:
    config = ImagingConfig(dimensions=3, volume=VolumeConfig(size=(16, 32, 32)), size=17)
    assert config.cells == (4, 8, 8)
