"""`prognosis risk --write-images` and `retract-images` on a real archive; validity: test_whole_cohort.py.

Skipped where Orthanc is absent: apt-get install orthanc orthanc-dicomweb orthanc-gdcm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.cli.program import Program
from tests.live.hospital import Hospital
from tests.live.orthanc import results
from tests.outputs.images import errors_of
from tests.simulated import Simulated

pytest.importorskip("highdicom")


def test_an_answer_is_withdrawn_from_an_archive_and_is_never_read_as_an_image(
    prognosis: Program, hospital: Hospital, small: Simulated, tmp_path: Path
) -> None:
    case = next(each for each in hospital.complete[1:] if len(each.record.studies) == 1)
    uid, archive = case.record.studies[0].study_uid, hospital.archive
    sources = (word for uri in hospital.uris for word in ("--source", uri))
    asked = ("risk", case.record.patient_id, "--model", small.model_folder, *sources, "--json")
    ran = prognosis(*asked, "--write-images", hospital.films_uri)
    assert ran.status == 0, ran.err
    assert "wrote 4 objects" in ran.prose
    first = results(archive, uid)
    assert {each.PatientID for each in first.values()} == {case.record.patient_id}

    (report,) = (each for each in first.values() if each.Modality == "SR")
    stated = {
        str(node.ConceptNameCodeSequence[0].CodeMeaning): float(node.MeasuredValueSequence[0].NumericValue)
        for node in numbers(report)
    }
    for risk in ran.stated["risks"]:
        name = f"Probability of {risk['cause'].replace('_', ' ')} by {risk['days']:g} days"
        assert stated[name] == pytest.approx(risk["probability"], abs=1e-6)

    for said in ("retracted", "as they were before"):
        retracted = prognosis("retract-images", uid, "--archive", hospital.films_uri, "--json")
        assert retracted.status == 0, retracted.err
        assert sorted(retracted.stated["retracted"]) == sorted(first)
        assert said in retracted.prose
    (note,) = (each for each in results(archive, uid).values() if each.Modality == "KO")
    assert errors_of(note, tmp_path / "note") == []
    after = prognosis(*asked, "--write-images", hospital.films_uri)
    assert "wrote 0 objects" in after.prose
    assert "4 of them were retracted" in after.prose
    assert after.stated == ran.stated  # nor did the objects that lie among the images change the answer


def numbers(node: Dataset) -> Iterator[Dataset]:
    """Every numeric content item below one."""
    for item in node.get("ContentSequence", ()):
        if item.ValueType == "NUM":
            yield item
        yield from numbers(item)
