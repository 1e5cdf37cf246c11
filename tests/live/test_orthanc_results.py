"""A prediction's DICOM objects in a real archive: written, read again, valid, and written once.

Skipped where Orthanc is absent: apt-get install orthanc orthanc-dicomweb orthanc-gdcm.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset

from prognosis.prediction import predict_cases
from tests.cli.program import Program
from tests.live.orthanc import Orthanc, running
from tests.live.test_orthanc import stored
from tests.outputs.images import errors_of
from tests.simulated import Simulated

pytest.importorskip("highdicom")


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    """An empty archive."""
    with running(tmp_path / "orthanc") as archive:
        yield archive


@pytest.fixture
def prognosis(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    """The command line."""
    return Program(capsys, monkeypatch)


def held(orthanc: Orthanc) -> dict[str, Dataset]:
    """Every object of the archive that this project wrote, by SOP instance UID."""
    found = {}
    for instance in httpx.get(f"{orthanc.rest}/instances", trust_env=False).json():
        content = httpx.get(f"{orthanc.rest}/instances/{instance}/file", trust_env=False).content
        read = pydicom.dcmread(io.BytesIO(content))
        if read.get("Manufacturer") == "prognosis" and read.Modality in {"SEG", "OT", "SR", "KO"}:
            found[str(read.SOPInstanceUID)] = read
    return found


def test_an_answer_is_written_once_beside_its_images_and_is_never_read_as_one(
    prognosis: Program, orthanc: Orthanc, small: Simulated, tmp_path: Path
) -> None:
    case = small.complete[0]
    for study in case.record.studies:
        stored(orthanc, small.folder / "dicom" / study.study_uid)
    sources = ("--source", f"fhir-folder:{small.folder}", "--source", f"dicomweb:{orthanc.root}")
    asked = ("risk", case.record.patient_id, "--model", small.model_folder, *sources, "--json")
    ran = prognosis(*asked, "--write-images", f"dicomweb:{orthanc.root}")
    assert ran.status == 0, ran.err
    assert "wrote 4 objects" in ran.prose
    first = held(orthanc)
    assert sorted(each.Modality for each in first.values()) == ["OT", "OT", "SEG", "SR"]
    for number, each in enumerate(first.values()):
        assert errors_of(each, tmp_path / f"object{number}") == []
        assert each.PatientID == case.record.patient_id

    (report,) = (each for each in first.values() if each.Modality == "SR")
    stated = {
        str(node.ConceptNameCodeSequence[0].CodeMeaning): float(node.MeasuredValueSequence[0].NumericValue)
        for node in numbers(report)
    }
    (prediction,) = predict_cases(small.model, [case])
    for risk in prediction.risks():
        name = f"Probability of {risk.cause.replace('_', ' ')} by {risk.days:g} days"
        assert stated[name] == pytest.approx(risk.probability, abs=1e-6)

    again = prognosis(*asked, "--write-images", f"dicomweb:{orthanc.root}")
    assert "wrote 0 objects" in again.prose
    assert "4 were there already" in again.prose
    assert held(orthanc) == first
    uid = str(next(iter(first.values())).StudyInstanceUID)
    for said in ("retracted", "as they were before"):
        retracted = prognosis("retract-images", uid, "--archive", f"dicomweb:{orthanc.root}", "--json")
        assert retracted.status == 0, retracted.err
        assert sorted(retracted.stated["retracted"]) == sorted(first)
        assert said in retracted.prose
    (note,) = (each for each in held(orthanc).values() if each.Modality == "KO")
    assert errors_of(note, tmp_path / "note") == []
    after = prognosis(*asked, "--write-images", f"dicomweb:{orthanc.root}")
    assert "4 of them were retracted" in after.prose
    assert (
        after.stated == again.stated == ran.stated
    )  # nor did the objects that lie among the images change the answer


def numbers(node: Dataset) -> Iterator[Dataset]:
    """Every numeric content item below one."""
    for item in node.get("ContentSequence", ()):
        if item.ValueType == "NUM":
            yield item
        yield from numbers(item)
