"""A measurement on the command line: counted, trained, judged, drawn and told of one patient in its unit."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pandas as pd
import pytest
import yaml

from prognosis.cli.sources import export_meds
from tests.cli.program import Program
from tests.measured import CONFIG, measured_task, planted


@pytest.fixture
def clinic(tmp_path: Path) -> tuple[Path, str]:
    """A task of one measurement in a file, and the name of a source that states it."""
    export_meds(planted(90, seed=4).records, tmp_path / "records")
    stated = measured_task().model_dump(mode="json", exclude_defaults=True)
    stated["model"] = CONFIG.model_dump(mode="json", exclude_defaults=True)
    stated["outcome"]["kind"] = "measurement"
    path = tmp_path / "task.yaml"
    path.write_text(yaml.safe_dump(stated, sort_keys=False))
    return path, f"meds:{tmp_path / 'records'}"


def test_a_measurement_goes_from_a_source_to_a_judged_model_and_to_one_patient_s_value(
    prognosis: Program, clinic: tuple[Path, str], tmp_path: Path
) -> None:
    task, source = clinic
    described = prognosis("cohort", "describe", task, "--source", source, "--json").stated
    assert described["labels"] == {"measured": 90}
    prognosis("cohort", "build", task, "--source", source, "--out", tmp_path / "built")
    labels = pd.read_parquet(tmp_path / "built" / "labels.parquet")
    assert labels["value"].notna().all()
    assert (labels["duration_days"] == 360.0).all()
    trained = prognosis("train", task, "--source", source, "--out", tmp_path / "model")
    assert trained.status == 0, trained.err
    card = (tmp_path / "model" / "README.md").read_text()
    assert "normal regression" in card
    assert "cases without a value were left out" in card

    page = tmp_path / "page.html"
    told = prognosis("risk", "s4-0001", "--model", tmp_path / "model", "--source", source, "--report", page)
    assert "ONE PATIENT'S VALUE" in unescape(page.read_text())
    assert "No value is given" not in page.read_text()
    prose = " ".join(told.out.split())
    assert "quantity in 1 year: " in prose
    assert "mg/dL (80% interval " in prose
    assert "What drives quantity (mg/dL)" in prose
    assert "so the value is surer than for a new one" in prose
    assert "risk" not in prose
    stated = prognosis("risk", "s4-0001", "--model", tmp_path / "model", "--source", source, "--json").stated
    value = stated["measured"]["value"]
    said = prose.split("quantity in 1 year: ")[1].split(" mg/dL")[0]
    assert float(said) == pytest.approx(value, rel=0.05)
    (explanation,) = stated["explanations"]
    added = sum(driver["contribution"] for driver in explanation["drivers"]) + explanation["rest"]
    assert explanation["base"] + added == pytest.approx(value)

    report = tmp_path / "report.html"
    evaluated = prognosis(
        "evaluate", tmp_path / "model", "--source", source, "--cv", "--folds", "3",
        "--replicates", "50", "--report", report, "--json",
    )  # fmt: skip
    assert evaluated.stated["metrics"]["mae"]["value"] < 1.0
    assert {"last value carried forward", "regression on the last value"} <= set(evaluated.stated["members"])
    drawn = report.read_text()
    assert "mean absolute error" in drawn
    assert "quantity in 1 year: " in drawn


def test_what_belongs_to_probabilities_is_refused_for_a_value(
    prognosis: Program, clinic: tuple[Path, str], tmp_path: Path
) -> None:
    task, source = clinic
    model = tmp_path / "model"
    prognosis("train", task, "--source", source, "--out", model)
    asked = ("--model", model, "--source", source, "--scale", "probability")
    refused = prognosis("risk", "s4-0001", *asked)
    assert refused.status == 2
    assert "predicts a value, no probability" in refused.prose
    rivals = prognosis("evaluate", model, "--source", source, "--cv", "--rivals")
    assert rivals.status == 2
    assert "judge probabilities, no values" in rivals.prose
