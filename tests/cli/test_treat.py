"""`prognosis treat`: one patient under each arm, from a hospital's table to text and JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import prognosis as library
from prognosis.cli.sources import read_records
from prognosis.cohort import Task
from prognosis.record import Quarantine
from tests.cli.program import Program, Ran
from tests.simulated import Simulated

TASK = {
    "name": "drug",
    "question": "What does the drug change in the time to relapse?",
    "index": {"at": "event", "codes": ["prognosis|index"]},
    "outcome": {
        "kind": "time_to_event",
        "causes": {"relapse": ["outcome|relapse"]},
        "horizons_days": [100, 300],
    },
    "treatment": {
        "arms": [
            {"name": "usual care", "codes": ["table|drug"], "values": ["no"]},
            {"name": "new drug", "codes": ["table|drug"], "values": ["yes"]},
        ],
        "assignment": "randomised",
    },
    "table": {"time": "days", "event": "relapsed", "event_causes": {"1": "relapse"}, "patient_id": "id"},
    "model": {"clinical": {"trees": None}, "folds": 2, "fusion": {"bootstrap": 4}},
}
ORDERS = ("should", "recommend", "prescribe", "give the patient", "must be given", "treat with")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trial of 240 patients as a table, its task beside it."""
    folder = tmp_path_factory.mktemp("clinic")
    rng = np.random.default_rng(0)
    with (folder / "clinic.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "age", "marker", "drug", "days", "relapsed"])
        for row in range(240):
            age, marker, drug = rng.normal(60.0, 10.0), rng.normal(), rng.random() < 0.5
            days = rng.exponential(200.0 * np.exp(0.8 * drug - 0.3 * marker))
            end = rng.uniform(320.0, 700.0)
            relapsed = int(days < end)
            told = [f"p{row}", round(age, 1), round(marker, 2), "yes" if drug else "no"]
            rows.writerow([*told, round(min(days, end), 1), relapsed])
    (folder / "drug.yaml").write_text(yaml.safe_dump(TASK), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def model(clinic: Path) -> Path:
    """The model of its trial."""
    task = Task.load(clinic / "drug.yaml")
    cohort = library.build_cohort(task, read_records([f"table:{clinic / 'clinic.csv'}"], task, Quarantine()))
    from prognosis.fusion import save_model

    save_model(library.train(cohort), clinic / "model", "# A test's\n", {})
    return clinic / "model"


@pytest.fixture
def treat(prognosis: Program, clinic: Path, model: Path) -> Any:
    def asked(patient: str, *more: object) -> Ran:
        return prognosis(
            "treat", patient, "--model", model, "--source", f"table:{clinic / 'clinic.csv'}", *more
        )

    return asked


def test_training_on_a_task_with_arms_writes_them_into_the_model(
    prognosis: Program, clinic: Path, tmp_path: Path
) -> None:
    ran = prognosis(
        "train", clinic / "drug.yaml", "--source", f"table:{clinic / 'clinic.csv'}", "--out", tmp_path / "m"
    )
    assert ran.status == 0
    listed = json.loads((tmp_path / "m" / "manifest.json").read_text(encoding="utf-8"))["sha256"]
    card = " ".join((tmp_path / "m" / "README.md").read_text(encoding="utf-8").split())
    for told in (
        "## Arms compared",
        "Compares usual care; new drug by days",
        "drawn by chance",
        "new drug less",
    ):
        assert told in card
    assert {"arms/arms.json", "arms/arms.safetensors", "arms/effect/1/clinical/config.json"} <= listed.keys()


def test_the_answer_is_the_one_that_python_gives(treat, clinic: Path, model: Path) -> None:
    stated = treat("p7", "--json").stated
    loaded = library.load(model)
    records = read_records([f"table:{clinic / 'clinic.csv'}"], loaded.task, Quarantine())
    meant = library.treat(loaded, next(each for each in records if each.patient_id == "p7"))
    assert stated["better_supported"] == (meant.better or None)
    for told, arm in zip(stated["arms"], meant.arms, strict=True):
        assert arm.worth is not None
        assert told["worth"]["value"] == pytest.approx(arm.worth.value)


def test_every_number_of_the_json_has_an_interval_and_a_unit(treat) -> None:
    stated = treat("p7", "--json").stated
    told = [arm["worth"] for arm in stated["arms"]]
    told += [risk for arm in stated["arms"] for risk in arm["risks"]]
    told += [each["difference"] for each in stated["contrasts"]]
    told += [each["average"] for each in stated["contrasts"]]
    told += [arm["average"] for arm in stated["basis"]["arms"]]
    assert len(told) == 10
    for number in told:
        assert number["low"] <= number["value"] <= number["high"]
        assert number["unit"] in {"days", "probability"}
        assert number["level"] == 0.95
    (contrast,) = stated["contrasts"]
    why = contrast["explanation"]
    whole = why["base"] + sum(each["contribution"] for each in why["drivers"]) + why["rest"]
    assert whole == pytest.approx(contrast["difference"]["value"], abs=1e-6)
    assert all(each["speaks_for"] in {"new drug", "usual care"} for each in why["drivers"])


def test_the_terminal_tells_the_same_and_orders_nothing(treat) -> None:
    ran = treat("p7")
    assert ran.status == 0
    text = " ".join(ran.out.split())
    for told in ("usual care", "new drug", "Assumed:", "Take care:", "orders nothing", "days (", "%"):
        assert told in text
    assert "drawn by chance" in text
    lowered = text.lower() + treat("p7", "--json").out.lower()
    assert [word for word in ORDERS if word in lowered] == []


def test_nobody_is_treated_by_a_model_that_compares_no_arms(prognosis: Program, small: Simulated) -> None:
    named = [word for uri in small.uris for word in ("--source", uri)]
    ran = prognosis("treat", small.complete[0].record.patient_id, "--model", small.model_folder, *named)
    assert (ran.status, ran.out) == (2, "")
    assert "compares no arms; train it on a task that states treatment" in ran.prose


def test_a_patient_whose_arm_began_before_is_refused_with_the_reason_and_exit_code_0(treat) -> None:
    """That arms are not compared is an answer."""
    ran = treat("p7", "--at", "2000-02-01", "--json")
    assert ran.status == 0
    assert ran.stated["refused"]["reason"] in {
        "an arm began before the index",
        "the model gives no answer for this patient",
    }
    assert ran.stated["contrasts"] == []
    assert all(arm["worth"] is None for arm in ran.stated["arms"])
    assert "not compared for this patient" in " ".join(treat("p7", "--at", "2000-02-01").out.split())


def test_a_patient_who_is_not_there_is_one_line_and_exit_code_2(treat) -> None:
    ran = treat("p999")
    assert ran.status == 2
    assert "patient p999" in ran.prose


@pytest.fixture
def damaged(clinic: Path, tmp_path: Path) -> Path:
    """The table with a patient whose time cannot be read, and one whose age is a text."""
    with (clinic / "clinic.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    rows[3]["days"], rows[5]["age"] = "soon", "abc"
    with (tmp_path / "damaged.csv").open("w", newline="", encoding="utf-8") as stream:
        written = csv.DictWriter(stream, list(rows[0]))
        written.writeheader()
        written.writerows(rows)
    return tmp_path / "damaged.csv"


@pytest.mark.parametrize("verb", ["treat", "risk"])
def test_a_patient_whose_row_was_set_aside_is_said_to_be_there_and_why_not(
    prognosis: Program, model: Path, damaged: Path, verb: str
) -> None:
    ran = prognosis(verb, "p3", "--model", model, "--source", f"table:{damaged}")
    assert ran.status == 2
    assert "patient p3: was set aside: damaged.csv row 4, its time (days) is missing" in ran.prose
    assert "did you mean" not in ran.prose


@pytest.mark.parametrize("verb", ["treat", "risk"])
def test_a_text_where_training_had_numbers_is_told_with_its_column_and_row(
    prognosis: Program, model: Path, damaged: Path, verb: str
) -> None:
    ran = prognosis(verb, "p5", "--model", model, "--source", f"table:{damaged}", "--json")
    (told,) = (each for each in ran.stated["cautions"] if "table|age" in each)
    assert "a text at damaged.csv#6:age, where training had a number: give a number" in told
    assert "damaged.csv row 6: age is a text where nearly all others are numbers" in ran.prose
    assert "abc" not in ran.out + ran.err


def test_a_refused_patient_sees_the_reason_and_counts_and_nothing_like_an_effect(
    prognosis: Program, model: Path, clinic: Path
) -> None:
    source = f"table:{clinic / 'clinic.csv'}"
    ran = prognosis("treat", "p5", "--model", model, "--source", source, "--at", "2001-01-01")
    told = " ".join(ran.out.split())
    assert "The arms are not compared for this patient." in told
    assert "usual care, " in told
    assert " cases" in told
    for word in ("after weighting", "if all were given it", "Assumed", "E-value", "Following this model"):
        assert word not in told
