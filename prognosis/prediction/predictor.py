"""From a model and a patient's record to a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Task
from prognosis.cohort.labels import last_contact, outcome_by
from prognosis.cohort.selection import excluded
from prognosis.cohort.target import reference_class
from prognosis.errors import InputError
from prognosis.fusion import FusionModel
from prognosis.fusion.inputs import FusionInputs
from prognosis.prediction.expected_value import expected_value, narrows_most
from prognosis.prediction.interval import Spread, case_spread
from prognosis.prediction.prediction import ClassSet, LowerBound, Prediction
from prognosis.record import PatientRecord
from prognosis.record.patient import in_time_order

Array = NDArray[np.float64]

UNUSUAL = 1.0
OUT_OF_DISTRIBUTION = 4.0
GRID_POINTS = 60
BOUND_LEVELS = (0.8, 0.9, 0.95)


def predict(model: FusionModel, record: PatientRecord, at: datetime | None = None) -> Prediction:
    """Predict for one patient from what was known by the index time.

    Args:
        model: A trained model.
        record: The patient's record; anything known after `at` is not read.
        at: The index time; the record's last fact by default.

    Raises:
        InputError: The record is empty and no index time is given, or the time names no time zone.
    """
    return predict_cases(model, [case_of(record, at)])[0]


def case_of(record: PatientRecord, at: datetime | None = None) -> Case:
    """The question asked of one patient: the record as known at a time, its last fact by default.

    Raises:
        InputError: The record is empty and no index time is given, or a time names no time zone.
    """
    record = in_time_order(record)
    index_time = at or last_contact(record)
    if index_time is None:
        raise InputError(
            f"patient {record.key}", "has an empty record", "give the index time, or a source that has it"
        )
    if index_time.tzinfo is None:
        raise InputError(
            f"index time {index_time.isoformat()}", "names no time zone", "give tzinfo, e.g. UTC"
        )
    return Case(record.as_of(index_time), index_time)


def predict_cases(model: FusionModel, cases: Sequence[Case]) -> tuple[Prediction, ...]:
    """Predict for many cases at once."""
    inputs = model.inputs(cases)
    return tuple(predict_row(model, case, inputs, row) for row, case in enumerate(cases))


def prediction_days(model: FusionModel) -> Array:
    """The grid of days on which curves are given: 0 to the last time observed in training."""
    if not model.task.is_survival:
        return np.array([0.0, max(*model.task.horizons_days, 1e-6)])
    grid = np.linspace(0.0, model.edges[-1], GRID_POINTS)
    horizons = [day for day in model.task.horizons_days if day <= model.edges[-1]]
    return np.unique(np.concatenate([grid, horizons]))


def predict_row(model: FusionModel, case: Case, inputs: FusionInputs, row: int) -> Prediction:
    """Predict for the case whose evidence stands in one row of `inputs`."""
    prediction = _measurement(model, case, inputs, row) or _risk(model, case, inputs, row)
    reason = _never_asked(model.task, case) or _reason_to_abstain(model, inputs, row, prediction)
    known = case.record
    if not reason and not (known.events or known.notes or known.studies):
        reason = "nothing is known by the index time but who the patient is"
    return replace(prediction, abstained_because=reason)


def _never_asked(task: Task, case: Case) -> str:
    """Why the question is not one about this patient, as far as the record says by the index; or ""."""
    had = outcome_by(task.outcome, case.record, case.index_time)
    if had is not None:
        cause, time = had
        return (
            f"{cause} is already in the record ({time:%Y-%m-%d}): the question is asked of those free of "
            + " and ".join(task.causes)
        )
    for rule in task.exclusions:
        if excluded(rule, case.record, case.index_time):
            return f"the task leaves out such patients: {rule.name}"
    return ""


def _measurement(model: FusionModel, case: Case, inputs: FusionInputs, row: int) -> Prediction | None:
    """The value of a quantity; None for a task that asks for none."""
    outcome, measured = model.task.measurement, model.measured
    if outcome is None or measured is None:
        return None
    own, missing = inputs.take(np.array([row])), _missing(model, inputs, row)
    return Prediction(
        patient_id=case.record.patient_id,
        site=case.record.site,
        index_time=case.index_time,
        days=prediction_days(model),
        cumulative_incidence={},
        low={},
        high={},
        level=model.config.fusion.level,
        log_hazard_standard_error={},
        horizons_days=model.task.horizons_days,
        modalities_used=tuple(name for name in model.modalities if name not in missing),
        modalities_missing=missing,
        helps_most=narrows_most(model, measured, own),
        cautions=_cautions(model, case, inputs, row),
        model_id=model.model_id,
        measured=expected_value(model, outcome, measured, own),
    )


def _risk(model: FusionModel, case: Case, inputs: FusionInputs, row: int) -> Prediction:
    """The curves of a time to event; the probabilities of a class or of findings."""
    days = prediction_days(model)
    estimate = model.incidence_of(inputs.take(np.array([row])), days)[0]
    spread = case_spread(model, inputs, row, days)
    tail = (1.0 - model.config.fusion.level) / 2.0
    low = np.minimum(np.quantile(spread.incidence, tail, axis=0), estimate)
    high = np.maximum(np.quantile(spread.incidence, 1.0 - tail, axis=0), estimate)
    causes = model.task.causes
    missing = _missing(model, inputs, row)
    return Prediction(
        patient_id=case.record.patient_id,
        site=case.record.site,
        index_time=case.index_time,
        days=days,
        cumulative_incidence=dict(zip(causes, estimate, strict=True)),
        low=dict(zip(causes, low, strict=True)),
        high=dict(zip(causes, high, strict=True)),
        level=model.config.fusion.level,
        log_hazard_standard_error=dict(zip(causes, spread.standard_error().tolist(), strict=True)),
        horizons_days=model.task.horizons_days,
        modalities_used=tuple(name for name in model.modalities if name not in missing),
        modalities_missing=missing,
        helps_most=_helps_most(model, inputs, row, spread),
        cautions=_cautions(model, case, inputs, row),
        model_id=model.model_id,
        free_for=_free_for(model, inputs.take(np.array([row]))),
        one_of=_one_of(model, inputs.take(np.array([row]))),
    )


def _free_for(model: FusionModel, inputs: FusionInputs) -> tuple[LowerBound, ...]:
    """The lower bounds of one case: event by event, at every level of `BOUND_LEVELS`."""
    by_level = {level: model.lower_bounds(inputs, level) for level in BOUND_LEVELS}
    return tuple(
        LowerBound(event, level, float(days[event][0]), bool(days[event][0] >= bound.last_day))
        for event, bound in model.bounds.items()
        for level, days in by_level.items()
    )


def _one_of(model: FusionModel, inputs: FusionInputs) -> tuple[ClassSet, ...]:
    """The classes that cannot be ruled out for one case, at every level of the model's sets."""
    names = (reference_class(model.task), *model.task.causes)
    found = []
    for level in () if model.sets is None else model.sets.levels:
        held = model.class_sets(inputs, level)
        if held is not None:
            found.append(
                ClassSet(level, tuple(name for name, here in zip(names, held[0], strict=True) if here))
            )
    return tuple(found)


def _missing(model: FusionModel, inputs: FusionInputs, row: int) -> dict[str, str]:
    reasons = inputs.withheld[row]
    missing = {}
    for place, name in enumerate(model.modalities):
        if not inputs.present[row, place]:
            stated = [reason for reason in reasons if reason.startswith(f"{name}: ")]
            missing[name] = (
                stated[0].removeprefix(f"{name}: ") if stated else "not in the record at the index"
            )
    return missing


def _helps_most(model: FusionModel, inputs: FusionInputs, row: int, spread: Spread) -> str | None:
    """The missing modality whose knowledge would lower the standard error of the first cause most."""
    best, lowest = None, spread.standard_error()[0]
    days = np.array([model.edges[-1]])
    for place, name in enumerate(model.modalities):
        if inputs.present[row, place]:
            continue
        known = inputs.take(np.array([row]))
        present = known.present.copy()
        present[0, place] = True
        error = case_spread(model, replace(known, present=present), 0, days).standard_error()[0]
        if error < lowest:
            best, lowest = name, error
    return best


def _cautions(model: FusionModel, case: Case, inputs: FusionInputs, row: int) -> tuple[str, ...]:
    cautions = []
    if model.was_trained_on(case):
        answer = "risk" if model.task.measurement is None else "value"
        cautions.append(f"the model was trained on this patient, so the {answer} is surer than for a new one")
    for reason in inputs.withheld[row]:
        read = inputs.present[row, model.modalities.index(reason.partition(":")[0])]
        cautions.append(
            f"{reason}; it was not read, but an earlier value where there is one" if read else reason
        )
    cautions += inputs.cautions[row] if inputs.cautions else ()
    for place, name in enumerate(model.modalities):
        if UNUSUAL < inputs.distance[row, place] <= OUT_OF_DISTRIBUTION:
            cautions.append(f"{name}: further from the training patients than 99 in 100 of them")
    return tuple(cautions)


def _reason_to_abstain(model: FusionModel, inputs: FusionInputs, row: int, prediction: Prediction) -> str:
    if not inputs.present[row].any():
        if inputs.withheld[row]:
            return "nothing in the record could be read: " + "; ".join(inputs.withheld[row])
        return "none of the model's modalities is in the record: " + ", ".join(model.modalities)
    for place, name in enumerate(model.modalities):
        if inputs.distance[row, place] > OUT_OF_DISTRIBUTION:
            return (
                f"{name} is unlike anything in the training population "
                f"(distance {inputs.distance[row, place]:.1f} x the 99th percentile)"
            )
    widest = model.task.widest_interval
    if widest is not None:
        for risk in prediction.risks():
            if risk.high - risk.low > widest:
                return (
                    f"the interval of {risk.cause} at {risk.days:g} days is {risk.high - risk.low:.2f} wide, "
                    f"above the task's limit of {widest:.2f}"
                )
    return ""


def average_log_hazard(model: FusionModel, inputs: FusionInputs) -> Array:
    """(n, K) log-hazard averaged over bins: a risk that does not depend on a horizon; higher is worse."""
    return np.asarray(model.head.log_hazard(inputs).mean(axis=2))
