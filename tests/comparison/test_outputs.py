"""A comparison of arms on its way out: written to a server once, withdrawn, and kept with a score."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from prognosis.cli.sources.answers import Act, retract_answers, write_answer
from prognosis.cli.write_back import answer
from prognosis.comparison.treat import treat_cases
from prognosis.outputs.treatment_text import arm_lines, contrast_lines, verdict
from prognosis.outputs.treatment_words import amount
from prognosis.serve.answers import score_case
from tests.comparison.conftest import Treated
from tests.connectors.fhir.ledger import ledger, writer
from tests.connectors.fhir.resources import patient

ACT = Act(datetime(2026, 3, 2, tzinfo=UTC), "ward-pc")


def test_each_arm_is_written_once_and_withdrawn_with_the_rest(drawn: Treated) -> None:
    case = drawn.cohort.cases[-1]
    trained = replace(drawn.model, model_id="treated-1f2e3d")
    held = ledger()
    held.put(patient(case.record.patient_id))
    with writer(held) as server:

        def about(subject: str):
            return answer(trained, case, subject)

        first = write_answer(server, case.record, about, ACT)
        kinds = Counter(each.name.partition("/")[0] for each in first.resources if each.done == "created")
        arms = len(drawn.arms.arms)
        assert kinds["RiskAssessment"] == 1 + arms
        assert "ServiceRequest" not in kinds
        again = write_answer(server, case.record, about, ACT)
        assert {each.done for each in again.resources} == {"unchanged"}
        told = {each["note"][0]["text"] for each in held.held.values() if "note" in each}
        (compared,) = treat_cases(trained, [case])
        for arm in compared.arms:
            assert arm.worth is None or f"{compared.worth_is}: {amount(arm.worth)}" in told
        retract_answers(server, case.record.patient_id, trained.model_id, trained.task, None, ACT)
        statuses = Counter(
            each["status"] for name, each in held.held.items() if name.startswith("RiskAssessment")
        )
        assert statuses == {"entered-in-error": 1 + arms}


def test_a_score_keeps_the_comparison_in_the_words_of_every_other_output(drawn: Treated) -> None:
    case = drawn.cohort.cases[-1]
    kept = score_case(drawn.model, case, "0" * 64).treatment
    (meant,) = treat_cases(drawn.model, [case])
    assert kept is not None
    assert (kept.summary, kept.arms, kept.differences) == (
        verdict(meant),
        arm_lines(meant),
        contrast_lines(meant),
    )
