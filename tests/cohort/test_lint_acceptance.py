"""What the task file accepts is shown with its reason, and fails nothing."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.cohort.lint import Finding, lint_cohort
from tests.cohort.lint_plants import CASES, outcomes, with_column

DIED, _ = outcomes()
SELDOM = np.random.default_rng(2).uniform(size=CASES)
ACCEPTED = {"kind": "constant column", "code": "s|x", "because": "kept for a later site"}


def accepting(*accepted: dict[str, str]) -> tuple[Finding, ...]:
    screening = {"accept": list(accepted)}
    return lint_cohort(with_column("s|x", [7.0] * CASES, screening=screening))


def test_a_finding_that_the_task_accepts_is_shown_with_its_reason_and_fails_nothing() -> None:
    (finding,) = accepting(ACCEPTED)
    assert (finding.level, finding.accepted, finding.fails) == ("accepted", "kept for a later site", False)
    assert finding.to_json()["accepted_because"] == "kept for a later site"


@pytest.mark.parametrize("change", [{"kind": "identifier as a column"}, {"code": "s|y"}])
def test_an_acceptance_that_matches_nothing_is_itself_told(change: dict[str, str]) -> None:
    found = accepting(ACCEPTED | change)
    assert [f.kind for f in found] == ["constant column", "acceptance matches nothing"]


def test_one_level_can_be_accepted_and_the_others_stay() -> None:
    values = np.where(DIED & (SELDOM < 0.3), "a", np.where(DIED & (SELDOM > 0.7), "c", "b")).tolist()
    accept = {"kind": "level settles the outcome", "code": "s|x = a", "because": "known at the index"}
    found = lint_cohort(with_column("s|x", values, screening={"accept": [accept]}))
    levels = {f.subject: f.level for f in found if f.kind == "level settles the outcome"}
    assert levels == {"s|x = a": "accepted", "s|x = c": "fails"}
