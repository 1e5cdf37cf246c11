"""Several findings on the command line: counted, checked, trained, judged and told of one patient."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from prognosis.cli.sources import export_meds
from tests.cli.program import Program
from tests.findings import CONFIG, FINDINGS, findings_task, planted

CASES = 90


@pytest.fixture
def clinic(tmp_path: Path) -> tuple[Path, str]:
    """A task of three findings in a file, and the name of a source that states some of them."""
    export_meds(planted(CASES, seed=4).records, tmp_path / "records")
    stated = findings_task().model_dump(mode="json", exclude_defaults=True)
    stated["model"] = CONFIG.model_dump(mode="json", exclude_defaults=True)
    stated["outcome"]["kind"] = "findings"
    path = tmp_path / "task.yaml"
    path.write_text(yaml.safe_dump(stated, sort_keys=False))
    return path, f"meds:{tmp_path / 'records'}"


def test_findings_go_from_a_source_to_a_judged_model_and_to_one_patient_s_answer(
    prognosis: Program, clinic: tuple[Path, str], tmp_path: Path
) -> None:
    task, source = clinic
    known = planted(CASES, seed=4)
    described = prognosis("cohort", "describe", task, "--source", source, "--json").stated["labels"]
    for place, name in enumerate(FINDINGS):
        stated = known.known[:, place]
        present = int((known.present[:, place] & stated).sum())
        counts = [described[f"{name}, {word}"] for word in ("present", "absent", "not known")]
        assert counts == [present, int(stated.sum()) - present, CASES - int(stated.sum())]
    built = prognosis("cohort", "build", task, "--source", source, "--out", tmp_path / "built")
    assert built.status == 0
    labels = pd.read_parquet(tmp_path / "built" / "labels.parquet")
    assert labels["finding nodule"].notna().sum() == known.known[:, 2].sum()
    assert prognosis("cohort", "check", task, "--source", source).status == 0

    out = tmp_path / "model"
    assert prognosis("train", task, "--source", source, "--out", out, "--json").status == 0
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "| outcome | oedema, absent |" in card
    page = tmp_path / "report.html"
    judged = prognosis(
        "evaluate",
        out,
        "--source",
        source,
        "--cv",
        "--folds",
        2,
        "--replicates",
        50,
        "--report",
        page,
        "--json",
    ).stated
    assert judged["unknown"] == dict(zip(FINDINGS, (~known.known).sum(axis=0).tolist(), strict=True))
    assert set(judged["members"]) >= {"prevalence", "clinical alone"}
    assert {"auroc", "auroc:oedema", "calibration_intercept:nodule"} <= set(judged["metrics"])
    assert "calibration intercept, nodule" in page.read_text(encoding="utf-8")

    printed = prognosis("evaluate", out, "--source", source, "--cv", "--folds", 2, "--replicates", 20).out
    assert "each finding, where it is known" in printed
    assert all(word in printed for word in (*FINDINGS, "precision", "prevalence"))

    answer = prognosis("risk", "p0001", "--model", out, "--source", source, "--json").stated
    assert [risk["cause"] for risk in answer["risks"]] == list(FINDINGS)
    assert all(found["receipt"]["max_additivity_error"] < 1e-6 for found in answer["explanations"])
    told = prognosis("risk", "p0001", "--model", out, "--source", source).out
    assert "What drives nodule (log-odds)" in told
