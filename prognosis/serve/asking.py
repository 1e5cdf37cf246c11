"""A patient's record and score, each in its turn."""

from __future__ import annotations

from dataclasses import dataclass

from prognosis.errors import AbsentError
from prognosis.record import PatientRecord
from prognosis.serve.pseudonyms import OURS
from prognosis.serve.reading import Chart
from prognosis.serve.scores import Kept
from prognosis.serve.service import Service


@dataclass(frozen=True, slots=True)
class Held:
    """What the service's own sources have of a patient.

    Attributes:
        record: As they were last read.
        kept: The score made of this very record as it is known now; None where there is none yet.
    """

    record: PatientRecord
    kept: Kept | None


async def held(service: Service, patient: str, site: str | None) -> Held:
    """A patient's record from the service's own sources, with its score if there is one: in one turn.

    Raises:
        AbsentError: There is none.
        InputError: The source cannot be read, the record is empty, or two sites have the id.
        BusyError: As many requests wait as may.
    """

    def found() -> Held | None:
        record = service.records.find(patient, site)
        return None if record is None else Held(record, service.scorer.kept(Chart(record)))

    one = await service.reading.run(found)
    if one is None:
        raise AbsentError("the patient", "is not in the sources of this service", "check the id and the site")
    return one


async def scored_of(service: Service, one: Held) -> Kept:
    """The score of a record that is held: the one that there is, or a new one.

    Raises:
        BusyError: As many requests wait as may.
    """
    if one.kept is not None:
        return one.kept
    return await service.scoring.run(lambda: service.scorer.score(Chart(one.record)))


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
