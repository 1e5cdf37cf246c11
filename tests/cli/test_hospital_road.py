"""What leaves as FHIR and DICOM comes back with the same predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from prognosis.cli.settings import model_config
from prognosis.cli.sources import export_fhir_dicom, read_records
from prognosis.cohort import Case, Cohort, Task, build_cohort
from prognosis.evidence import MODALITIES
from prognosis.fusion import FusionModel, ModelConfig, train_model
from prognosis.record import Quarantine
from tests.simulated import TASK_PATH, TINY, Simulated, hospital, largest_difference, tiny_config

CONFIGS = Path(__file__).parents[2] / "configs"
SAME = 1e-6


def largest_evidence_difference(model: FusionModel, cases: Sequence[Case], others: Sequence[Case]) -> float:
    """Over all cases in order and all modalities, before the head could hide a difference."""
    one, other = model.inputs(cases), model.inputs(others)
    assert np.array_equal(one.present, other.present)
    pairs = zip((*one.evidence, *one.vectors), (*other.evidence, *other.vectors), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def by_patient(cohort: Cohort) -> list[Case]:
    return sorted(cohort.cases, key=lambda case: (case.record.patient_id, case.index_time))


def test_simulated_patients_get_the_same_predictions_before_and_after_the_road(small: Simulated) -> None:
    before = by_patient(build_cohort(Task.load(TASK_PATH), small.written))
    after = by_patient(small.cohort)
    assert [case.label for case in before] == [case.label for case in after]
    assert largest_evidence_difference(small.model, before, after) <= SAME
    assert largest_difference(small.model, small.model, before, after) <= SAME


def test_a_model_trained_before_the_road_equals_one_trained_after_it(small: Simulated) -> None:
    records = sorted(small.written, key=lambda record: record.key)
    before = build_cohort(Task.load(TASK_PATH), records)
    model = train_model(before, tiny_config())
    assert largest_difference(model, small.model, before.cases[:40], small.cohort.cases[:40]) <= SAME


@pytest.fixture(scope="module")
def real(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Cohort, Cohort, ModelConfig]:
    """The published films as they are read, and as they come back from FHIR and DICOM; and tiny settings."""
    task = Task.load(CONFIGS / "tasks" / "cxr_intensive_care.yaml")
    uris = [f"hannover-cxr:{real_data / 'hannover-cxr'}", f"covid-cxr:{real_data / 'covid-cxr'}"]
    folder = tmp_path_factory.mktemp("real") / "export"
    records = read_records(uris, task, Quarantine())
    export_fhir_dicom(records, folder, Quarantine())
    back = read_records(hospital(folder), task, Quarantine())
    settings = [f"imaging.{name}={value}" for name, value in TINY["imaging"].items()]
    quick = ["folds=2", "clinical.trees.rounds=20", "text.encoder=none", "fusion.bootstrap=10"]
    config = model_config(None, [*settings, *quick], task)
    return build_cohort(task, records), build_cohort(task, back), config


@pytest.fixture(scope="module")
def real_model(real: tuple[Cohort, Cohort, ModelConfig]) -> FusionModel:
    return train_model(real[0], real[2])


def test_the_published_cohorts_are_the_same_cases_after_the_road(real) -> None:
    before, after, _ = real
    assert len(before) > 150
    assert [(c.patient, c.index_time, c.label) for c in before.cases] == [
        (c.patient, c.index_time, c.label) for c in after.cases
    ]


def test_real_patients_get_the_same_predictions_before_and_after_the_road(real, real_model) -> None:
    before, after, _ = real
    assert set(real_model.modalities) == set(MODALITIES)
    assert largest_evidence_difference(real_model, before.cases, after.cases) <= SAME
    assert largest_difference(real_model, real_model, before.cases[::10], after.cases[::10]) <= SAME


def test_a_model_of_real_patients_is_the_same_model_when_trained_after_the_road(real, real_model) -> None:
    before, after, config = real
    again = train_model(after, config)
    assert largest_difference(real_model, again, before.cases[::10], after.cases[::10]) <= SAME
