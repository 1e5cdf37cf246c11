"""Films of their own for tests that damage them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.evidence.imaging.cache.films import FILMS, Archive, read
from tests.simulated import Simulated


@pytest.fixture
def archive(small: Simulated, tmp_path: Path) -> Archive:
    """The first films of the simulated hospital, copied."""
    for each in sorted((small.folder / "dicom").iterdir())[:FILMS]:
        shutil.copytree(each, tmp_path / "films" / each.name)
    return read(tmp_path / "films")
