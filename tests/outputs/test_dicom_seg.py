"""A segmentation written as DICOM SEG: every voxel back at its place, named by codes, and valid."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sr import _concepts_dict

from prognosis.errors import ScopeError, StudyError
from prognosis.evidence.segmentation.measurements import connected_parts
from prognosis.outputs.dicom_codes import STRUCTURES
from prognosis.outputs.dicom_files import encoded
from prognosis.outputs.dicom_seg import Algorithm, segmentation_dataset
from prognosis.record import Segmentation
from tests.outputs.images import MADE_AT, errors_of, film, series, turned

highdicom = pytest.importorskip("highdicom")
MODEL = Algorithm("lungs-and-lesions", "1.2.0")


def written(segmentation: Segmentation, sources: list[Dataset]) -> Dataset:
    parts = connected_parts(segmentation)
    return segmentation_dataset(segmentation, parts, sources, algorithm=MODEL, made_at=MADE_AT)


def read_back(dataset: Dataset, sources: list[Dataset]) -> np.ndarray:
    """(images, rows, columns, segments) as another reader finds it in the written bytes."""
    stream = io.BytesIO(encoded(dataset))
    uids = [source.SOPInstanceUID for source in sources]
    return highdicom.seg.segread(stream).get_pixels_by_source_instance(uids)


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_every_voxel_of_a_series_reads_back_on_the_image_it_was_made_from(tmp_path: Path, modality: str):
    segmentation, sources = series(tmp_path, modality)
    pixels = read_back(written(segmentation, sources), sources)
    assert np.array_equal(pixels[..., 0] | pixels[..., 1], segmentation.mask("lung lesion"))
    assert np.array_equal(pixels[..., 2], segmentation.mask("right lung"))


def test_every_pixel_of_a_film_reads_back(tmp_path: Path):
    segmentation, sources = film(tmp_path)
    pixels = read_back(written(segmentation, sources), sources)
    assert np.array_equal(pixels[..., 0], segmentation.mask("right lung"))
    assert np.array_equal(pixels[..., 1], segmentation.mask("left lung"))


def test_a_segmentation_whose_axes_were_turned_lands_on_the_same_pixels(tmp_path: Path):
    segmentation, sources = series(tmp_path, "CT")
    again = turned(segmentation)
    assert again.labels.shape != segmentation.labels.shape
    shuffled = [sources[place] for place in (3, 0, 7, 5, 1, 2, 6, 4)]
    assert np.array_equal(
        read_back(written(again, shuffled), sources), read_back(written(segmentation, sources), sources)
    )


def test_a_series_shares_its_frame_of_reference_and_a_film_has_none(tmp_path: Path):
    segmentation, sources = series(tmp_path / "ct", "CT")
    assert written(segmentation, sources).FrameOfReferenceUID == sources[0].FrameOfReferenceUID
    segmentation, sources = film(tmp_path / "film")
    sources[0].FrameOfReferenceUID = "2.25.9"  # of no use without a position in it
    assert "FrameOfReferenceUID" not in written(segmentation, sources)


def test_segments_are_coded_with_side_and_site_and_say_which_model_made_them(tmp_path: Path):
    segmentation, sources = series(tmp_path, "MR")
    first, _, lung = written(segmentation, sources).SegmentSequence
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == "52988006"
    assert first.AnatomicRegionSequence[0].CodeValue == "39607008"
    kind = lung.SegmentedPropertyTypeCodeSequence[0]
    assert kind.CodeMeaning == "Lung"
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == "Right"
    for segment in (first, lung):
        made_by = segment.SegmentationAlgorithmIdentificationSequence[0]
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        assert (made_by.AlgorithmName, made_by.AlgorithmVersion) == (MODEL.name, MODEL.version)
        assert made_by.AlgorithmFamilyCodeSequence[0].CodeMeaning == "Artificial Intelligence"


def test_the_object_belongs_to_the_patient_and_study_and_says_that_no_person_reviewed_it(tmp_path: Path):
    segmentation, sources = film(tmp_path)
    dataset = written(segmentation, sources)
    assert (dataset.PatientID, dataset.StudyInstanceUID) == ("p-1", sources[0].StudyInstanceUID)
    assert dataset.ContentDescription == "AI-generated, not reviewed by a person"
    assert (dataset.ContentDate, dataset.ContentTime) == ("20240506", "070809")


def test_the_same_segmentation_has_the_same_uids_and_another_has_others(tmp_path: Path):
    segmentation, sources = film(tmp_path)
    one, two = written(segmentation, sources), written(segmentation, sources)
    other = written(replace(segmentation, labels=np.roll(segmentation.labels, 1, axis=1)), sources)
    assert one == two
    for uids in zip(*(_uids(dataset) for dataset in (one, other)), strict=True):
        assert len(set(uids)) == 2


def _uids(dataset: Dataset) -> list[str]:
    own = [dataset.SOPInstanceUID, dataset.SeriesInstanceUID]
    return [*own, *(segment.TrackingUID for segment in dataset.SegmentSequence)]


@pytest.mark.parametrize("modality", ["CT", "MR", "DX"])
def test_dciodvfy_finds_no_error_in_a_seg(tmp_path: Path, modality: str):
    segmentation, sources = film(tmp_path) if modality == "DX" else series(tmp_path, modality)
    assert errors_of(written(segmentation, sources), tmp_path / "seg") == []


def test_an_enhanced_multi_frame_image_is_a_source_like_any_other(tmp_path: Path):
    segmentation, sources = series(tmp_path, "CT")
    enhanced = _enhanced(sources[::-1])
    stream = io.BytesIO(encoded(written(segmentation, [enhanced])))
    frames = highdicom.seg.segread(stream).get_pixels_by_source_frame(
        enhanced.SOPInstanceUID,
        range(1, len(sources) + 1),
        combine_segments=True,
        assert_missing_frames_are_empty=True,
    )
    assert np.array_equal(frames[::-1] > 0, segmentation.labels > 0)


def _enhanced(sources: list[Dataset]) -> Dataset:
    """The headers of a series as one Enhanced CT header, frames in the order given."""
    first = sources[0]
    image = Dataset()
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Rows", "Columns"):
        setattr(image, keyword, first[keyword].value)
    image.SOPClassUID, image.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2.1", "2.25.77"
    image.Modality, image.NumberOfFrames = "CT", len(sources)
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = first.PixelSpacing, first.SliceThickness
    orientation.ImageOrientationPatient = first.ImageOrientationPatient
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    image.SharedFunctionalGroupsSequence = [shared]
    image.PerFrameFunctionalGroupsSequence = []
    for source in sources:
        position, frame = Dataset(), Dataset()
        position.ImagePositionPatient = source.ImagePositionPatient
        frame.PlanePositionSequence = [position]
        image.PerFrameFunctionalGroupsSequence.append(frame)
    return image


def test_a_structure_without_a_code_is_refused_with_those_that_have_one(tmp_path: Path):
    segmentation, sources = film(tmp_path)
    unknown = replace(segmentation, structures=("right lung", "blob"))
    with pytest.raises(ScopeError, match=r"'blob'.*left lung"):
        written(unknown, sources)


@pytest.mark.parametrize("shift", [(0.0, 0.0, 1.25), (0.35, 0.0, 0.0), (70.0, 0.0, 0.0)])
def test_a_segmentation_on_another_grid_than_its_images_is_refused(tmp_path: Path, shift: tuple[float, ...]):
    segmentation, sources = series(tmp_path, "CT")
    affine = segmentation.affine.copy()
    affine[:3, 3] += shift
    with pytest.raises(StudyError, match="another grid"):
        written(replace(segmentation, affine=affine), sources)


def test_images_that_do_not_cover_what_is_marked_are_refused(tmp_path: Path):
    segmentation, sources = series(tmp_path / "ct", "CT")
    with pytest.raises(StudyError, match="another grid"):
        written(segmentation, sources[3:])
    segmentation, sources = film(tmp_path / "film")
    with pytest.raises(StudyError, match="another grid"):
        written(replace(segmentation, labels=segmentation.labels[:, 1:]), sources)


def test_a_segmentation_that_marks_nothing_is_not_written(tmp_path: Path):
    segmentation, sources = film(tmp_path)
    with pytest.raises(StudyError, match="0 parts"):
        written(replace(segmentation, labels=np.zeros_like(segmentation.labels)), sources)


def test_every_code_is_one_that_dicom_lists_with_that_meaning():
    listed = {
        (value, meaning)
        for versions in _concepts_dict.concepts["SCT"].values()
        for value, (meaning, _) in versions.items()
    }
    for terms in STRUCTURES.values():
        for term in (terms.category, terms.type, terms.side, terms.site):
            assert term is None or (term.value, term.meaning) in listed


def test_a_header_that_lacks_the_patients_name_still_gets_its_seg(tmp_path: Path):
    segmentation, sources = film(tmp_path)
    for keyword in ("PatientName", "AccessionNumber", "StudyTime", "PatientOrientation"):
        del sources[0][keyword]
    dataset = written(segmentation, sources)
    assert dataset.PatientName == ""
    assert "PatientName" not in sources[0]
    assert isinstance(dataset, pydicom.Dataset)
