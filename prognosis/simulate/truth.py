"""The planted log-hazard of every patient, put together from what each modality was given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.simulate.clinical import ClinicalDraw, at_second_site, draw_clinical
from prognosis.simulate.dials import Dials
from prognosis.simulate.hazard import HazardParts
from prognosis.simulate.lesions import LesionDraw, LesionHazard, draw_lesions, lesion_hazard
from prognosis.simulate.notes import TextDraw, draw_findings
from prognosis.simulate.sentences import ARM_FINDING
from prognosis.simulate.standard import CAUSES, Vector, cause_scale, standardised, with_share
from prognosis.simulate.true_values import MEAN_TREATED, TrueValues, true_values

ARMS = ("standard", "intensified")


@dataclass(frozen=True, slots=True)
class Drawn:
    """Chance, before the dials give it a meaning.

    Attributes:
        clinical: Planted quantities, as at the first site.
        text: Findings.
        lesions: Lesions.
        arm: (n,) uniform; decides the arm.
        absent: (n, 2) uniform; decide whether notes and films are absent.
    """

    clinical: ClinicalDraw
    text: TextDraw
    lesions: LesionDraw
    arm: Vector
    absent: Vector


@dataclass(frozen=True, slots=True)
class PlantedCohort:
    """What n patients are like, before anything happens or is written down.

    Attributes:
        clinical: Planted quantities.
        text: Findings.
        lesions: Lesions.
        lesion_hazard: Their planted log-hazard by zone.
        chance_of_intensified: (n,) with which the arm was drawn.
        arm: (n,) "standard" or "intensified".
        has_text: (n,) True where notes are written.
        has_imaging: (n,) True where films are taken.
        parts: Cause to log-hazard.
        true_values: The same, shared out over what it was planted in.
    """

    clinical: ClinicalDraw
    text: TextDraw
    lesions: LesionDraw
    lesion_hazard: LesionHazard
    chance_of_intensified: Vector
    arm: NDArray[np.str_]
    has_text: NDArray[np.bool_]
    has_imaging: NDArray[np.bool_]
    parts: dict[str, HazardParts]
    true_values: TrueValues


def draw_patients(dials: Dials, random: np.random.Generator) -> Drawn:
    """Draw n patients."""
    return Drawn(
        draw_clinical(dials.patients, random),
        draw_findings(dials.patients, random),
        draw_lesions(dials, dials.patients, random),
        random.random(dials.patients),
        np.stack([random.random(dials.patients) for _ in range(2)], axis=1),
    )


def plant(dials: Dials, drawn: Drawn, second_site: NDArray[np.bool_]) -> PlantedCohort:
    """Give the patients their log-hazard, their arm and what their records hold.

    Args:
        dials: Strengths.
        drawn: The patients.
        second_site: (n,) True at the second site, whose population may be another.
    """
    clinical = at_second_site(drawn.clinical, second_site, dials.population_shift)
    text, lesions = drawn.text, drawn.lesions
    hazard = lesion_hazard(lesions, dials)
    clinical_score = standardised(np.sum(list(clinical.contributions("progression").values()), axis=0))
    if dials.confounded_by_record:  # what is absent moves nobody's choice: absence comes before the arm
        nobody = np.full(len(clinical_score), ARMS[0])
        before = hazard_parts("progression", dials, clinical, text, hazard, nobody)
        has_text, has_imaging = _present(dials, drawn, before, clinical_score)
        in_films = dials.confounding_by_imaging * hazard.burden.sum(axis=1) * has_imaging
        in_notes = dials.confounding_by_text * text.standard(ARM_FINDING) * has_text
        sent = dials.confounding * clinical_score + in_films + in_notes
    else:
        sent = dials.confounding * clinical_score
    chance = with_share(sent, 1.0, MEAN_TREATED)
    treated = drawn.arm < chance
    arm = np.where(treated, ARMS[1], ARMS[0])
    parts = {cause: hazard_parts(cause, dials, clinical, text, hazard, arm) for cause in CAUSES}
    if not dials.confounded_by_record:
        has_text, has_imaging = _present(dials, drawn, parts["progression"], clinical_score)
    given = {"treated": treated, "text": has_text, "imaging": has_imaging}
    values = true_values(
        dials, clinical, text, hazard, {name: each.astype(np.float64) for name, each in given.items()}
    )
    return PlantedCohort(clinical, text, lesions, hazard, chance, arm, has_text, has_imaging, parts, values)


def _present(
    dials: Dials, drawn: Drawn, parts: HazardParts, clinical_score: Vector
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) whether each patient has notes, and films."""
    score = (
        dials.missing_informative * standardised(parts.full()) + dials.missing_by_clinical * clinical_score
    )
    shares = dials.notes_absent, dials.imaging_absent
    notes, films = (drawn.absent[:, at] >= with_share(score, 1.0, each) for at, each in enumerate(shares))
    return notes, films


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
    treated = arm == ARMS[1]
    burden = hazard.burden.sum(axis=1)
    return HazardParts(
        clinical=scale * dials.clinical_signal * np.sum(list(clinical.contributions(cause).values()), axis=0),
        text=scale * dials.text_signal * np.sum(list(text.contributions(cause).values()), axis=0),
        imaging=scale * dials.imaging_signal * hazard.by_zone[cause].sum(axis=1),
        interaction=scale * dials.interaction * crp * burden,
        arm=scale * ((dials.arm_effect + dials.arm_modifier * crp) * treated),
        arm_text=scale * dials.arm_by_text * text.standard(ARM_FINDING) * treated,
        arm_imaging=scale * dials.arm_by_imaging * burden * treated,
    )
