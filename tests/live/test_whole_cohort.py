"""A cohort in a real FHIR server and a real archive: pulled, scored, written back, and read again.

Skipped where a server is absent: tests/live/install, apt-get install orthanc orthanc-dicomweb.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fhirkit
import pytest
from pydicom.dataset import Dataset

from prognosis.cli.sources import read_records
from prognosis.cli.sources.bulk import BulkAsked, export_bulk
from prognosis.cli.write_back import write_back
from prognosis.cli.write_images import write_image_results
from prognosis.cohort import Case
from prognosis.prediction import Prediction, predict_cases
from prognosis.record import Quarantine
from tests.live import orthanc
from tests.live.hospital import PATIENTS, Hospital, cases_of, counts
from tests.live.sekmet import BEARER, asked
from tests.live.strict import FOLDER, judge_folder, judged
from tests.outputs.images import errors_of
from tests.simulated import Simulated, largest_apart

pytest.importorskip("highdicom")
WRITTEN = 4
MADE_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", BEARER)


@pytest.fixture(scope="module")
def of_files(hospital: Hospital, small: Simulated) -> list[Prediction]:
    """Everybody's prediction from the files that the servers were filled from."""
    return predict_cases(small.model, hospital.cases)


def pulled(hospital: Hospital, records_uri: str) -> tuple[Case, ...]:
    """Everybody, the records from one place and the films from the archive."""
    quarantine = Quarantine()
    read = read_records([records_uri, hospital.films_uri], None, quarantine)
    assert [str(each) for each in quarantine.rejections] == []
    return cases_of(read)


@pytest.mark.parametrize("way", ["REST", "bulk"])
def test_predictions_of_what_is_pulled_are_those_of_the_files(
    hospital: Hospital, small: Simulated, of_files: list[Prediction], tmp_path: Path, way: str
) -> None:
    place = hospital.records_uri
    if way == "bulk":
        export_bulk(hospital.address, tmp_path / "bulk", BulkAsked(), Quarantine(), lambda *_: None)
        place = f"fhir-folder:{tmp_path / 'bulk'}"
    predictions = predict_cases(small.model, pulled(hospital, place))
    assert len(predictions) == len(of_files) == PATIENTS
    assert largest_apart(predictions, of_files) <= 1e-6
    assert stated(predictions) == stated(of_files)
    assert sum("imaging" in each.modalities_used for each in predictions) > PATIENTS // 3


def stated(predictions: Sequence[Prediction]) -> dict[str, tuple[Any, ...]]:
    """What a prediction says in words, by patient."""
    return {
        each.patient_id: (
            *(each.abstained_because, each.modalities_used, dict(each.modalities_missing)),
            *(each.cautions, each.helps_most),
        )
        for each in predictions
    }


@dataclass(frozen=True, slots=True)
class Written:
    """What one run pulled, said and wrote.

    Attributes:
        predictions: Of everybody it wrote about.
        resources: What became of each, as the program tells it.
        studies: Whose objects were written.
    """

    predictions: list[Prediction]
    resources: list[dict[str, str]]
    studies: list[str]


def write(hospital: Hospital, small: Simulated, patients: Sequence[str], made_at: datetime) -> Written:
    """Pull everybody anew and write the answers about some to both servers."""
    cases = [each for each in pulled(hospital, hospital.records_uri) if each.record.patient_id in patients]
    resources = []
    for case in cases:
        told = write_back(hospital.records_uri, hospital.uris, small.model, case)
        resources += told["resources"]
        write_image_results(small.model, case, hospital.films_uri, made_at)
    studies = [case.record.studies[-1].study_uid for case in cases]
    return Written(predict_cases(small.model, cases), resources, studies)


def held_of(hospital: Hospital, told: Written) -> dict[str, dict[str, Any]]:
    """What was written, as the FHIR server holds it, by name; versions included."""
    names = {each["version"].partition("/_history/")[0] for each in told.resources}
    return {name: asked(hospital.address, name) for name in names}


def objects_of(hospital: Hospital, told: Written) -> dict[str, Dataset]:
    """What was written, as the archive holds it."""
    found: dict[str, Dataset] = {}
    for study in told.studies:
        found |= orthanc.results(hospital.archive, study)
    return found


def problems(resources: Sequence[dict[str, Any]], objects: dict[str, Dataset], folder: Path) -> list[str]:
    """What any judge calls an error."""
    found = [
        f"{each['resourceType']}: {issue}"
        for each in resources
        for issue in fhirkit.validate(json.dumps(each))
        if issue.severity in ("error", "fatal")
    ]
    if os.environ.get(FOLDER):
        strict = judged(resources, judge_folder())
        assert strict.evaluated > 500
        found += [problem for each in strict.problems for problem in each]
    for uid, each in objects.items():
        found += errors_of(each, folder / uid)
    return found


def test_answers_are_valid_and_are_written_once(
    hospital: Hospital, small: Simulated, of_files: list[Prediction], tmp_path: Path
) -> None:
    answered = {each.patient_id: each for each in of_files if not each.abstained}
    patients = [each for case in hospital.complete if (each := case.record.patient_id) in answered][-WRITTEN:]
    before = counts(hospital)
    first = write(hospital, small, patients, MADE_AT)
    held, objects, after = held_of(hospital, first), objects_of(hospital, first), counts(hospital)
    assert problems(list(held.values()), objects, tmp_path) == []
    new = {kind: after[kind] - before[kind] for kind in after}
    assert sum(new.values()) == len(held) + len(objects)
    assert new["RiskAssessment"] == WRITTEN
    assert sorted(each.Modality for each in objects.values()) == sorted(["OT", "OT", "SEG", "SR"] * WRITTEN)
    for each in held.values():
        if each["resourceType"] == "RiskAssessment":
            expected = answered[each["subject"]["reference"].removeprefix("Patient/")]
            assert [stated["probabilityDecimal"] for stated in each["prediction"]] == pytest.approx(
                [100 * risk.probability for risk in expected.risks()], abs=1e-4
            )
        if each["resourceType"] == "Provenance":
            (target,) = each["target"]
            assert asked(hospital.address, target["reference"])["meta"]["versionId"] == "1"

    second = write(hospital, small, patients, MADE_AT + timedelta(days=1))
    assert largest_apart(second.predictions, first.predictions) <= 1e-6
    assert {each["done"] for each in second.resources} == {"unchanged"}
    assert counts(hospital) == after
    assert held_of(hospital, first) == held
    assert objects_of(hospital, second) == objects
