"""`prognosis risk`: one patient's answer on the terminal, as JSON, or as a page."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prognosis.cli.console import print_json, stderr, stdout
from prognosis.cli.loading import load_patient
from prognosis.cli.patient_report import patient_page
from prognosis.cohort import Case
from prognosis.errors import InputError
from prognosis.explanation import (
    AskedScale,
    Attribution,
    Explanation,
    WhatChanged,
    case_tokens,
    change_between,
    explain_tokens,
)
from prognosis.fusion import FusionModel, load_model
from prognosis.outputs.report import write_patient_page
from prognosis.outputs.risk_text import risk_text
from prognosis.prediction import Prediction, predict_cases
from prognosis.prediction.asking import latest_case
from prognosis.prediction.predictor import case_of
from prognosis.record import PatientRecord, Quarantine


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a patient.

    Attributes:
        at: Index time in ISO 8601; the task's last index where None.
        top: How many drivers are told one by one.
        scale: Of the drivers: "log_hazard" or "probability".
        horizon_days: Of the probability; the task's last horizon where None.
        since: Also tell what moved the answer since then, in ISO 8601.
        write_back: The FHIR server that the answer is also written to.
        write_images: The archive, "dicomweb:URL", that the answer is stored in as DICOM; None for none.
    """

    at: str | None
    top: int
    scale: str
    horizon_days: float | None
    since: str | None
    write_back: str | None = None
    write_images: str | None = None

    def known_scale(self) -> AskedScale:
        """The scale.

        Raises:
            InputError: It is neither of the two, or a horizon is given on the log-hazard's.
        """
        if self.scale == "probability":
            return "probability"
        if self.scale != "log_hazard":
            raise InputError(f"--scale {self.scale}", "is no scale", "ask for log_hazard or probability")
        if self.horizon_days is not None:
            raise InputError("--horizon-days", "belongs to a probability", "add --scale probability")
        return "log_hazard"


def run_risk(
    patient: str,
    folder: Path,
    sources: Sequence[str],
    asked: Asked,
    *,
    report: Path | None,
    cache: Path | None,
    json_output: bool,
) -> None:
    """Answer for one patient, at the task's last index or at a time given; write it back if asked."""
    scale = asked.known_scale()
    model = load_model(folder, cache)
    quarantine = Quarantine()
    record = find_patient(load_patient(sources, model.task, patient, quarantine), patient, quarantine)
    case = case_at(model, record, asked.at)
    since = None if asked.since is None else stated_time("--since", asked.since)
    if asked.write_images is not None:
        from prognosis.cli.write_images import write_image_results

        write_image_results(model, case, asked.write_images, datetime.now(UTC))
    page = None
    if report is not None or not json_output:
        page = patient_page(model, case, scale=scale, horizon_days=asked.horizon_days, since=since)
    if report is not None and page is not None:
        write_patient_page(report, page)
        stderr.print(f"wrote {report}", markup=False)
    written = None
    if asked.write_back is not None:
        from prognosis.cli.write_back import write_back

        written = write_back(asked.write_back, sources, model, case)
    if json_output:
        known = case_tokens(model, case)
        explanations = [
            explain_tokens(model, known, cause, scale, asked.horizon_days) for cause in model.task.causes
        ]
        stated = risk_json(predict_cases(model, [case])[0], explanations, asked.top)
        if since is not None and not stated["abstained_because"]:
            earlier = case_tokens(model, case_of(record, since))
            changes = [change_between(model, earlier, known, cause) for cause in model.task.causes]
            stated["changes"] = [change_json(change, asked.top) for change in changes]
        print_json(stated if written is None else {**stated, "written": written})
    elif page is not None:
        stdout.print(risk_text(page, asked.top))


def find_patient(
    records: Sequence[PatientRecord], patient: str, quarantine: Quarantine | None = None
) -> PatientRecord:
    """The record of a patient by id, or by site/id.

    Args:
        records: As read.
        patient: The id.
        quarantine: What was set aside while they were read: a record that was is told with the reason.

    Raises:
        InputError: No record has the id, it was set aside, or two sites share it.
    """
    found = [record for record in records if patient in (record.patient_id, record.key)]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(record.key for record in found)
        raise InputError(f"patient {patient}", "is at more than one site", f"name one of {keys}")
    aside = [each for each in quarantine or () if each.patient_id and each.patient_id == patient]
    if aside:
        problem = f"was set aside: {aside[0].reference}, {aside[0].problem}"
        raise InputError(f"patient {patient}", problem, aside[0].remedy)
    near = near_ids(patient, [record.patient_id for record in records])
    hint = f"did you mean {', '.join(near)}?" if near else "check the id and the sources"
    raise InputError(f"patient {patient}", f"is not among the {len(records)} records", hint)


def near_ids(stated: str, ids: Sequence[str], most: int = 3) -> list[str]:
    """The ids most like the one stated, the likest first; of equally like ones the first in order."""

    def likeness(other: str) -> float:
        return difflib.SequenceMatcher(None, other, stated).ratio()

    near = difflib.get_close_matches(stated, sorted(set(ids)), n=max(1, len(ids)))
    return sorted(near, key=lambda other: (-likeness(other), other))[:most]


def case_at(model: FusionModel, record: PatientRecord, at: str | None) -> Case:
    """The case to predict: at a time given, else at the task's last index, else at the last contact.

    Raises:
        InputError: The time is not ISO 8601, or the record is empty.
    """
    if at is None:
        return latest_case(model.task, record)
    time = stated_time("--at", at)
    return Case(record.as_of(time), time)


def stated_time(option: str, stated: str) -> datetime:
    """A time in ISO 8601; without a time zone it is UTC.

    Raises:
        InputError: It is not ISO 8601.
    """
    try:
        time = datetime.fromisoformat(stated)
    except ValueError as error:
        raise InputError(f"{option} {stated}", "is not a time", "write it as 2020-03-02T12:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def change_json(changed: WhatChanged, top: int) -> dict[str, Any]:
    """What moved an answer; changes beyond `top` are summed in "rest"."""
    shown, others = changed.changes[:top], changed.changes[top:]
    return {
        **{name: getattr(changed, name) for name in ("cause", "since", "at", "before", "after")},
        "recalibration": changed.recalibration,
        "by_kind": changed.by_kind(),
        "changes": [asdict(change) for change in shown],
        "rest": sum(change.contribution for change in others),
        "unchanged": changed.unchanged,
        "max_additivity_error": changed.max_additivity_error,
    }


def risk_json(prediction: Prediction, explanations: Sequence[Explanation], top: int) -> dict[str, Any]:
    """The answer as plain JSON; an abstaining model gives its reason and no risk."""
    stated: dict[str, Any] = {
        "patient": prediction.patient_id,
        "site": prediction.site,
        "index_time": prediction.index_time.isoformat(),
        "model_id": prediction.model_id,
        "abstained_because": prediction.abstained_because or None,
        "modalities_used": list(prediction.modalities_used),
        "modalities_missing": dict(prediction.modalities_missing),
        "helps_most": prediction.helps_most,
        "cautions": list(prediction.cautions),
    }
    if prediction.abstained:
        return {**stated, "risks": []}
    return {
        **stated,
        "risks": [
            {
                "cause": risk.cause,
                "days": risk.days,
                "probability": risk.probability,
                "low": risk.low,
                "high": risk.high,
                "level": prediction.level,
            }
            for risk in prediction.risks()
        ],
        "free_for": [
            {"event": bound.event, "level": bound.level, "days": bound.days, "limited": bound.limited}
            for bound in prediction.free_for
        ],
        "measured": None if prediction.measured is None else asdict(prediction.measured),
        "one_of": [{"level": found.level, "classes": list(found.classes)} for found in prediction.one_of],
        "log_hazard_standard_error": dict(prediction.log_hazard_standard_error),
        "explanations": [explanation_json(explanation, top) for explanation in explanations],
    }


def explanation_json(explanation: Explanation, top: int) -> dict[str, Any]:
    """An explanation with its receipt; drivers beyond `top` are summed in "rest"."""
    shown = explanation.top(top)
    return {
        "cause": explanation.cause,
        "scale": explanation.scale,
        "horizon_days": explanation.horizon_days,
        "base": explanation.base,
        "total": explanation.total,
        "by_modality": explanation.by_modality(),
        "groups": [asdict(group) for group in explanation.groups],
        "drivers": [
            {
                **cited_json(driver.leading),
                "contribution": driver.contribution,
                "interaction": driver.interaction,
                "parts": [
                    {
                        **cited_json(part),
                        "contribution": part.contribution,
                        "interaction": part.interaction,
                    }
                    for part in driver.parts
                ],
            }
            for driver in shown
        ],
        "rest": sum(driver.contribution for driver in explanation.drivers[len(shown) :]),
        "receipt": {
            "method": explanation.method,
            "max_additivity_error": explanation.max_additivity_error,
            "standard_error": explanation.standard_error,
            "coalitions": explanation.coalitions,
            "permutations": explanation.permutations,
        },
    }


def cited_json(attribution: Attribution) -> dict[str, Any]:
    """What a piece of evidence is and where it stands in the record."""
    cited = ("modality", "name", "detail", "source", "time", "span")
    return {name: getattr(attribution, name) for name in cited}
