"""`prognosis segment --write-images` on a real archive: stored once, read back, valid, and taken back.

Skipped where Orthanc is absent: apt-get install orthanc orthanc-dicomweb orthanc-gdcm.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.cli.test_segment import a_model
from tests.live.orthanc import load, results, running
from tests.outputs.images import errors_of, headers, series

pytest.importorskip("highdicom")


def test_an_outline_lies_beside_its_series_once_and_is_taken_back(prognosis: Program, tmp_path: Path) -> None:
    series(tmp_path / "ct", "CT")
    uid = str(headers(tmp_path / "ct")[0].StudyInstanceUID)
    model = a_model(tmp_path / "model", 3, structures=("lesion",))
    with running(tmp_path / "orthanc") as archive:
        load(archive, tmp_path / "ct")
        place = f"dicomweb:{archive.root}"
        asked = ("segment", uid, "--model", model, "--out", tmp_path / "out", "--source", place, "--json")
        told = []
        for _ in range(2):
            ran = prognosis(*asked, "--write-images", place)
            assert ran.status == 0, ran.err
            told.append(ran.stated["archive"])
        assert told == [{"stored": 2, "held": 0}, {"stored": 0, "held": 2}]
        held = results(archive, uid)
        assert sorted(each.Modality for each in held.values()) == ["SEG", "SR"]
        assert [errors_of(each, tmp_path / name) for name, each in held.items()] == [[], []]
        retracted = prognosis("retract-images", uid, "--archive", place, "--json")
        assert sorted(retracted.stated["retracted"]) == sorted(held)
        after = prognosis(*asked, "--write-images", place)
        assert "2 of them were retracted" in after.err
