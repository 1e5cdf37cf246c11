"""A cause of which the sources hold no event is told."""

from __future__ import annotations

from prognosis.cohort.lint import lint_cohort
from tests.cohort.builders import DEATH
from tests.cohort.lint_plants import clean, cohort_of


def test_a_cause_whose_codes_are_in_no_record_fails_by_name() -> None:
    causes = {"death": [DEATH], "relapse": ["s|relapsd", "s|relapse2"]}
    outcome = {"kind": "time_to_event", "causes": causes, "horizons_days": [365]}
    records = clean()
    found = lint_cohort(cohort_of(records, outcome=outcome), records=records)
    (finding,) = (f for f in found if f.kind == "cause without any event")
    assert (finding.subject, finding.fails) == ("relapse", True)
    assert finding.problem == (
        "no event of relapse: none of its codes s|relapsd, s|relapse2 is in the sources; check their spelling"
    )
