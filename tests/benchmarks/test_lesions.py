"""The five real lesions: measured as pyradiomics measures them, after a way through files and loading."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pydicom
import pytest

from benchmarks.lesions import GOLDEN, KINDS, Lesion, compared, load, whole, written
from tests.outputs.images import errors_of

pytest.importorskip("nrrd")


@pytest.fixture(scope="module", params=list(KINDS))
def lesion(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lesion:
    data = os.environ.get("PYRADIOMICS_DATA")
    if not data:
        pytest.skip("PYRADIOMICS_DATA does not name the folder `data` of pyradiomics' source archive")
    return load(Path(data), request.param, tmp_path_factory.mktemp("series"))


def test_volume_and_longest_diameter_are_those_of_pyradiomics(lesion: Lesion):
    row = compared(lesion)
    assert row.volume_ratio == pytest.approx(1.0, abs=1e-6)
    assert row.longest_3d_ratio == pytest.approx(1.0, abs=1e-6)


def test_the_diameter_within_slices_is_the_largest_of_all_pairs_of_border_points(lesion: Lesion):
    theirs = json.loads(GOLDEN.read_text(encoding="utf-8"))["volumes"][lesion.name]
    assert whole(lesion).axes.long.length == pytest.approx(theirs["diameter_within_slices"], rel=1e-6)
    # pyradiomics also compares points halfway between slices: never shorter, and 12% longer in brain1.
    assert theirs["diameter_within_slices"] <= theirs["Maximum2DDiameterSlice"] * (1 + 1e-9)


def test_seg_and_report_read_back_and_have_no_error(lesion: Lesion, tmp_path: Path):
    files = written(lesion, tmp_path)
    for kind in ("seg", "sr"):
        dataset = pydicom.dcmread(tmp_path / f"{lesion.name}-{kind}.dcm")
        assert errors_of(dataset, tmp_path / kind) == []
    assert len(files) == 3
