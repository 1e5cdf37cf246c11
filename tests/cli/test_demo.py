"""`prognosis demo`: the whole road on a few patients, and the account that it gives of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prognosis.cli.demo import run_demo
from prognosis.errors import SourceError
from prognosis.fusion import load_model
from tests.cli.program import Program
from tests.simulated import hospital

PATIENTS = 110


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "out"
    run_demo(out, PATIENTS, 0, json_output=False)
    return out


@pytest.fixture(scope="module")
def summary(demo: Path) -> dict[str, object]:
    stated = json.loads((demo / "summary.json").read_text(encoding="utf-8"))
    assert isinstance(stated, dict)
    return stated


def test_every_promised_number_is_there_with_its_interval(summary) -> None:
    intervals = ("our_c", "best_single_c", "gain_over_best_single", "observed_oracle_c", "full_oracle_c")
    for name in intervals:
        assert summary[name]["low"] <= summary[name]["value"] <= summary[name]["high"], name
    for name in ("our_c", "best_single_c", "observed_oracle_c", "full_oracle_c"):
        assert 0.0 <= summary[name]["value"] <= 1.0
    assert 0.0 <= summary["planted_share_of_top_5"] <= 1.0
    assert summary["best_single"] in summary["single_c"]
    assert summary["evidence"].startswith("simulation")


def test_the_sums_agree_with_one_another(summary) -> None:
    ours, best, oracle = (summary[name]["value"] for name in ("our_c", "best_single_c", "observed_oracle_c"))
    assert summary["gain_over_best_single"]["value"] == pytest.approx(ours - best)
    assert summary["share_of_observed_oracle"] == pytest.approx((ours - 0.5) / (oracle - 0.5))
    assert best == max(found["value"] for found in summary["single_c"].values())
    assert summary["trained_on"] + summary["judged_on"] == PATIENTS


def test_explanations_add_up_to_the_prediction(summary) -> None:
    assert summary["explained_patients"] > 0
    assert summary["max_additivity_error"] <= 1e-6


def test_the_oracle_that_knows_more_is_not_worse_by_more_than_chance(summary) -> None:
    assert summary["full_oracle_c"]["high"] >= summary["observed_oracle_c"]["value"]
    assert summary["observed_oracle_c"]["value"] > 0.6


def test_the_report_is_one_file_that_loads_nothing(demo: Path) -> None:
    page = (demo / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert not [
        word for word in ('src="http', "src='http", "@import", "<script src", "<link") if word in page
    ]


def test_the_model_of_the_demo_can_be_used_on_the_demo_s_own_source(
    demo: Path, summary, prognosis: Program
) -> None:
    model = load_model(demo / "model")
    assert model.model_id == summary["model_id"]
    named = [word for uri in hospital(demo / "source") for word in ("--source", uri)]
    ran = prognosis("evaluate", demo / "model", *named, "--replicates", 100, "--json")
    assert ran.status == 0
    assert ran.stated["n"] == summary["judged_on"]
    stated = summary["metrics"]["harrell_c"]["value"]
    assert ran.stated["metrics"]["harrell_c"]["value"] == pytest.approx(stated, abs=1e-9)


def test_the_truth_stands_where_no_source_can_see_it(demo: Path) -> None:
    read = [path for path in (demo / "source").rglob("*") if path.is_file()]
    assert read
    assert not [path for path in read if "oracle" in path.name]
    assert any((demo / "oracle").iterdir())


def test_a_folder_that_no_demo_wrote_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(SourceError, match="no demo wrote"):
        run_demo(tmp_path, PATIENTS, 0, json_output=False)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("--live", "--source", "fhir-server:https://fhir.example.org", "--task", "t.yaml"), "is no folder"),
        (("--live", "--source", "dicomweb:https://pacs.example.org", "--task", "t.yaml"), "is no folder"),
        (("--live", "--source", "covid-cxr:data"), "--source: needs a question"),
        (("--live", "--source", "covid-cxr:data", "--task", "t.yaml", "--model", "m"), "needs a question"),
        (("--live", "--task", "t.yaml"), "--task: is about the patients of sources"),
        (("--source", "covid-cxr:data"), "belongs to the live demonstration"),
        (("--task", "t.yaml"), "belongs to the live demonstration"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_made(
    prognosis: Program, tmp_path: Path, asked: tuple[str, ...], why: str
) -> None:
    ran = prognosis("demo", *asked, "--out", tmp_path / "out")
    assert ran.status == 2
    assert why in ran.prose
    assert not (tmp_path / "out").exists()
