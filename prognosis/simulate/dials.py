"""The dials of a simulated cohort: how strong each signal is, how much is missing, how much misleads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from prognosis.errors import ConfigError

_SHARES = (
    "growth_share",
    "imaging_absent",
    "notes_absent",
    "results_absent",
    "negations",
    "copied_forward",
    "censored",
    "death_share",
    "second_site",
    "coding_shift",
)
_NOT_REACHED = (("censored", 0.0), ("censored", 1.0), ("death_share", 1.0))
# Far beyond what is met in patients; with all of them at once every true incidence is still finite.
_RANGES = {
    **dict.fromkeys(_SHARES, (0.0, 1.0)),
    "clinical_signal": (0.0, 5.0),
    "text_signal": (0.0, 5.0),
    "imaging_signal": (0.0, 5.0),
    "interaction": (-5.0, 5.0),
    "death_signal": (0.0, 3.0),
    "growth_mm": (0.0, 100.0),
    "missing_informative": (-5.0, 5.0),
    "missing_by_clinical": (-5.0, 5.0),
    "laboratory_noise": (0.0, 20.0),
    "population_shift": (-3.0, 3.0),
    "scanner_shift": (0.0, 2.0),
    "arm_effect": (-5.0, 5.0),
    "arm_modifier": (-5.0, 5.0),
    "arm_by_text": (-5.0, 5.0),
    "arm_by_imaging": (-5.0, 5.0),
    "confounding": (-5.0, 5.0),
    "confounding_by_imaging": (-5.0, 5.0),
    "confounding_by_text": (-5.0, 5.0),
}


@dataclass(frozen=True, slots=True)
class Dials:
    """What a simulated cohort is made of; the defaults are those to which results are compared.

    Every dial is finite and in a range: those of log-hazards and of log-odds are at most 5 in size,
    `death_signal` and `population_shift` at most 3, `laboratory_noise` at most 20, `growth_mm` at most 100.

    Attributes:
        patients: Number of patients.
        clinical_signal: Standard deviation over patients of the log-hazard planted in laboratory values and
            conditions.
        text_signal: The same of the log-hazard planted in sentences.
        imaging_signal: The same of the log-hazard planted in lesions.
        interaction: Log-hazard of the one planted interaction when the burden of lesions and C reactive
            protein are both one standard deviation above their means.
        death_signal: Death's log-hazards as a multiple of progression's.
        growth_share: Share from 0 to 1 of the imaging log-hazard's weight that is growth over the last
            90 days and not present burden.
        growth_mm: Mean growth of a lesion's diameter in 90 days, in mm.
        imaging_absent: Share of patients without any film.
        notes_absent: Share of patients without any note.
        missing_informative: Change in the log-odds of absence for one standard deviation more of the
            patient's whole log-hazard, what is absent included: negative, the sicker are the better
            documented; 0, absence does not depend on it.
        missing_by_clinical: The same for the clinical log-hazard alone: absence at random, given what is
            there.
        results_absent: Share of laboratory results missing at random.
        laboratory_noise: Standard deviation of a result's noise, as a multiple of the planted quantity's own.
        negations: Share of notes that deny a finding which does not hold.
        copied_forward: Share of notes that carry a sentence from an earlier note which no longer holds; no
            note does both.
        censored: Share of patients whose follow-up ends before any event, above 0 and below 1.
        death_share: Share of deaths among first events, below 1; 0 leaves one death.
        second_site: Share of patients at the second site.
        coding_shift: Share of the second site's patients whose chart is written in its own codes and units.
        population_shift: Standard deviations by which the second site's patients are older, have a higher C
            reactive protein and a lower albumin.
        scanner_shift: How far the second site's scanner is from the first's: 0, the same one; 1, computed
            radiography beside a direct detector; up to 2, further along the same line.
        arm_effect: Log-hazard ratio of the intensified against the standard arm.
        arm_modifier: What C reactive protein adds to `arm_effect`, for one standard deviation.
        arm_by_text: What one finding of the note, `ARM_FINDING` of `prognosis.simulate.sentences`, adds to
            `arm_effect`, for one standard deviation.
        arm_by_imaging: What the burden of lesions adds to `arm_effect`, for one standard deviation.
        confounding: Change in the log-odds of the intensified arm for one standard deviation more of the
            clinical log-hazard; with the next two at 0 as well, 0 makes the arm randomised.
        confounding_by_imaging: The same for one standard deviation more of the burden of lesions, in
            patients who have films.
        confounding_by_text: The same for one standard deviation more of `ARM_FINDING`, in patients who have
            notes.

    Raises:
        ConfigError: A dial is out of its range.
    """

    patients: int = 1500
    clinical_signal: float = 0.90
    text_signal: float = 0.95
    imaging_signal: float = 0.95
    interaction: float = 0.38
    death_signal: float = 0.8
    growth_share: float = 0.3
    growth_mm: float = 2.0
    imaging_absent: float = 0.30
    notes_absent: float = 0.30
    missing_informative: float = -0.4
    missing_by_clinical: float = 0.0
    results_absent: float = 0.08
    laboratory_noise: float = 0.25
    negations: float = 0.25
    copied_forward: float = 0.25
    censored: float = 0.40
    death_share: float = 0.25
    second_site: float = 0.40
    coding_shift: float = 1.0
    population_shift: float = 0.0
    scanner_shift: float = 1.0
    arm_effect: float = -0.35
    arm_modifier: float = 0.0
    arm_by_text: float = 0.0
    arm_by_imaging: float = 0.0
    confounding: float = 0.5
    confounding_by_imaging: float = 0.0
    confounding_by_text: float = 0.0

    def __post_init__(self) -> None:
        if self.patients < 1:
            raise _out_of_range("patients", self.patients, "at least 1")
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:  # NaN is in no range
                raise _out_of_range(name, getattr(self, name), f"a number from {low:g} to {high:g}")
        for name, excluded in _NOT_REACHED:
            if getattr(self, name) == excluded:
                raise _out_of_range(name, excluded, f"a share other than {excluded:g}, which no hazard gives")
        if self.decoys > 1.0:
            raise _out_of_range("negations + copied_forward", self.decoys, "at most 1")

    @property
    def confounded_by_record(self) -> bool:
        """True where films or notes move the choice of an arm."""
        return bool(self.confounding_by_imaging or self.confounding_by_text)

    @property
    def decoys(self) -> float:
        """Share of notes with a sentence that misleads."""
        return self.negations + self.copied_forward

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Dials:
        """The defaults with some dials set.

        Raises:
            ConfigError: A name is not a dial's, or a value is not a number in its range.
        """
        known = {field.name for field in fields(cls)}
        for name, value in settings.items():
            if name not in known:
                raise ConfigError(f"dial {name}", "does not exist", f"set one of {', '.join(sorted(known))}")
            kind = int if name == "patients" else int | float
            if not isinstance(value, kind) or isinstance(value, bool):
                raise _out_of_range(name, value, "a whole number" if name == "patients" else "a number")
        return cls(**settings)


def _out_of_range(name: str, value: object, wanted: str) -> ConfigError:
    return ConfigError(f"dial {name}", f"is {value}", f"give {wanted}")
