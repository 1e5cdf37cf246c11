"""Planted quantities in laboratory values and conditions, and the log-hazard that they carry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.record import Code
from prognosis.simulate.dials import Dials
from prognosis.simulate.standard import Vector, standard_indicator, unit_weights

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"

LUNG_DISEASE_PREVALENCE = 0.25
_AGE_MEAN, _AGE_SPREAD = 65.0, 9.0
_OLDEST = 92.0
_WEIGHTS = {
    "progression": unit_weights(
        {"crp": 0.50, "ldh": 0.50, "albumin": -0.45, "hemoglobin": -0.35, "lung disease": 0.40}
    ),
    "death": unit_weights(
        {"crp": 0.30, "ldh": 0.20, "albumin": -0.55, "hemoglobin": -0.25, "lung disease": 0.35, "age": 0.50}
    ),
}
PLANTED_QUANTITIES = ("crp", "albumin", "ldh", "hemoglobin", "lung disease", "age")


@dataclass(frozen=True, slots=True)
class Assay:
    """One laboratory quantity and how it varies over patients and visits.

    A value is centre + spread * (own + change * visits since the first), exponentiated where `logarithmic`.
    With `planted` "level", own is the planted standard variable; with "trend", change is; the rest is chance.

    Attributes:
        codes: (first site's, second site's) LOINC code; habits differ for some quantities.
        factor: What the second site's value is multiplied by, for its unit.
        units: (first site's, second site's) UCUM unit.
        detection_limit: Below it only "<" and the limit are reported.
    """

    name: str
    display: str
    codes: tuple[Code, Code]
    units: tuple[str, str]
    centre: float
    spread: float
    planted: str = ""
    logarithmic: bool = False
    factor: float = 1.0
    decimals: int = 0
    detection_limit: float | None = None


def _same(value: str) -> tuple[Code, Code]:
    return Code(LOINC, value), Code(LOINC, value)


ASSAYS = (
    Assay("crp", "C reactive protein", _same("1988-5"), ("mg/L", "mg/L"), 2.3, 0.8, "level",
          logarithmic=True, decimals=1, detection_limit=2.0),
    Assay("albumin", "Albumin", _same("1751-7"), ("g/dL", "g/dL"), 3.8, 0.4, "level", decimals=2),
    Assay("ldh", "Lactate dehydrogenase", _same("2532-0"), ("U/L", "U/L"), 230.0, 28.0, "trend"),
    Assay("hemoglobin", "Hemoglobin", _same("718-7"), ("g/dL", "g/dL"), 12.8, 0.9, "trend", decimals=1),
    Assay("sodium", "Sodium", _same("2951-2"), ("mmol/L", "mmol/L"), 139.0, 2.6),
    Assay("potassium", "Potassium", _same("2823-3"), ("mmol/L", "mmol/L"), 4.2, 0.4, decimals=1),
    Assay("creatinine", "Creatinine", (Code(LOINC, "2160-0"), Code(LOINC, "14682-9")), ("mg/dL", "umol/L"),
          -0.1, 0.22, logarithmic=True, factor=88.42, decimals=2),
    Assay("glucose", "Glucose", (Code(LOINC, "2345-7"), Code(LOINC, "14749-6")), ("mg/dL", "mmol/L"),
          4.65, 0.2, logarithmic=True, factor=1.0 / 18.016, decimals=1),
    Assay("platelets", "Platelets", _same("777-3"), ("10*3/uL", "10*3/uL"), 245.0, 60.0),
    Assay("alt", "Alanine aminotransferase", _same("1742-6"), ("U/L", "U/L"), 3.2, 0.4, logarithmic=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One condition with the code that each site writes for it, and its share of patients."""

    name: str
    display: str
    codes: tuple[Code, Code]
    prevalence: float


LUNG_DISEASE = Diagnosis(
    "lung disease",
    "Chronic obstructive pulmonary disease",
    (Code(SNOMED, "13645005"), Code(ICD10, "J44.9")),
    LUNG_DISEASE_PREVALENCE,
)
OTHER_DIAGNOSES = (
    Diagnosis("hypertension", "Hypertension", (Code(SNOMED, "38341003"), Code(ICD10, "I10")), 0.45),
    Diagnosis("diabetes", "Type 2 diabetes", (Code(SNOMED, "44054006"), Code(ICD10, "E11.9")), 0.20),
    Diagnosis("arthrosis", "Osteoarthritis", (Code(SNOMED, "396275006"), Code(ICD10, "M19.90")), 0.15),
)


@dataclass(frozen=True, slots=True)
class ClinicalDraw:
    """What each of n patients is like before anything is measured.

    Attributes:
        planted: Name to (n,) standard variables that the hazard depends on.
        lung_disease: (n,) True with chronic obstructive pulmonary disease.
        age_years: (n,) at the index.
        female: (n,) sex, which the hazard does not depend on.
    """

    planted: dict[str, Vector]
    lung_disease: NDArray[np.bool_]
    age_years: Vector
    female: NDArray[np.bool_]

    def contributions(self, cause: str) -> dict[str, Vector]:
        """Each planted quantity's part of a cause's log-hazard; the sum over them has unit variance."""
        return {name: weight * self.planted[name] for name, weight in _WEIGHTS[cause].items()}


def draw_clinical(patients: int, random: np.random.Generator) -> ClinicalDraw:
    """Draw the planted quantities, which are independent of one another."""
    planted = {assay.name: random.standard_normal(patients) for assay in ASSAYS if assay.planted}
    lung_disease = random.random(patients) < LUNG_DISEASE_PREVALENCE
    age = np.clip(random.normal(_AGE_MEAN, _AGE_SPREAD, patients), 30.0, _OLDEST)
    planted["lung disease"] = standard_indicator(lung_disease, LUNG_DISEASE_PREVALENCE)
    planted["age"] = (age - _AGE_MEAN) / _AGE_SPREAD
    return ClinicalDraw(planted, lung_disease, age, random.random(patients) < 0.5)


def at_second_site(draw: ClinicalDraw, second_site: NDArray[np.bool_], shift: float) -> ClinicalDraw:
    """The draw with the second site's population moved: older, C reactive protein higher, albumin lower.

    Args:
        draw: As at the first site.
        second_site: (n,) True at the second site.
        shift: In standard deviations.
    """
    if shift == 0.0:
        return draw
    moved = shift * second_site
    age_years = np.clip(draw.age_years + _AGE_SPREAD * moved, 18.0, _OLDEST)
    planted = {
        **draw.planted,
        "crp": draw.planted["crp"] + moved,
        "albumin": draw.planted["albumin"] - moved,
        "age": (age_years - _AGE_MEAN) / _AGE_SPREAD,
    }
    return replace(draw, planted=planted, age_years=age_years)


def draw_values(
    assay: Assay, planted: Vector, visit_days: Vector, dials: Dials, random: np.random.Generator
) -> Vector:
    """Values of one assay in the first site's unit.

    Args:
        assay: What is measured.
        planted: (n,) the planted standard variable; not read where nothing is planted.
        visit_days: (n, visits) days from the index, at most 0.
        dials: How noisy results are.
        random: The source of chance.

    Returns:
        (n, visits) positive values, before rounding and detection limits.
    """
    visits = visit_days.shape
    noise = dials.laboratory_noise * random.standard_normal(visits)
    own = random.standard_normal((visits[0], 1))
    if assay.planted == "level":
        wander = np.where(visit_days < 0.0, 0.6, 0.0) * random.standard_normal(visits)
        standard = planted[:, None] * np.where(visit_days < 0.0, 0.8, 1.0) + wander + noise
    elif assay.planted == "trend":
        standard = own + planted[:, None] * (visit_days + 180.0) / 90.0 + noise
    else:
        standard = own + 0.4 * random.standard_normal(visits)
    value = assay.centre + assay.spread * standard
    return np.exp(value) if assay.logarithmic else np.maximum(value, 0.1 * assay.centre)
