"""One simulated patient's chart: encounters, results, conditions and medications as coded events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from prognosis.record import Code, Event
from prognosis.simulate.clinical import LUNG_DISEASE, OTHER_DIAGNOSES, Assay, Diagnosis

SIMULATE = "urn:prognosis:simulate"
PROGRESSION = Code(SIMULATE, "disease-progression")
ARM_CODES = {
    "standard": Code(SIMULATE, "standard-treatment"),
    "intensified": Code(SIMULATE, "intensified-treatment"),
}
DEATH = Code("MEDS", "MEDS_DEATH")
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
BASELINE_MEDICATIONS = (
    (Code(_RXNORM, "83367"), "Atorvastatin"),
    (Code(_RXNORM, "6809"), "Metformin"),
    (Code(_RXNORM, "435"), "Albuterol"),
    (Code(_RXNORM, "29046"), "Lisinopril"),
)
# The index visit's facts are known before the encounter that is the index begins.
RESULT_LEAD = timedelta(hours=2)
NOTE_LEAD = timedelta(hours=1)
FILM_LEAD = timedelta(hours=3)


@dataclass(slots=True)
class Chart:
    """Collects one patient's events and gives each resource an id of its own.

    Attributes:
        patient_id: Also the start of every resource's id.
        site: 0 or 1; which of two codes and units is written.
        index_time: When the question is asked.
        events: What has been written so far.
    """

    patient_id: str
    site: int
    index_time: datetime
    events: list[Event] = field(default_factory=list)

    def at(self, days: float) -> datetime:
        """The time that lies some days from the index, to the second."""
        return self.index_time + timedelta(seconds=round(days * 86_400.0))

    def encounter(self, kind: str, start: datetime, end: datetime) -> None:
        """Write an encounter as the two events that it is: its start and its end."""
        count = sum(event.code.system == "encounter-start" for event in self.events)
        source = f"Encounter/{self.patient_id}-enc-{count}"
        display = {"IMP": "inpatient encounter", "AMB": "ambulatory encounter"}[kind]
        self._write(start, Code("encounter-start", kind), source, display)
        self._write(end, Code("encounter-end", kind), source, display)

    def result(self, assay: Assay, visit: int, time: datetime, value: float) -> None:
        """Write a laboratory result in the site's unit, cut off at the assay's limit."""
        limit = assay.detection_limit
        below = limit is not None and value < limit
        number = limit if below and limit is not None else value
        number = round(number * (assay.factor if self.site else 1.0), assay.decimals)
        self.events.append(
            Event(
                time=time,
                code=assay.codes[self.site],
                number=number,
                comparator="<" if below else None,
                unit=assay.units[self.site],
                source=f"Observation/{self.patient_id}-{assay.name}-{visit}",
                display=assay.display,
            )
        )

    def condition(self, diagnosis: Diagnosis, time: datetime) -> None:
        """Write a condition under the code that the site uses for it."""
        source = f"Condition/{self.patient_id}-{diagnosis.name.replace(' ', '-')}"
        self._write(time, diagnosis.codes[self.site], source, diagnosis.display)

    def medication(self, code: Code, display: str, time: datetime) -> None:
        """Write a medication request."""
        self._write(time, code, f"MedicationRequest/{self.patient_id}-{code.value}", display)

    def progression(self, time: datetime) -> None:
        """Write the outcome."""
        source = f"Condition/{self.patient_id}-progression"
        self._write(time, PROGRESSION, source, "disease progression")

    def death(self, time: datetime) -> None:
        """Write the death, which a patient's own resource states."""
        self._write(time, DEATH, f"Patient/{self.patient_id}", "death")

    def _write(self, time: datetime, code: Code, source: str, display: str) -> None:
        self.events.append(Event(time=time, code=code, source=source, display=display))


def write_history(
    chart: Chart, visit_days: tuple[float, ...], random: np.random.Generator, *, lung_disease: bool
) -> None:
    """Write what precedes the index: visits, long-standing conditions, a medication."""
    first = chart.at(visit_days[0])
    for days in visit_days[:-1]:
        end = chart.at(days) - timedelta(minutes=30)
        chart.encounter("AMB", end - timedelta(hours=4), end)
    for diagnosis in (LUNG_DISEASE, *OTHER_DIAGNOSES):
        chance = random.random()
        if lung_disease if diagnosis is LUNG_DISEASE else chance < diagnosis.prevalence:
            chart.condition(diagnosis, first - timedelta(hours=float(np.ceil(24 * 100 * random.random()))))
    code, display = BASELINE_MEDICATIONS[int(random.integers(len(BASELINE_MEDICATIONS)))]
    chart.medication(code, display, first - timedelta(hours=1))


def write_course(chart: Chart, arm: str, progression_days: float, death_days: float, end_days: float) -> None:
    """Write the index and what follows it: the stay, the arm, the outcome and the last contact.

    Args:
        chart: To write into.
        arm: The treatment begun at the index.
        progression_days: Days to progression; infinite where none was seen.
        death_days: Days to death; infinite where none was seen.
        end_days: Days to the last contact.
    """
    stay = min(4.0, 0.5 * end_days)
    chart.encounter("IMP", chart.index_time, chart.at(stay))
    chart.medication(ARM_CODES[arm], f"{arm} treatment", chart.index_time)
    if np.isfinite(progression_days):
        chart.progression(chart.at(progression_days))
    if np.isfinite(death_days):
        chart.death(chart.at(death_days))
    else:
        chart.encounter("AMB", chart.at(end_days) - timedelta(minutes=30), chart.at(end_days))
