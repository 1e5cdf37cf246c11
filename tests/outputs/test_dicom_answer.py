"""A prediction's DICOM objects: what they state, whose they are, and that the same answer is one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from connectors.dicom.header import read_header
from prognosis.errors import ScopeError, StudyError
from prognosis.outputs.dicom_answer import ImageEvidence, answer_files, check_risks
from prognosis.outputs.dicom_parametric_map import check_map
from prognosis.outputs.dicom_regions import region_segmentation
from prognosis.outputs.dicom_risk_report import Answer
from tests.outputs.answers import CAUSES, MODEL, ZONES, answer, evidence
from tests.outputs.images import MADE_AT, errors_of

pytest.importorskip("highdicom")
KINDS = ["DX", "DX without spacing", "CT", "MR"]


def written(found: ImageEvidence, told: Answer | None = None) -> dict[str, Dataset]:
    """The objects of an answer."""
    files = answer_files(told or answer(), found, algorithm=MODEL, made_at=MADE_AT)
    return {name: pydicom.dcmread(io.BytesIO(content)) for name, content in files.items()}


def numbers(node: Dataset) -> Iterator[tuple[str, float]]:
    """Every number of a report with its name."""
    for item in node.get("ContentSequence", ()):
        if item.ValueType == "NUM":
            value = item.MeasuredValueSequence[0].NumericValue
            yield item.ConceptNameCodeSequence[0].CodeMeaning, float(value)
        yield from numbers(item)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outlined", [False, True])
def test_dciodvfy_finds_no_error_in_regions_maps_and_report(tmp_path: Path, kind: str, outlined: bool):
    objects = written(evidence(tmp_path, kind, outlined=outlined))
    assert list(objects) == ["regions.dcm", "map1.dcm", "map2.dcm", "report.dcm"]
    assert {name: errors_of(each, tmp_path / f"{name}-1") for name, each in objects.items()} == {
        name: [] for name in objects
    }


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-5, 1e5])
def test_a_map_of_next_to_nothing_or_of_very_much_is_valid(tmp_path: Path, size: float):
    found = evidence(tmp_path, "DX")
    each = written(replace(found, evidence=size * found.evidence))["map1.dcm"]
    assert errors_of(each, tmp_path / "map") == []


def test_a_map_holds_every_value_on_its_pixel_and_names_the_film_that_it_is_of(tmp_path: Path):
    found = evidence(tmp_path, "DX")
    for name, expected in zip(("map1.dcm", "map2.dcm"), found.evidence, strict=True):
        each = written(found)[name]
        values = np.frombuffer(each.FloatPixelData, "<f4").reshape(each.Rows, each.Columns)
        np.testing.assert_array_equal(values, expected.astype(np.float32))
        frame = each.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
        assert frame.ReferencedSOPInstanceUID == found.sources[0].SOPInstanceUID
        mapping = each.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
        assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)
        assert mapping.LUTExplanation.startswith("Evidence for ")


def test_a_film_s_map_lies_in_a_frame_of_reference_of_its_own_turned_as_the_film_states(tmp_path: Path):
    found = evidence(tmp_path, "DX")
    found.sources[0].PatientOrientation = ["R", "F"]
    turned = written(found)["map1.dcm"]
    plane = turned.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    assert list(plane.ImageOrientationPatient) == [-1, 0, 0, 0, 0, -1]
    assert "FrameOfReferenceUID" not in written(found)["regions.dcm"]
    found.sources[0].PatientOrientation = ["R", "L"]  # no plane
    plane = written(found)["map1.dcm"].SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    assert list(plane.ImageOrientationPatient) == [1, 0, 0, 0, 0, -1]


def test_the_report_states_every_risk_with_its_interval_and_what_each_region_added(tmp_path: Path):
    stated = list(numbers(written(evidence(tmp_path, "DX"))["report.dcm"]))
    assert ("Probability of progression by 365 days", 0.2) in stated
    assert ("Probability of death by 730 days", 0.2) in stated
    shares = [value for name, value in stated if name == "Contribution to progression (log hazard)"]
    assert sorted(shares) == pytest.approx([-0.2, -0.1, 0.0, 0.1, 0.2, 0.3])
    changes = [value for name, value in stated if name == "Contribution to progression (log hazard), change"]
    assert changes == [0.05]
    assert ("Contribution to death (log hazard) of clinical", 0.3) in stated


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_region_added_is_tied_to_its_segment(tmp_path: Path, kind: str):
    objects = written(evidence(tmp_path, kind))
    regions, report = objects["regions.dcm"], objects["report.dcm"]
    assert [segment.SegmentLabel for segment in regions.SegmentSequence] == list(ZONES)
    cited = {
        str(reference.ReferencedSOPInstanceUID)
        for series in report.CurrentRequestedProcedureEvidenceSequence
        for listed in series.ReferencedSeriesSequence
        for reference in listed.ReferencedSOPSequence
    }
    assert {str(objects[name].SOPInstanceUID) for name in ("regions.dcm", "map1.dcm", "map2.dcm")} <= cited


def test_an_even_third_of_a_film_is_called_a_place_on_the_image_and_an_outlined_zone_a_zone_of_the_lung(
    tmp_path: Path,
):
    for outlined, meaning in ((False, "Region of the image"), (True, "Upper zone of lung")):
        regions = written(evidence(tmp_path, "DX", outlined=outlined))["regions.dcm"]
        kind = regions.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0]
        assert kind.CodeMeaning == meaning


def test_every_object_names_the_model_and_says_that_no_person_reviewed_it(tmp_path: Path):
    for name, each in written(evidence(tmp_path, "DX")).items():
        made_by = each.ContributingEquipmentSequence[0]
        assert (made_by.ManufacturerModelName, made_by.SoftwareVersions) == (MODEL.name, MODEL.version)
        assert "not reviewed by a person" in made_by.ContributionDescription
        assert each.SeriesDescription.startswith("AI-generated")
        if name != "report.dcm":
            assert str(each.ContentCreatorName) == "AI model^prognosis"
    report = written(evidence(tmp_path, "DX"))["report.dcm"]
    assert report.VerificationFlag == "UNVERIFIED"


def uids(objects: dict[str, Dataset]) -> dict[str, str]:
    assert all(len(each.SOPInstanceUID) <= 64 and each.SOPInstanceUID.is_valid for each in objects.values())
    return {name: str(each.SOPInstanceUID) for name, each in objects.items()}


@pytest.mark.parametrize("kind", ["DX", "CT"])
def test_the_same_answer_made_later_has_the_same_uids(tmp_path: Path, kind: str):
    found = evidence(tmp_path, kind)
    later = answer_files(answer(), found, algorithm=MODEL, made_at=MADE_AT + timedelta(days=1))
    again = {name: pydicom.dcmread(io.BytesIO(content)) for name, content in later.items()}
    assert uids(written(found)) == uids(again)
    barely = written(found, answer(1.0 + 1e-9))
    assert uids(written(found)) == uids(barely)


def test_another_answer_is_another_report_of_the_same_regions_and_maps(tmp_path: Path):
    found = evidence(tmp_path, "DX")
    first, other = uids(written(found)), uids(written(found, answer(1.01)))
    assert {name for name in first if first[name] != other[name]} == {"report.dcm"}
    index = answer()
    moved = replace(index, prediction=replace(index.prediction, index_time=MADE_AT + timedelta(days=1)))
    assert uids(written(found, moved))["report.dcm"] != first["report.dcm"]


def test_none_of_what_is_written_is_read_as_an_image_of_a_patient(tmp_path: Path):
    files = answer_files(answer(), evidence(tmp_path, "DX"), algorithm=MODEL, made_at=MADE_AT)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        assert read_header(tmp_path / name, name) is None


def test_an_answer_that_was_withheld_is_not_written(tmp_path: Path):
    with pytest.raises(ScopeError, match="gets no answer"):
        written(evidence(tmp_path, "DX"), answer(abstained_because="too far from training"))


def test_evidence_that_is_no_number_is_not_written(tmp_path: Path):
    found = evidence(tmp_path, "DX")
    found.evidence[1, 3, 4] = np.nan
    with pytest.raises(StudyError, match="not finite"):
        written(found)


def test_a_value_or_a_risk_that_differs_is_found(tmp_path: Path):
    found = evidence(tmp_path, "CT")
    files = answer_files(answer(), found, algorithm=MODEL, made_at=MADE_AT)
    regions = region_segmentation(found.places, found.names, found.volume)
    grid = found.evidence[CAUSES.index("progression")].astype(np.float32)
    check_map(files["map1.dcm"], grid, regions, found.sources)
    grid[2, 3, 4] += 1.0
    with pytest.raises(StudyError, match="reads back otherwise"):
        check_map(files["map1.dcm"], grid, regions, found.sources)
    with pytest.raises(StudyError, match="reads back otherwise"):
        check_risks(files["report.dcm"], answer(1.01))
