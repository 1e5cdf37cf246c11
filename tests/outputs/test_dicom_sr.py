"""The measurement report: each part's size with its unit, tied to its segment, and valid."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from prognosis.errors import StudyError
from prognosis.evidence.segmentation.measurements import measured_parts
from prognosis.outputs.dicom_files import encoded
from prognosis.outputs.dicom_seg import Algorithm, segmentation_dataset
from prognosis.outputs.dicom_sr import measurement_report
from prognosis.record import Segmentation
from tests.outputs.images import MADE_AT, errors_of, film, series

highdicom = pytest.importorskip("highdicom")
MODEL = Algorithm("lungs-and-lesions", "1.2.0")


def reported(segmentation: Segmentation, sources: list[Dataset]) -> tuple[Dataset, Dataset]:
    """The SEG and the SR."""
    measured = measured_parts(segmentation)
    parts = [size.part for size in measured]
    seg = segmentation_dataset(segmentation, parts, sources, algorithm=MODEL, made_at=MADE_AT)
    sr = measurement_report(segmentation, measured, seg, sources, algorithm=MODEL, made_at=MADE_AT)
    return seg, sr


def read_back(report: Dataset) -> highdicom.sr.MeasurementReport:
    stream = io.BytesIO(encoded(report))
    return highdicom.sr.srread(stream).content


def values(group: Dataset) -> dict[str, tuple[float, str]]:
    return {each.name.meaning: (each.value, each.unit.value) for each in group.get_measurements()}


def test_a_report_of_a_series_gives_each_part_its_volume_and_diameters(tmp_path: Path):
    segmentation, sources = series(tmp_path, "CT")
    seg, report = reported(segmentation, sources)
    groups = read_back(report).get_volumetric_roi_measurement_groups()
    measured = measured_parts(segmentation)
    assert len(groups) == len(measured) == 3
    for number, (group, size) in enumerate(zip(groups, measured, strict=True), start=1):
        found = values(group)
        assert found["Volume"] == (pytest.approx(size.volume_ml), "mL")
        assert found["Long axis"] == (pytest.approx(size.axes.long.length), "mm")
        assert found["Short axis"] == (pytest.approx(size.axes.short.length), "mm")
        assert found["Maximum 3D Diameter of a Mesh"] == (pytest.approx(size.longest_3d.length), "mm")
        assert group.tracking_uid == seg.SegmentSequence[number - 1].TrackingUID
        assert group.referenced_segment.referenced_sop_instance_uid == seg.SOPInstanceUID
        assert group.referenced_segment.referenced_segment_numbers == [number]
    assert values(groups[0])["Volume"][0] == pytest.approx(3 * 5 * 7 * 0.7 * 0.9 * 2.5 / 1000)


def test_a_group_names_its_finding_and_where_it_lies(tmp_path: Path):
    lesion, _, lung = read_back(reported(*series(tmp_path, "MR"))[1]).get_volumetric_roi_measurement_groups()
    assert lesion.finding_type.meaning == "Lesion"
    assert [site.value.meaning for site in lesion.finding_sites] == ["Lung"]
    assert lesion.finding_sites[0].laterality is None
    assert lung.finding_sites[0].laterality.meaning == "Right"


def test_a_report_of_a_film_gives_areas_and_refers_to_the_frame_of_its_segment(tmp_path: Path):
    segmentation, sources = film(tmp_path)
    seg, report = reported(segmentation, sources)
    right, left = read_back(report).get_planar_roi_measurement_groups()
    assert values(right)["Area"] == (pytest.approx(26 * 10 * 0.25), "mm2")
    assert "Volume" not in values(left)
    for number, group in enumerate((right, left), start=1):
        reference = group.referenced_segmentation_frame
        assert reference.referenced_sop_instance_uid == seg.SOPInstanceUID
        assert reference.referenced_frame_numbers == [number]
        identified = seg.PerFrameFunctionalGroupsSequence[number - 1].SegmentIdentificationSequence[0]
        assert identified.ReferencedSegmentNumber == number


def test_lengths_on_a_film_without_pixel_spacing_are_said_to_be_pixels(tmp_path: Path):
    segmentation, sources = film(tmp_path, spacing_known=False)
    group = read_back(reported(segmentation, sources)[1]).get_planar_roi_measurement_groups()[0]
    assert {unit for _, unit in values(group).values()} == {"{pixels}"}
    assert values(group)["Area"][0] == 26 * 10


def test_a_report_says_plainly_that_a_model_in_its_version_made_it_and_no_person_verified_it(tmp_path: Path):
    report = reported(*film(tmp_path))[1]
    (context,) = read_back(report).get_observer_contexts(observer_type=codes.DCM.Device)
    observer = context.observer_identifying_attributes
    assert observer.name == "AI model lungs-and-lesions, version 1.2.0"
    assert report.VerificationFlag == "UNVERIFIED"
    comment = report.ContentSequence[-1]
    assert comment.ConceptNameCodeSequence[0].CodeMeaning == "Comment"
    assert "without review by a person" in comment.TextValue
    group = read_back(report).get_planar_roi_measurement_groups()[0]
    stated = {item.name.meaning: item.value for item in group[0].ContentSequence if item.ValueType == "TEXT"}
    assert (stated["Algorithm Name"], stated["Algorithm Version"]) == (MODEL.name, MODEL.version)


def test_the_same_measurements_give_the_same_report(tmp_path: Path):
    segmentation, sources = series(tmp_path, "CT")
    assert reported(segmentation, sources)[1] == reported(segmentation, sources)[1]


@pytest.mark.parametrize("modality", ["CT", "MR", "DX", "DX without spacing"])
def test_dciodvfy_finds_no_error_in_a_report(tmp_path: Path, modality: str):
    made = (
        film(tmp_path, spacing_known="without" not in modality)
        if modality.startswith("DX")
        else series(tmp_path, modality)
    )
    assert errors_of(reported(*made)[1], tmp_path / "sr") == []


def test_a_report_refuses_a_seg_of_other_parts(tmp_path: Path):
    segmentation, sources = film(tmp_path)
    seg, _ = reported(segmentation, sources)
    other = measured_parts(replace(segmentation, structures=("left lung", "right lung")))
    with pytest.raises(StudyError, match="other parts"):
        measurement_report(segmentation, other, seg, sources, algorithm=MODEL, made_at=MADE_AT)
