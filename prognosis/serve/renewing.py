"""Scores made ahead: every patient's, again when the record has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice

from prognosis.errors import BusyError, InputError, PrognosisError
from prognosis.prediction.asking import latest_case
from prognosis.record import PatientRecord
from prognosis.serve.answers import score_case
from prognosis.serve.asking import scored
from prognosis.serve.reading import Chart, Records
from prognosis.serve.scorer import Scorer
from prognosis.serve.service import Service

log = logging.getLogger("prognosis.serve")

MOST_TRIED = 20
"""Records of which one is scored at the start: a model that can read none of them is ready to say so."""

LOOK_S = 1.0
"""Between two looks at whether something was notified."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """What one pass over all patients did.

    Attributes:
        made: Scores of records that are new, have changed, or are again what they were before.
        unchanged: Records that still say what their score was made from.
        refused: Records that cannot be scored.
    """

    made: int
    unchanged: int
    refused: int


def renew(scorer: Scorer, records: Records) -> Renewed:
    """Read every patient again, and score those whose record has changed.

    Raises:
        SourceError: A source cannot be read; the scores stay, and grow old.
    """
    began = scorer.now()
    made, refused = 0, 0
    unchanged = []
    for record in records.every():
        chart = Chart(record)
        try:
            found = scorer.kept(chart)
            if found is None:
                scorer.score(chart)
                made += 1
            elif scorer.put_last(found):
                made += 1
            else:
                unchanged.append(found.whose.patient)
        except InputError as error:
            refused += 1
            log.warning("a record cannot be scored (%s)", type(error).__name__)
    scorer.scores.looked(unchanged, scorer.model.model_id, began)
    return Renewed(made, len(unchanged), refused)


async def make_ready(service: Service) -> None:
    """Have the model answer once, for nobody: what it reads with is loaded by its first answer alone.

    That takes seconds, and more on a busy machine than a chart is held up for. A service that has no score
    yet is therefore not ready before; one that has some answers from them at once.
    """
    for record in list(islice(service.records.held(), MOST_TRIED)):
        try:
            await service.scoring.run(partial(answered_for_nobody, service.scorer, record))
            break
        except PrognosisError as error:
            log.warning("a record cannot be scored (%s)", type(error).__name__)
    service.ready = True


def answered_for_nobody(scorer: Scorer, record: PatientRecord) -> None:
    """Score a record and keep nothing of it."""
    score_case(scorer.model, latest_case(scorer.model.task, record.as_of(scorer.now())), "")


async def keep_current(service: Service, every_s: float | None) -> None:
    """Read the sources again when something was notified, and at intervals; ends when it is cancelled.

    Args:
        service: Whose sources.
        every_s: Seconds between two passes; None for notifications only.
    """
    known, waited = service.scores.notified(), 0.0
    while True:
        await asyncio.sleep(LOOK_S)
        waited += LOOK_S
        notified = service.scores.notified()
        if notified == known and (every_s is None or waited < every_s):
            continue
        known, waited = notified, 0.0
        try:
            records = await service.reading.run(lambda: list(service.records.every()))
        except PrognosisError as error:
            log.warning("the sources cannot be read (%s); the former records stay", type(error).__name__)
        else:
            await warm(service, records)


async def warm(service: Service, records: Iterable[PatientRecord]) -> Renewed:
    """Score records between the requests of clients, who go first where the queue is full."""
    began = service.now()
    made, refused = 0, 0
    unchanged = []
    for record in records:
        chart = Chart(record)
        try:
            found = service.scorer.kept(chart)
            if found is not None and not service.scorer.put_last(found):
                unchanged.append(found.whose.patient)
                continue
            while service.scoring.taken:
                await asyncio.sleep(0.01)
            if found is None:
                await scored(service, chart)
            made += 1
        except BusyError:
            refused += 1
        except PrognosisError as error:
            refused += 1
            log.warning("a record cannot be scored (%s)", type(error).__name__)
        await asyncio.sleep(0)
    service.scores.looked(unchanged, service.model.model_id, began)
    log.info("scores made ahead: %d made, %d unchanged, %d refused", made, len(unchanged), refused)
    return Renewed(made, len(unchanged), refused)
