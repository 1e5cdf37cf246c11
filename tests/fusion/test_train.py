"""Training: what a cohort must have, what is left out, and that a seed settles everything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prognosis.cohort import Case, Cohort, SurvivalLabel
from prognosis.errors import CohortError
from prognosis.evidence import MODALITIES
from prognosis.fusion import train_model
from prognosis.fusion.cross_fitting import LEAST_CASES, LEAST_EVENTS, LEAST_PATIENTS
from tests.simulated import PATIENTS, Simulated, tiny_config


def without(case: Case, *names: str) -> Case:
    return replace(case, record=replace(case.record, **dict.fromkeys(names, ())))


def relabelled(cohort: Cohort, events: int) -> Cohort:
    """The cohort with its first `events` cases ending in progression and every other censored."""
    cases = [
        replace(case, label=SurvivalLabel("progression" if number < events else None, 100.0 + number))
        for number, case in enumerate(cohort.cases)
    ]
    return replace(cohort, cases=tuple(cases))


def test_a_model_reads_every_modality_that_its_cohort_has(small: Simulated) -> None:
    training = small.model.training
    assert small.model.modalities == MODALITIES
    assert training.left_out == {}
    assert training.cases == PATIENTS
    assert sum(training.events.values()) == PATIENTS
    assert training.modality_cases["clinical"] == PATIENTS
    with_notes = sum(bool(case.record.notes) for case in small.cohort.cases)
    assert training.modality_cases["text"] == with_notes < PATIENTS


def test_a_model_remembers_who_trained_it_without_keeping_their_ids(small: Simulated) -> None:
    stranger = replace(small.cohort.cases[0].record, patient_id="stranger")
    assert all(small.model.was_trained_on(case) for case in small.cohort.cases)
    assert not small.model.was_trained_on(replace(small.cohort.cases[0], record=stranger))
    kept = " ".join(small.model.training.patients)
    assert not any(case.record.patient_id in kept for case in small.cohort.cases)


def test_a_modality_that_nobody_has_is_left_out_with_the_reason(small: Simulated) -> None:
    cases = [without(case, "studies", "notes") for case in small.cohort.cases]
    model = train_model(replace(small.cohort, cases=tuple(cases)), tiny_config(folds=2))
    assert model.modalities == ("clinical",)
    assert dict(model.training.left_out) == {"text": "no case has it", "imaging": "no case has it"}


def test_a_modality_that_few_have_is_left_out_with_the_numbers(small: Simulated) -> None:
    cases = [without(case, "studies") for case in small.cohort.cases]
    holders = [n for n, case in enumerate(cases) if case.record.notes][: LEAST_CASES - 1]
    cases = [case if n in holders else without(case, "notes") for n, case in enumerate(cases)]
    model = train_model(replace(small.cohort, cases=tuple(cases)), tiny_config(folds=2))
    assert f"only {LEAST_CASES - 1} cases" in model.training.left_out["text"]


def test_a_cohort_in_which_nothing_can_be_read_is_refused(small: Simulated) -> None:
    cases = [without(case, "studies", "notes") for case in small.cohort.cases]
    with pytest.raises(CohortError, match=r"no usable modality \(imaging: no case has it\)"):
        train_model(replace(small.cohort, cases=tuple(cases)), tiny_config(modalities=["imaging"]))


def test_too_few_patients_are_refused_with_their_number(small: Simulated) -> None:
    few = small.cohort.take(np.arange(LEAST_PATIENTS - 1))
    with pytest.raises(CohortError, match=f"has {LEAST_PATIENTS - 1} patients; train on at least"):
        train_model(few, tiny_config())


def test_too_few_events_are_refused_with_their_number(small: Simulated) -> None:
    with pytest.raises(CohortError, match=f"has {LEAST_EVENTS - 1} patients with an event"):
        train_model(relabelled(small.cohort, LEAST_EVENTS - 1), tiny_config())


def test_progress_is_told_step_by_step(small: Simulated) -> None:
    told: list[tuple[str, int, int]] = []
    train_model(
        small.cohort,
        tiny_config(modalities=["text"], folds=2),
        lambda what, done, total: told.append((what, done, total)),
    )
    assert ("interval replicates", 20, 20) in told
    assert all(0 <= done <= total for _, done, total in told if total)


def test_a_cause_that_nobody_had_is_refused_by_name(small: Simulated) -> None:
    cause = small.cohort.task.causes[-1]
    spared = small.cohort.where(lambda case: getattr(case.label, "cause", "") != cause)
    with pytest.raises(CohortError, match=f"no case had {cause}"):
        train_model(spared, tiny_config())
