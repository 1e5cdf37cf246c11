"""What counts as having found a planted cause."""

from __future__ import annotations

from datetime import UTC, datetime

from prognosis.record import Code, Event, PatientRecord
from prognosis.simulate import PlantedCause, planted_cause_of

CRP = Code("http://loinc.org", "1988-5")
RECORD = PatientRecord(
    "a", events=(Event(datetime(2021, 1, 1, tzinfo=UTC), CRP, 12.0, source="Observation/a-crp-2"),)
)
CAUSES = (
    PlantedCause("clinical", str(CRP), "", {"progression": 0.5}),
    PlantedCause("text", "DocumentReference/n2", "Exercise tolerance has improved.", {"progression": -0.4}),
    PlantedCause("imaging", "ImagingStudy/2.25.7", "left lower zone", {"progression": 0.9}),
)


def found(modality: str, source: str, cited: str) -> PlantedCause | None:
    return planted_cause_of(modality, source, cited, RECORD, CAUSES)


def test_a_result_is_found_by_its_code_whichever_occurrence_is_cited() -> None:
    assert found("clinical", "Observation/a-crp-2", "C reactive protein 12 mg/L") is CAUSES[0]
    assert found("clinical", "Observation/a-sodium-2", "Sodium 140 mmol/L") is None


def test_a_sentence_is_found_in_its_own_note_and_nowhere_else() -> None:
    cited = "History: exercise tolerance has improved"
    assert found("text", "DocumentReference/n2#3", cited) is CAUSES[1]
    assert found("text", "DocumentReference/n1#3", cited) is None
    assert found("text", "DocumentReference/n2#4", "Alert and oriented.") is None


def test_a_zone_is_found_on_the_latest_film_by_side_and_level() -> None:
    assert found("imaging", "ImagingStudy/2.25.7#left lower", "film of 2021-01-01") is CAUSES[2]
    assert found("imaging", "ImagingStudy/2.25.7", "left lower zone") is CAUSES[2]
    assert found("imaging", "ImagingStudy/2.25.7#right lower", "") is None
    assert found("imaging", "ImagingStudy/2.25.8#left lower", "") is None


def test_a_citation_in_the_wrong_modality_finds_nothing() -> None:
    assert found("text", "ImagingStudy/2.25.7#left lower", "left lower zone") is None
