"""What a prediction leaves in an archive: regions, evidence maps and report, read back from their bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import StudyError
from prognosis.outputs.dicom_files import check_segmentation, encoded
from prognosis.outputs.dicom_parametric_map import MapMeaning, check_map, evidence_map_dataset
from prognosis.outputs.dicom_regions import region_parts, region_segmentation, terms_of_regions
from prognosis.outputs.dicom_risk_report import DIGITS, Answer, risk_report
from prognosis.outputs.dicom_seg import Algorithm, segmentation_dataset
from prognosis.record import Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@dataclass(frozen=True, slots=True)
class ImageEvidence:
    """What the model found on the images that it read.

    Attributes:
        volume: The film or the volume.
        evidence: (questions, rows, columns) or (questions, z, y, x), on its grid.
        questions: The causes, classes or findings, in that order; those beyond the answer's are left out.
        places: The place in `names` of each pixel's region, on the same grid.
        names: Of the regions.
        outlined: Whether the regions are zones of lungs that were outlined.
        sources: The headers of the images that the volume was read from.
    """

    volume: Volume
    evidence: NDArray[np.float64]
    questions: tuple[str, ...]
    places: NDArray[np.uint16]
    names: tuple[str, ...]
    outlined: bool
    sources: tuple[Dataset, ...]


def answer_files(
    answer: Answer, found: ImageEvidence, *, algorithm: Algorithm, made_at: datetime
) -> dict[str, bytes]:
    """The DICOM objects of one prediction, by file name: regions.dcm, map1.dcm.., report.dcm.

    Args:
        answer: The prediction and its explanations.
        found: What the model found on the images.
        algorithm: The model in its version.
        made_at: When they were made (aware).

    Raises:
        ScopeError: The model abstains.
        StudyError: The images lack what is needed, or a file reads back otherwise.
        MissingDependencyError: highdicom is not installed.
    """
    regions = region_segmentation(found.places, found.names, found.volume)
    parts, terms_of = region_parts(regions), terms_of_regions(outlined=found.outlined)
    segments = segmentation_dataset(
        regions,
        parts,
        found.sources,
        algorithm=algorithm,
        made_at=made_at,
        terms_of=terms_of,
        title="regions",
    )
    asked = {explanation.cause: explanation.scale for explanation in answer.explanations}
    grids = {
        question: own.reshape(found.volume.voxels.shape).astype(np.float32)
        for question, own in zip(found.questions, found.evidence, strict=True)
        if question in asked
    }
    maps = [
        evidence_map_dataset(
            grid,
            MapMeaning(question, asked[question], place),
            regions,
            found.sources,
            algorithm=algorithm,
            made_at=made_at,
        )
        for place, (question, grid) in enumerate(grids.items(), start=1)
    ]
    report = risk_report(
        answer, segments, maps, found.sources, terms_of=terms_of, algorithm=algorithm, made_at=made_at
    )
    files = {"regions.dcm": encoded(segments)}
    check_segmentation(files["regions.dcm"], regions, parts, found.sources)
    for place, (written, grid) in enumerate(zip(maps, grids.values(), strict=True), start=1):
        content = encoded(written)
        check_map(content, grid, regions, found.sources)
        files[f"map{place}.dcm"] = content
    files["report.dcm"] = encoded(report)
    check_risks(files["report.dcm"], answer)
    return files


def check_risks(content: bytes, answer: Answer) -> None:
    """Refuse a written report that does not give every risk, or the expected value, back.

    Raises:
        StudyError: It reads back otherwise.
    """
    from highdicom.sr import MeasurementReport, srread

    report = cast("MeasurementReport", srread(io.BytesIO(content)).content)
    found = {
        float(item.value)
        for group in report.get_image_measurement_groups()
        for item in group.get_measurements()
    }
    prediction = answer.prediction
    values = [risk.probability for risk in prediction.risks()] if prediction.measured is None else []
    values += [] if prediction.measured is None else [prediction.measured.value]
    if not {round(value, DIGITS) for value in values} <= found:
        raise StudyError("the report of a prediction", "reads back otherwise", "report this as a fault")
