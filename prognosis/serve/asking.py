"""A patient's record and score, each in its turn."""

from __future__ import annotations

from prognosis.errors import AbsentError
from prognosis.record import PatientRecord
from prognosis.serve.pseudonyms import OURS
from prognosis.serve.reading import Chart
from prognosis.serve.scores import Kept
from prognosis.serve.service import Service


async def record_of(service: Service, patient: str, site: str | None) -> PatientRecord:
    """A patient's record from the service's own sources.

    Raises:
        AbsentError: There is none.
        InputError: The source cannot be read, or two sites have the id.
        BusyError: As many requests wait as may.
    """
    record = await service.reading.run(lambda: service.records.find(patient, site))
    if record is None:
        raise AbsentError("the patient", "is not in the sources of this service", "check the id and the site")
    return record


async def scored(service: Service, chart: Chart, namespace: str = OURS) -> Kept:
    """The score of a record as it is known now: one made of the same record before, or a new one.

    Raises:
        InputError: The record is empty.
        BusyError: As many requests wait as may.
    """
    found = await service.reading.run(lambda: service.scorer.kept(chart, namespace))
    if found is not None:
        return found
    return await service.scoring.run(lambda: service.scorer.score(chart, namespace))
