"""A comparison of arms on its way out: written to a server once, withdrawn, and kept with a score."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from prognosis.cli.arms_card import arms_in_words
from prognosis.cli.cards import bundle_card
from prognosis.cli.sources.answers import Act, retract_answers, write_answer
from prognosis.cli.write_back import answer
from prognosis.comparison.treat import treat_cases
from prognosis.fusion.arms import ArmsRefused
from prognosis.outputs.treatment_text import arm_lines, contrast_lines, verdict
from prognosis.outputs.treatment_words import amount
from prognosis.record import Quarantine
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


def test_a_models_card_has_every_arm_and_pair_and_the_e_value_where_somebody_chose(chosen: Treated) -> None:
    basis, told = chosen.arms.basis, " ".join(arms_in_words(chosen.model.task, chosen.arms))
    assert "chosen by people" in told
    assert told.count("if all were given it") == len(chosen.arms.arms)
    for place, name in enumerate(chosen.arms.arms):
        assert f"{name}: {basis.counts[place]:,} cases" in told
    for pair in basis.pairs:
        assert pair.e_value is not None
        assert f"{pair.arm} less {pair.reference}" in told
        assert f"E-value {pair.e_value[0]:.2f}" in told


def test_a_card_says_why_arms_could_not_be_compared(chosen: Treated) -> None:
    refused = replace(chosen.model, arms=ArmsRefused("arm x has no cases; widen it"))
    card = bundle_card(refused, chosen.cohort, Quarantine(), "real", None, "", "")
    assert card.arms == ()
    assert ("comparing the arms", "arm x has no cases; widen it") in {(n.what, n.why) for n in card.not_done}
