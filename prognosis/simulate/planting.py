"""Where in a patient's record each part of the log-hazard was planted, so that explanations can be judged."""

from __future__ import annotations

import numpy as np

from prognosis.record import PatientRecord
from prognosis.simulate.chart import ARM_CODES
from prognosis.simulate.clinical import ASSAYS, LUNG_DISEASE
from prognosis.simulate.dials import Dials
from prognosis.simulate.film import ZONES
from prognosis.simulate.notes import WrittenNote
from prognosis.simulate.oracle import PlantedCause
from prognosis.simulate.standard import CAUSES
from prognosis.simulate.truth import PlantedCohort, cause_scale


def planted_causes(
    row: int,
    planted: PlantedCohort,
    dials: Dials,
    known: PatientRecord,
    notes: tuple[WrittenNote, ...],
    site: int,
) -> tuple[PlantedCause, ...]:
    """One patient's planted causes that a reader of the record could find.

    Args:
        row: The patient's place in `planted`.
        planted: The cohort.
        dials: The signals' strengths.
        known: The record as of the index.
        notes: As written, the last being the index visit's.
        site: Whose codes the record uses.
    """
    causes = list(_clinical(row, planted, dials, known, site))
    if known.notes:
        causes.extend(_text(row, planted, dials, known.notes[-1].source, notes[-1]))
    if known.studies:
        causes.extend(_imaging(row, planted, dials, known.studies[-1].study_uid))
    return tuple(causes)


def _clinical(
    row: int, planted: PlantedCohort, dials: Dials, known: PatientRecord, site: int
) -> list[PlantedCause]:
    written = {event.code for event in known.events}
    codes = {assay.name: assay.codes[site] for assay in ASSAYS if assay.planted}
    codes[LUNG_DISEASE.name] = LUNG_DISEASE.codes[site]
    by_name: dict[str, dict[str, float]] = {name: dict.fromkeys(CAUSES, 0.0) for name in codes}
    arm_values = {}
    for cause in CAUSES:
        scale = cause_scale(cause, dials)
        contributions = planted.clinical.contributions(cause)
        for name, by_cause in by_name.items():
            by_cause[cause] = scale * dials.clinical_signal * float(contributions[name][row])
        parts = planted.parts[cause]
        if known.studies:
            by_name["crp"][cause] += 0.5 * float(parts.interaction[row])
        arm_values[cause] = float(parts.arm[row] - parts.arm.mean())
    causes = [
        PlantedCause("clinical", str(code), "", by_name[name])
        for name, code in codes.items()
        if code in written
    ]
    arm_code = ARM_CODES[str(planted.arm[row])]
    return [*causes, PlantedCause("clinical", str(arm_code), "", arm_values)]


def _text(
    row: int, planted: PlantedCohort, dials: Dials, source: str, note: WrittenNote
) -> list[PlantedCause]:
    return [
        PlantedCause(
            "text",
            source,
            sentence,
            {
                cause: cause_scale(cause, dials)
                * dials.text_signal
                * float(planted.text.contributions(cause)[finding][row])
                for cause in CAUSES
            },
        )
        for finding, sentence in note.stated.items()
    ]


def _imaging(row: int, planted: PlantedCohort, dials: Dials, study_uid: str) -> list[PlantedCause]:
    crp = float(planted.clinical.planted["crp"][row])
    values = {}
    for cause in CAUSES:
        own = dials.imaging_signal * planted.lesion_hazard.by_zone[cause][row]
        shared = 0.5 * dials.interaction * crp * planted.lesion_hazard.burden[row]
        values[cause] = cause_scale(cause, dials) * np.asarray(own + shared)
    return [
        PlantedCause(
            "imaging",
            f"ImagingStudy/{study_uid}",
            zone,
            {cause: float(values[cause][place]) for cause in CAUSES},
        )
        for place, zone in enumerate(ZONES)
    ]
