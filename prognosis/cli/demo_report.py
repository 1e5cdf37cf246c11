"""The demo's report: the simulated cohort, the held-out judgement beside the oracles, and two patients."""

from __future__ import annotations

from prognosis.cli.cohort_report import (
    calibrations,
    cohort_table,
    estimate_of,
    leaderboard,
    measures,
    protocol_statement,
    risk_groups,
    subgroup_tables,
)
from prognosis.cli.demo_truth import Truth
from prognosis.cli.patient_report import outcome_of, patient_page
from prognosis.cohort import Case, Cohort
from prognosis.evaluation.judging import Evaluation
from prognosis.fusion import FusionModel
from prognosis.outputs.report_content import Contender, Leaderboard, Report
from prognosis.record import Quarantine

NOT_INTENDED = (
    "Any decision about a real patient: the model has only ever seen simulated ones.",
    "A claim of accuracy on real data, whatever the numbers here.",
)
LIMITS = (
    "Every number is of simulated patients whose hazard follows a known formula; real disease does not.",
    "The intervals of one patient's risk hold the sampling of patients and what missing modalities might "
    "have said, not the uncertainty of the evidence models themselves.",
)


def demo_report(
    model: FusionModel,
    cohort: Cohort,
    evaluation: Evaluation,
    truth: Truth,
    quarantine: Quarantine,
    command: str,
    created: str,
) -> Report:
    """Everything the demo found, ready to be drawn."""
    result = evaluation.result
    boards = [_against_oracles(truth), leaderboard(result, "ibs", "integrated Brier score")]
    return Report(
        title="Progression of a simulated disease",
        question=model.task.question,
        evidence="simulation",
        evidence_statement=(
            f"{len(cohort)} simulated patients, written as FHIR and DICOM and read back; the model was "
            f"trained on {model.training.cases} and judged on {result.n} others. "
            f"{protocol_statement(result.protocol)}"
        ),
        model_id=model.model_id,
        created=created,
        command=command,
        cohort=cohort_table(cohort, quarantine, evaluation.cohort),
        measures=measures(result),
        leaderboards=tuple(board for board in boards if board is not None),
        calibrations=calibrations(result),
        risk_groups=risk_groups(evaluation),
        subgroups=subgroup_tables(result, "harrell_c"),
        patients=tuple(patient_page(model, case, outcome_of(case)) for case in _patients_to_show(truth)),
        intended_use=model.task.intended_use,
        not_intended=NOT_INTENDED,
        limits=LIMITS,
        findings=_findings(truth),
    )


def _against_oracles(truth: Truth) -> Leaderboard:
    singles = [
        Contender(
            f"{name} alone",
            "single modality",
            estimate_of(interval),
            estimate_of(truth.gain) if name == truth.best_single else None,
        )
        for name, interval in truth.singles.items()
    ]
    return Leaderboard(
        measure="Harrell's C for the first cause, competing events censored",
        chance=0.5,
        contenders=(
            Contender("all modalities", "ours", estimate_of(truth.ours)),
            *singles,
            Contender(
                "oracle of what was observed",
                "oracle",
                estimate_of(truth.observed_oracle),
                note="knows the planted hazard of everything in the record",
            ),
            Contender(
                "full oracle",
                "oracle",
                estimate_of(truth.full_oracle),
                note="also knows what the record lacks",
            ),
        ),
        protocol="one hold-out by patient; bootstrap over patients; the gain is paired",
    )


def _findings(truth: Truth) -> tuple[str, ...]:
    gain = truth.gain
    verdict = "above zero" if gain.low > 0 else "not clearly above zero"
    return (
        f"All modalities together reach C = {truth.ours.value:.3f}; the best alone, {truth.best_single}, "
        f"reaches {truth.singles[truth.best_single].value:.3f}. The difference, {gain.value:.3f} "
        f"({gain.low:.3f} to {gain.high:.3f}), is {verdict}.",
        f"That is {100 * truth.share_of_observed:.0f}% of the discrimination above chance that the oracle "
        "of what was observed has.",
        f"Of the five largest drivers of {truth.explained} patients, {100 * truth.planted_share:.0f}% are "
        f"causes that were planted; the largest driver is one in {100 * truth.first_is_planted:.0f}%.",
        f"Contributions add up to the prediction: the largest error is {truth.max_additivity_error:.1e}.",
    )


def _patients_to_show(truth: Truth) -> list[Case]:
    """The patient of highest risk with every modality, and the one of highest risk without a film."""
    ranked = sorted(truth.shown, key=lambda pair: -pair[1].total)
    complete = [case for case, _ in ranked if case.record.notes and case.record.studies]
    without_film = [case for case, _ in ranked if case.record.notes and not case.record.studies]
    return complete[:1] + without_film[:1]
