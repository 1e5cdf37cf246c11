"""What is known of a simulated cohort because it was made: each patient's hazard and where it was planted.

Two oracles judge a model. The full one knows everything; the observed one knows the planted parts of what a
patient's record holds, and the population's mean of what it lacks, which is all that any model could know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.simulate.hazard import HazardParts
from prognosis.simulate.standard import CAUSES, Vector
from prognosis.simulate.true_values import TrueValues
from prognosis.survival.concordance import harrell_c


@dataclass(frozen=True, slots=True)
class PlantedCause:
    """One piece of a patient's record that was given a log-hazard.

    Attributes:
        modality: "clinical", "text" or "imaging".
        source: A code as "system|value", "DocumentReference/<id>", or "ImagingStudy/<uid>".
        place: The sentence within the note, or the zone within the study; "" for a code.
        contribution: Cause to its true Shapley value, a log-hazard relative to the population's mean; see
            `prognosis.simulate.true_values`.
    """

    modality: str
    source: str
    place: str
    contribution: dict[str, float]


@dataclass(frozen=True, slots=True)
class Oracle:
    """The truth about n simulated patients, in the order of `patient_ids`.

    Attributes:
        patient_ids: (n,) as in the records; unique over sites.
        parts: Cause to its planted log-hazard by modality.
        has_text: (n,) True where the record holds notes.
        has_imaging: (n,) True where the record holds films.
        chance_of_intensified: (n,) with which the arm was drawn.
        arm: (n,) "standard" or "intensified".
        days: (n,) to the first event or the end of follow-up.
        cause: (n,) 0 censored, 1 progression, 2 death.
        horizons_days: Horizons of the incidences.
        incidence: Cause to (n, H) true probability of coming first by each horizon.
        incidence_by_arm: Arm to (n, H): progression's, had the patient been given that arm.
        survival_by_arm: Arm to (n, H): probability of no event at all by each horizon, under that arm.
        mean_days_by_arm: Arm to (n, H): mean days without an event until each horizon, under that arm.
        kept_days_by_arm: Arm to (n, H): mean days until each horizon that progression does not take, under
            that arm; a death that comes first takes none.
        effect: Cause to (n,) true log-hazard ratio of the intensified against the standard arm.
        observed_effect: The same, as far as the record lets it be known: what changes it in a modality that
            is absent stands at the population's mean.
        planted: For each patient, what the hazard was planted in and the record states; only of modalities
            that are present.
        true_values: Shapley values of everything that the observed log-hazard was planted in, stated or not.
    """

    patient_ids: tuple[str, ...]
    parts: dict[str, HazardParts]
    has_text: NDArray[np.bool_]
    has_imaging: NDArray[np.bool_]
    chance_of_intensified: Vector
    arm: NDArray[np.str_]
    days: Vector
    cause: NDArray[np.int64]
    horizons_days: tuple[float, ...]
    incidence: dict[str, Vector]
    incidence_by_arm: dict[str, Vector]
    survival_by_arm: dict[str, Vector]
    mean_days_by_arm: dict[str, Vector]
    kept_days_by_arm: dict[str, Vector]
    effect: dict[str, Vector]
    observed_effect: dict[str, Vector]
    planted: tuple[tuple[PlantedCause, ...], ...]
    true_values: TrueValues

    def __len__(self) -> int:
        return len(self.patient_ids)

    def full(self, cause: str = "progression") -> Vector:
        """(n,) the whole planted log-hazard; higher is worse."""
        return self.parts[cause].full()

    def observed(self, cause: str = "progression") -> Vector:
        """(n,) the log-hazard that the record's contents allow to be known; higher is worse."""
        return self.parts[cause].observed(self.has_text, self.has_imaging)

    def rows(self, patient_ids: Sequence[str]) -> NDArray[np.intp]:
        """Where patients stand in the oracle's arrays.

        Raises:
            CohortError: A patient is not of this simulation.
        """
        place = {patient_id: row for row, patient_id in enumerate(self.patient_ids)}
        missing = [patient_id for patient_id in patient_ids if patient_id not in place]
        if missing:
            raise CohortError(
                f"oracle of {len(self)} patients",
                f"does not know {len(missing)} of the patients asked about",
                "use the oracle that was written with this cohort",
            )
        return np.array([place[patient_id] for patient_id in patient_ids], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class OracleConcordance:
    """Harrell's C of what was planted, a competing event ending the time at risk.

    Attributes:
        full: Of the whole planted log-hazard.
        observed: Of what the records allow to be known.
        clinical: Of the clinical part alone, over all patients.
        text: Of the text part alone, over patients with notes.
        imaging: Of the imaging part alone, over patients with films.
    """

    full: float
    observed: float
    clinical: float
    text: float
    imaging: float


def oracle_concordance(
    oracle: Oracle,
    days: Vector | None = None,
    event: NDArray[np.int64] | None = None,
    *,
    cause: str = "progression",
    rows: NDArray[np.intp] | None = None,
) -> OracleConcordance:
    """The discrimination that is there to be reached.

    Args:
        oracle: The truth.
        days: (m,) follow-up of the patients at `rows`; the simulated one where not given.
        event: (m,) 0 censored, 1 progression, 2 death, likewise.
        cause: The cause asked about.
        rows: Patients to judge by, e.g. the held-out ones, from `Oracle.rows`; all where not given.

    Raises:
        CohortError: No two patients can be compared.
    """
    rows = np.arange(len(oracle)) if rows is None else rows
    days = oracle.days[rows] if days is None else days
    event = oracle.cause[rows] if event is None else event
    parts = oracle.parts[cause]
    of_cause = CAUSES.index(cause) + 1

    def concordance(risk: Vector, among: NDArray[np.bool_] | None = None) -> float:
        keep = np.ones(len(rows), dtype=bool) if among is None else among[rows]
        return harrell_c(
            days[keep], event[keep], risk[rows][keep], of_cause=of_cause, competing="censored"
        ).value

    return OracleConcordance(
        full=concordance(oracle.full(cause)),
        observed=concordance(oracle.observed(cause)),
        clinical=concordance(parts.clinical),
        text=concordance(parts.text, oracle.has_text),
        imaging=concordance(parts.imaging, oracle.has_imaging),
    )
