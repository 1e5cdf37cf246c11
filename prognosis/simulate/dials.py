"""The dials of a simulated cohort: how strong each signal is, how much is missing, how much misleads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dials:
    """What a simulated cohort is made of; the defaults are those to which results are compared.

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
            patient's log-hazard: negative, the sicker are the better documented; 0, absence is at random.
        results_absent: Share of laboratory results missing at random.
        laboratory_noise: Standard deviation of a result's noise, as a multiple of the planted quantity's own.
        decoys: Share of notes with a sentence that misleads: a negated finding, or one copied forward from
            an earlier note that no longer holds.
        censored: Share of patients whose follow-up ends before any event.
        death_share: Share of deaths among first events.
        second_site: Share of patients at the second site, with its other scanner and its other codes.
        arm_effect: Log-hazard ratio of the intensified against the standard arm.
        arm_modifier: What C reactive protein adds to `arm_effect`, for one standard deviation.
        confounding: Change in the log-odds of the intensified arm for one standard deviation more of the
            clinical log-hazard; 0 makes the arm randomised.
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
    results_absent: float = 0.08
    laboratory_noise: float = 0.25
    decoys: float = 0.5
    censored: float = 0.40
    death_share: float = 0.25
    second_site: float = 0.40
    arm_effect: float = -0.35
    arm_modifier: float = 0.0
    confounding: float = 0.5
