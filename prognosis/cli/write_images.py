"""`prognosis risk --write-images`: the answer as DICOM objects in the archive that holds the images."""

from __future__ import annotations

from datetime import datetime

from prognosis.cli.beside_images import ImagesWritten, store_beside_images
from prognosis.cli.console import stderr
from prognosis.cli.sources import images_archive, original_images
from prognosis.cohort import Case
from prognosis.errors import ScopeError, StudyError
from prognosis.evidence.imaging.films import volume_read
from prognosis.evidence.imaging.model import EvidenceMap, ImagingEvidence
from prognosis.explanation import case_tokens, explain_tokens
from prognosis.fusion import FusionModel
from prognosis.outputs.dicom_answer import ImageEvidence, answer_files
from prognosis.outputs.dicom_risk_report import Answer
from prognosis.outputs.dicom_seg import Algorithm
from prognosis.prediction import predict_cases
from prognosis.record import ImagingStudy


def write_image_results(model: FusionModel, case: Case, archive: str, made_at: datetime) -> ImagesWritten:
    """Store regions, evidence maps and report of one answer, unless the archive holds them; read them back.

    Args:
        model: The model.
        case: As known at its index.
        archive: "dicomweb:URL".
        made_at: When they are made (aware).

    Returns:
        What became of them; nothing where the model abstains or found no image to read, which is said.

    Raises:
        ScopeError: The model reads no images.
        StudyError: The images did not come from DICOM files, or the archive does not give back what was sent.
        SourceError: The archive cannot be used.
    """
    images_archive(archive)  # a name that is none is refused before anything is read
    found = answer_objects(model, case, made_at)
    if isinstance(found, str):
        stderr.print(f"nothing is written to the archive: {found}", markup=False, highlight=False)
        return ImagesWritten(0, 0)
    study, files = found
    return store_beside_images(archive, study.study_uid, files)


def answer_objects(
    model: FusionModel, case: Case, made_at: datetime
) -> tuple[ImagingStudy, dict[str, bytes]] | str:
    """The study that was read last by the index, and the DICOM objects of the answer by file name.

    Returns:
        Or why there are none: the model abstains, or there was no image to read.

    Raises:
        ScopeError: The model reads no images.
        StudyError: The images did not come from DICOM files, or an object reads back otherwise.
    """
    imaging = model.evidence.get("imaging")
    if not isinstance(imaging, ImagingEvidence):
        raise ScopeError(f"model {model.model_id}", "reads no images", "leave --write-images out")
    prediction = predict_cases(model, [case])[0]
    if prediction.abstained:
        return f"the model gives no answer ({prediction.abstained_because})"
    located = imaging.evidence_map(case)
    if located is None:
        return f"no image was read ({prediction.modalities_missing.get('imaging', 'none is readable')})"
    study = _study_of(case, located)
    known = case_tokens(model, case)
    explanations = tuple(explain_tokens(model, known, cause) for cause in model.task.causes)
    return study, answer_files(
        Answer(model.task.question, case.patient, prediction, explanations),
        _evidence(imaging, located, study),
        algorithm=Algorithm(model.task.name, model.model_id),
        made_at=made_at,
    )


def _study_of(case: Case, located: EvidenceMap) -> ImagingStudy:
    """The study whose image was read; of several that are cited alike the one of that time."""
    return next(
        study
        for study in reversed(case.record.studies)
        if (study.source or f"ImagingStudy/{study.study_uid}") == located.source
        and study.time.isoformat() == located.time
    )


def _evidence(imaging: ImagingEvidence, located: EvidenceMap, study: ImagingStudy) -> ImageEvidence:
    """What was found on the images that were read, with the headers of these.

    Raises:
        StudyError: They did not come from DICOM files.
    """
    volumes = study.volumes()
    read = volume_read(volumes, imaging.config)
    place = next((place for place, volume in enumerate(volumes) if volume is read), None)
    originals = original_images(study)
    if place is None or not originals:
        raise StudyError(
            f"ImagingStudy {study.study_uid}",
            "did not come from DICOM files, so there is nothing that results could refer to",
            "read it from a dicom-folder or a dicomweb archive",
        )
    return ImageEvidence(
        volume=volumes[place],
        evidence=located.evidence,
        questions=located.causes,
        places=located.regions,
        names=imaging.config.layout.names,
        outlined=located.outline is not None and not located.outline.caution,
        sources=originals[place],
    )
