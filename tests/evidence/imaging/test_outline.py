"""Evidence told in zones of outlined lungs: seven regions that sum to the film's evidence."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort import Case, Target
from prognosis.errors import ConfigError
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.fitting import fit_imaging
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.outline import LUNG_LAYOUT, Outline, thirds_of_film
from prognosis.evidence.imaging.regions import Placement, parse_layout, region_weights
from prognosis.evidence.imaging.storage import load_imaging
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.evidence.segmentation.storage import save_segmentation
from prognosis.evidence.segmentation.training import read_example, train_network
from prognosis.fusion import ModelConfig
from tests.evidence.imaging.chests import MemoryStore, case, study
from tests.evidence.segmentation.lungs import STRUCTURES, lungs_task, marked_film

FILMS = SegmentationConfig(channels=(8, 16, 32, 32), residual_units=1, size=32, epochs=20, batch=4, threads=1)
WITHOUT_LUNGS = np.tile(np.linspace(50.0, 200.0, 48, dtype=np.float32), (1, 40, 1))


def spotted(number: int, store: MemoryStore) -> Case:
    """A patient whose film shows two lungs, in the right one a spot as large as the number says."""
    voxels = marked_film(number)[0].voxels.copy()
    voxels[0, 24 : 24 + number % 4, 10 : 10 + number % 4] += 150.0
    return case(f"p{number}", study(store, f"s{number}", voxels, 1.0))


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small model of drawn lungs."""
    examples = [read_example(*marked_film(seed), STRUCTURES, FILMS) for seed in range(30, 40)]
    network = train_network(examples, STRUCTURES, FILMS, seed=0)
    folder = tmp_path_factory.mktemp("lungs") / "model"
    save_segmentation(SegmentationModel(lungs_task(), FILMS, 2, network, 10, frozenset()), folder, "card", {})
    return folder


@pytest.fixture(scope="module")
def model(segmenter: Path, tmp_path_factory: pytest.TempPathFactory) -> ImagingEvidence:
    """Imaging evidence in zones of the lungs, loaded where the segmentation model it was given is gone."""
    store = MemoryStore()
    cases = [spotted(number, store) for number in range(24)]
    cause = np.array([int(number % 4 > 1) for number in range(24)])
    target = Target(("worse",), cause, np.full(24, 0.5), np.array([0.0, 1.0]), survival=False)
    own = Path(shutil.copytree(segmenter, tmp_path_factory.mktemp("copy") / "model"))
    config = ImagingConfig(size=48, epochs=0, channels=(8,), strides=(2,), segmentation=str(own))
    fitted = fit_imaging(cases, target, np.arange(24) % 3, config, seed=0)
    folder = tmp_path_factory.mktemp("imaging")
    assert isinstance(fitted.model, ImagingEvidence)
    fitted.model.save(folder)
    shutil.rmtree(own)
    loaded = load_imaging(folder)
    assert np.allclose(loaded.summarise(cases).evidence, fitted.model.summarise(cases).evidence, atol=1e-9)
    return loaded


def test_the_seven_regions_sum_to_the_films_evidence_and_each_to_its_part_of_the_map(
    model: ImagingEvidence,
) -> None:
    one = spotted(51, MemoryStore())
    tokens = model.tokens(one)
    assert [token.name for token in tokens] == list(LUNG_LAYOUT.names)
    total = model.summarise([one])
    assert sum(token.evidence.sum() for token in tokens) == pytest.approx(total.evidence.sum(), abs=1e-9)
    assert total.cautions == ("",)
    found = model.evidence_map(one)
    assert found is not None
    assert found.outline is not None
    assert found.evidence.sum() == pytest.approx(total.evidence.sum(), abs=1e-9)
    for place, token in enumerate(tokens):
        inside = found.evidence[0][found.outline.regions == place].sum()
        assert inside == pytest.approx(token.evidence.sum(), abs=1e-9)


def test_where_no_lungs_are_found_the_zones_are_thirds_of_the_film_and_it_is_said(
    model: ImagingEvidence,
) -> None:
    model = replace(model, gate=None)  # which would refuse such a film
    one = case("p", study(MemoryStore(), "s", WITHOUT_LUNGS, 1.0))
    total = model.summarise([one])
    assert "zones are thirds of the film" in total.cautions[0]
    found = model.evidence_map(one)
    assert found is not None
    assert found.outline is not None
    assert np.array_equal(found.outline.regions, thirds_of_film(40, 48))
    tokens = model.tokens(one)
    assert sum(token.evidence.sum() for token in tokens) == pytest.approx(total.evidence.sum(), abs=1e-9)
    assert found.evidence.sum() == pytest.approx(total.evidence.sum(), abs=1e-9)


def test_zones_drawn_as_thirds_of_the_film_weigh_what_the_grid_weighs() -> None:
    place = Placement.centred(30, 24, 32)
    outline = Outline(thirds_of_film(30, 24), "")
    grid = region_weights(place, parse_layout("six-zones"), (8, 8))
    assert np.allclose(outline.shares(place, (8, 8)), [*grid, np.zeros((8, 8))], atol=1e-12)


def test_a_volume_has_no_outlined_lungs() -> None:
    with pytest.raises(ConfigError, match="segmentation outlines the lungs of films"):
        ModelConfig.from_statement({"imaging": {"dimensions": 3, "segmentation": "lungs"}}, "settings")
