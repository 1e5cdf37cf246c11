"""`prognosis risk --write-images`: what is refused, and what leaves nothing to write; tests/live writes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from prognosis.cli.write_images import answer_objects
from prognosis.prediction.predictor import case_of
from tests.cli.program import Program
from tests.outputs.images import MADE_AT
from tests.simulated import Simulated

pytest.importorskip("highdicom")


def test_results_go_to_a_dicomweb_archive_or_nowhere(prognosis: Program, small: Simulated) -> None:
    named = [word for uri in small.uris for word in ("--source", uri)]
    patient = small.complete[0].record.patient_id
    asked = ("risk", patient, "--model", small.model_folder, *named, "--write-images")
    refused = prognosis(*asked, f"dicom-folder:{small.folder}")
    assert refused.status == 2
    assert "is no DICOMweb archive" in refused.prose


def test_the_objects_are_of_the_study_that_was_read_last_and_state_regions_maps_and_risks(
    small: Simulated,
) -> None:
    case = small.complete[0]
    made = answer_objects(small.model, case, MADE_AT)
    assert not isinstance(made, str)
    study, files = made
    assert study == case.record.studies[-1]
    causes = [f"map{number}.dcm" for number in range(1, len(small.model.task.causes) + 1)]
    assert list(files) == ["regions.dcm", *causes, "report.dcm"]


def test_before_the_first_film_there_is_nothing_to_write(small: Simulated) -> None:
    case = next(each for each in small.complete if each.record.events[0].time < each.record.studies[0].time)
    before = case_of(case.record, case.record.studies[0].time - timedelta(seconds=1))
    assert isinstance(answer_objects(small.model, before, MADE_AT), str)
