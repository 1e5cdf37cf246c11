"""The planted log-hazard of every patient, put together from what each modality was given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.simulate.clinical import ClinicalDraw, draw_clinical
from prognosis.simulate.dials import Dials
from prognosis.simulate.hazard import HazardParts
from prognosis.simulate.lesions import LesionDraw, LesionHazard, draw_lesions, lesion_hazard
from prognosis.simulate.notes import TextDraw, draw_findings
from prognosis.simulate.standard import CAUSES, standardised, with_share

ARMS = ("standard", "intensified")


@dataclass(frozen=True, slots=True)
class PlantedCohort:
    """What n patients are like, before anything happens or is written down.

    Attributes:
        clinical: Planted quantities.
        text: Findings.
        lesions: Lesions.
        lesion_hazard: Their planted log-hazard by zone.
        arm: (n,) "standard" or "intensified".
        has_text: (n,) True where notes are written.
        has_imaging: (n,) True where films are taken.
        parts: Cause to log-hazard.
    """

    clinical: ClinicalDraw
    text: TextDraw
    lesions: LesionDraw
    lesion_hazard: LesionHazard
    arm: NDArray[np.str_]
    has_text: NDArray[np.bool_]
    has_imaging: NDArray[np.bool_]
    parts: dict[str, HazardParts]


def draw_planted(dials: Dials, random: np.random.Generator) -> PlantedCohort:
    """Draw n patients and their planted log-hazard."""
    clinical = draw_clinical(dials.patients, random)
    text = draw_findings(dials.patients, random)
    lesions = draw_lesions(dials, dials.patients, random)
    hazard = lesion_hazard(lesions, dials)
    clinical_score = standardised(np.sum(list(clinical.contributions("progression").values()), axis=0))
    intensified = random.random(dials.patients) < with_share(clinical_score, dials.confounding, 0.5)
    arm = np.where(intensified, ARMS[1], ARMS[0])
    parts = {cause: hazard_parts(cause, dials, clinical, text, hazard, arm) for cause in CAUSES}
    score = standardised(parts["progression"].full())
    absent = [
        random.random(dials.patients) < with_share(score, dials.missing_informative, share)
        for share in (dials.notes_absent, dials.imaging_absent)
    ]
    return PlantedCohort(clinical, text, lesions, hazard, arm, ~absent[0], ~absent[1], parts)


def hazard_parts(
    cause: str,
    dials: Dials,
    clinical: ClinicalDraw,
    text: TextDraw,
    hazard: LesionHazard,
    arm: NDArray[np.str_],
) -> HazardParts:
    """One cause's log-hazard by modality, were the patients given these arms."""
    scale = cause_scale(cause, dials)
    crp = clinical.planted["crp"]
    effect = (dials.arm_effect + dials.arm_modifier * crp) * (arm == ARMS[1])
    return HazardParts(
        clinical=scale * dials.clinical_signal * np.sum(list(clinical.contributions(cause).values()), axis=0),
        text=scale * dials.text_signal * np.sum(list(text.contributions(cause).values()), axis=0),
        imaging=scale * dials.imaging_signal * hazard.by_zone[cause].sum(axis=1),
        interaction=scale * dials.interaction * crp * hazard.burden.sum(axis=1),
        arm=scale * effect,
    )


def cause_scale(cause: str, dials: Dials) -> float:
    """What a cause's log-hazards are multiplied by."""
    return dials.death_signal if cause == "death" else 1.0
