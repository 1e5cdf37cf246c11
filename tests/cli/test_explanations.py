"""`prognosis evaluate --explanations`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from prognosis.cli.explanations import report_explanations
from tests.cli.program import Program
from tests.simulated import Simulated


def test_maps_are_not_judged_on_the_patients_that_trained_the_model(
    prognosis: Program, small: Simulated
) -> None:
    asked = ("evaluate", small.model_folder, *(part for uri in small.uris for part in ("--source", uri)))
    assert "patients that trained the model" in prognosis(*asked, "--explanations").err
    assert "--cv" in prognosis(*asked, "--explanations", "--cv").err


def test_the_table_says_what_was_found_and_what_was_not_judged(
    small: Simulated, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row for row, case in enumerate(small.cohort.cases) if case.record.studies][:2]
    report_explanations(small.model, small.cohort.take(np.array(rows)), 20, 0, json_output=False)
    told = capsys.readouterr()
    assert "2 films of as many held-out patients" in " ".join(told.out.split())
    assert "additivity: maps, tokens and evidence differ by at most" in " ".join(told.out.split())
    assert "the source marks nothing" in " ".join(told.err.split())


def test_the_page_shows_what_drives_the_cohort_and_whether_that_holds(
    small: Simulated, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row for row, case in enumerate(small.cohort.cases) if not case.record.studies][:4]
    some, page = small.cohort.take(np.array(rows)), tmp_path / "page.html"
    report_explanations(small.model, some, 20, 0, beside=[small.model], report=page, json_output=True)
    told = capsys.readouterr()
    stated = json.loads(told.out)
    assert stated["cohort"]["cases"] == 4
    assert stated["cohort"]["max_additivity_error"] < 1e-9
    assert stated["tokens"]["stability"][small.model.model_id]["value"] == pytest.approx(1.0)
    assert stated["maps"] is None
    assert "0 of the cases have a film" in " ".join(told.err.split())
    text = page.read_text(encoding="utf-8")
    assert "What drives progression" in text
    assert text.count("data:image/") == 4
    assert "citations of clinical" in text
