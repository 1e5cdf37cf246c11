"""One patient's prediction as a DICOM structured report (PS3.16 TID 1500) in the study of the images it read.

For each question a group with the risk at each horizon and what each modality added; for each region of the
image a group, tied to its segment, with what the region added. What no standard has a code for carries one of
our own scheme, the same for the same meaning, with the meaning in words beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from prognosis.errors import ScopeError, StudyError
from prognosis.explanation import Explanation
from prognosis.outputs.dicom_codes import StructureTerms, own_scheme, own_term
from prognosis.outputs.dicom_seg import Algorithm, contribution, highdicom_missing, source_headers, stamp
from prognosis.outputs.dicom_sr import WARNING, comment, frame_of, observation_context, procedure
from prognosis.prediction import Prediction
from prognosis.record.uid import derived_uid

if TYPE_CHECKING:
    from collections.abc import Callable

    from highdicom import sr
    from pydicom.dataset import Dataset
    from pydicom.sr.coding import Code

SERIES_NUMBER = 9004
DIGITS = 6
"""Decimals that are stated: more are noise, and would make a new report of the same answer."""

IMAGING = "imaging"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is reported.

    Attributes:
        question: The task's, in words.
        patient: Whose it is, as the record's key.
        prediction: The answer; one that abstains is not reported.
        explanations: One a cause, on the log-hazard's scale (log-odds, value).
    """

    question: str
    patient: str
    prediction: Prediction
    explanations: tuple[Explanation, ...]


def risk_report(
    answer: Answer,
    segments: Dataset,
    maps: Sequence[Dataset],
    sources: Sequence[Dataset],
    *,
    terms_of: Callable[[str], StructureTerms],
    algorithm: Algorithm,
    made_at: datetime,
) -> Dataset:
    """The report of a prediction, unverified.

    Its UIDs follow from patient, study, model, index time and the numbers as they are stated, so that the
    same answer is one object wherever and whenever it is made.

    Args:
        answer: What is reported.
        segments: The DICOM SEG of the regions, a segment a region.
        maps: The evidence maps of the same images, referred to as evidence.
        sources: The images that the model read, with or without pixels.
        terms_of: The coded terms of a region.
        algorithm: The model.
        made_at: When the report was made (aware), written as UTC.

    Raises:
        ScopeError: The model abstains: there is no answer to report.
        StudyError: The images lack what a report needs.
        MissingDependencyError: highdicom is not installed.
    """
    try:
        from highdicom import sr
    except ImportError as error:
        raise highdicom_missing() from error
    prediction = answer.prediction
    if prediction.abstained:
        raise ScopeError(
            f"patient {answer.patient}",
            "gets no answer from this model",
            "see its reason; nothing is written",
        )
    headers = source_headers(sources)
    study, index = str(headers[0].StudyInstanceUID), prediction.index_time.isoformat()
    stated = [f"{name} {value!r}" for name, value in _numbers(answer)]
    known = (answer.patient, study, algorithm.name, algorithm.version, index)
    entropy = ("risk report", *known, str(segments.SOPInstanceUID), *stated)
    groups = [
        *_answers(answer, headers, algorithm),
        *_regions(answer, segments, headers, terms_of, algorithm),
    ]
    try:
        content = sr.MeasurementReport(
            observation_context=observation_context(algorithm),
            procedure_reported=procedure(headers[0]),
            imaging_measurements=groups,
        )
        content[0].ContentSequence.extend(comment(text) for text in _comments(answer))
        report = sr.ComprehensiveSR(
            evidence=[*headers, segments, *maps],
            content=content,
            series_instance_uid=derived_uid("risk report series", *known),
            series_number=SERIES_NUMBER,
            sop_instance_uid=derived_uid(*entropy),
            instance_number=1,
            manufacturer="prognosis",
            is_complete=True,
            is_final=False,
            is_verified=False,
            contributing_equipment=[contribution(algorithm)],
        )
    except (AttributeError, ValueError) as error:
        raise StudyError(
            study, "has images that no report can refer to", "export its images again"
        ) from error
    report.SeriesDescription = f"AI-generated prediction: {algorithm.name}"[:64]
    report.ManufacturerModelName = algorithm.name
    report.SoftwareVersions = algorithm.version
    report.CodingSchemeIdentificationSequence = [own_scheme()]
    stamp(report, made_at)
    return report


def _numbers(answer: Answer) -> Iterator[tuple[str, float]]:
    """Every number that the report states, by its name, rounded as it is stated."""
    prediction = answer.prediction
    if prediction.measured is not None:
        yield f"Expected {_words(prediction.measured.name)}", round(prediction.measured.value, DIGITS)
    else:
        for risk in prediction.risks():
            for name, value in (("", risk.probability), (" low", risk.low), (" high", risk.high)):
                yield _risk_name(risk.cause, risk.days) + name, round(value, DIGITS)
    for explanation in answer.explanations:
        for modality, share in explanation.by_modality().items():
            yield f"{_share_name(explanation)} {modality}", round(share, DIGITS)
        for region, name, share in _shares(explanation):
            yield f"{region}: {name}", share


def _answers(
    answer: Answer, headers: Sequence[Dataset], algorithm: Algorithm
) -> Iterator[sr.MeasurementsAndQualitativeEvaluations]:
    """A group (TID 1501) for each question: risks by horizon, and what each modality added."""
    from highdicom import sr

    for explanation in answer.explanations:
        words = _words(explanation.cause)
        yield sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(
                uid=derived_uid("prediction", answer.patient, algorithm.version, explanation.cause),
                identifier=words,
            ),
            finding_type=own_term("cause", words).coded(),
            algorithm_id=sr.AlgorithmIdentification(name=algorithm.name, version=algorithm.version),
            measurements=[*_risks(answer.prediction, explanation.cause), *_by_modality(explanation)],
            source_images=[
                sr.SourceImageForMeasurementGroup(each.SOPClassUID, each.SOPInstanceUID) for each in headers
            ],
        )


def _risks(prediction: Prediction, cause: str) -> Iterator[sr.Measurement]:
    """The probability by each horizon with its interval, or the expected value."""
    from highdicom import sr
    from pydicom.sr.coding import Code

    if prediction.measured is not None:
        expected = prediction.measured
        name = own_term("value", f"Expected {_words(expected.name)}")
        unit = Code(expected.unit or "1", "UCUM", expected.unit or "no units")
        yield sr.Measurement(name=name.coded(), value=round(expected.value, DIGITS), unit=unit)
        return
    for risk in (each for each in prediction.risks() if each.cause == cause):
        bounds = sr.MeasurementProperties(
            upper_measurement_uncertainty=round(max(risk.high - risk.probability, 0.0), DIGITS),
            lower_measurement_uncertainty=round(max(risk.probability - risk.low, 0.0), DIGITS),
        )
        name = own_term("risk", _risk_name(risk.cause, risk.days))
        yield _number(name.coded(), round(risk.probability, DIGITS), bounds)


def _by_modality(explanation: Explanation) -> Iterator[sr.Measurement]:
    for modality, share in explanation.by_modality().items():
        meaning = f"{_share_name(explanation)} of {modality}"
        yield _number(own_term("share", meaning).coded(), round(share, DIGITS))


def _number(name: Code, value: float, properties: sr.MeasurementProperties | None = None) -> sr.Measurement:
    from highdicom import sr
    from pydicom.sr.codedict import codes

    return sr.Measurement(name=name, value=value, unit=codes.UCUM.NoUnits, properties=properties)


def _regions(
    answer: Answer,
    segments: Dataset,
    headers: Sequence[Dataset],
    terms_of: Callable[[str], StructureTerms],
    algorithm: Algorithm,
) -> Iterator[
    sr.PlanarROIMeasurementsAndQualitativeEvaluations | sr.VolumetricROIMeasurementsAndQualitativeEvaluations
]:
    """TID 1410 for each region of a film, TID 1411 for each of a volume, with what it added."""
    from highdicom import sr

    shares: dict[str, list[sr.Measurement]] = {}
    for explanation in answer.explanations:
        for region, name, share in _shares(explanation):
            shares.setdefault(region, []).append(_number(own_term("share", name).coded(), share))
    flat = len(headers) == 1 and int(headers[0].get("NumberOfFrames") or 1) == 1
    for number, segment in enumerate(segments.SegmentSequence, start=1):
        region = str(segment.SegmentLabel)
        if region not in shares:
            continue
        terms = terms_of(region)
        tracking = sr.TrackingIdentifier(uid=str(segment.TrackingUID), identifier=region)
        made_by = sr.AlgorithmIdentification(name=algorithm.name, version=algorithm.version)
        if flat:
            yield sr.PlanarROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=tracking,
                referenced_segment=frame_of(number, segments, headers[0]),
                finding_category=terms.category.coded(),
                finding_type=terms.type.coded(),
                algorithm_id=made_by,
                measurements=shares[region],
            )
            continue
        yield sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            referenced_segment=sr.ReferencedSegment(
                sop_class_uid=segments.SOPClassUID,
                sop_instance_uid=segments.SOPInstanceUID,
                segment_number=number,
                source_series=sr.SourceSeriesForSegmentation(headers[0].SeriesInstanceUID),
            ),
            finding_category=terms.category.coded(),
            finding_type=terms.type.coded(),
            algorithm_id=made_by,
            measurements=shares[region],
        )


def _shares(explanation: Explanation) -> Iterator[tuple[str, str, float]]:
    """(region, what it is called, what it added) of each attribution to the image, by region."""
    own = [each for each in explanation.attributions if each.modality == IMAGING]
    for each in sorted(own, key=lambda each: (each.topic, each.name)):
        change = ", change" if each.name != each.topic else ""
        yield each.topic, f"{_share_name(explanation)}{change}", round(each.contribution, DIGITS)


def _comments(answer: Answer) -> Iterator[str]:
    prediction = answer.prediction
    yield WARNING
    yield f"Question: {answer.question}"
    yield f"As known at {prediction.index_time.isoformat()}; nothing later was used."
    yield f"Read: {', '.join(prediction.modalities_used)}."
    if prediction.measured is None:
        yield f"Uncertainties are the ends of {round(100 * prediction.level)}% intervals."
    for modality, why in prediction.modalities_missing.items():
        yield f"Missing: {modality}: {why}."
    for caution in prediction.cautions:
        yield f"Caution: {caution}"
    yield "A contribution is what the model used. It is no cause: changing it need not change the outcome."


def _risk_name(cause: str, days: float) -> str:
    return f"Probability of {_words(cause)} by {days:g} days"


def _share_name(explanation: Explanation) -> str:
    return f"Contribution to {_words(explanation.cause)} ({_words(explanation.scale)})"


def _words(name: str) -> str:
    return name.replace("_", " ")
