"""Where in a patient's record each part of the log-hazard was planted, so that explanations can be judged."""

from __future__ import annotations

from prognosis.record import PatientRecord
from prognosis.simulate.chart import ARM_CODES
from prognosis.simulate.clinical import ASSAYS, LUNG_DISEASE
from prognosis.simulate.film import ZONES
from prognosis.simulate.notes import WrittenNote
from prognosis.simulate.oracle import PlantedCause
from prognosis.simulate.standard import CAUSES
from prognosis.simulate.true_values import ARM, PIECES
from prognosis.simulate.truth import PlantedCohort

_COLUMN = {piece: column for column, piece in enumerate(PIECES)}


def planted_causes(
    row: int, planted: PlantedCohort, known: PatientRecord, notes: tuple[WrittenNote, ...], habit: int
) -> tuple[PlantedCause, ...]:
    """One patient's planted causes that a reader of the record could find.

    A finding that does not hold, a disease that the patient does not have, and age carry log-hazard too, but
    nothing states them that could be cited.

    Args:
        row: The patient's place in `planted`.
        planted: The cohort.
        known: The record as of the index.
        notes: As written, the last being the index visit's.
        habit: 0 or 1; which site's codes the record uses.
    """
    written = {event.code for event in known.events}
    codes = {assay.name: assay.codes[habit] for assay in ASSAYS if assay.planted}
    codes[LUNG_DISEASE.name] = LUNG_DISEASE.codes[habit]
    stated = [("clinical", name, str(code), "") for name, code in codes.items() if code in written]
    stated.append(("clinical", ARM, str(ARM_CODES[str(planted.arm[row])]), ""))
    if known.notes:
        source = known.notes[-1].source
        stated += [("text", finding, source, sentence) for finding, sentence in notes[-1].stated.items()]
    if known.studies:
        source = f"ImagingStudy/{known.studies[-1].study_uid}"
        stated += [("imaging", zone, source, zone) for zone in ZONES]
    values = {cause: planted.true_values.values[cause][row].tolist() for cause in CAUSES}
    causes = []
    for modality, name, source, place in stated:
        column = _COLUMN[modality, name]
        contribution = {cause: values[cause][column] for cause in CAUSES}
        causes.append(PlantedCause(modality, source, place, contribution))
    return tuple(causes)
