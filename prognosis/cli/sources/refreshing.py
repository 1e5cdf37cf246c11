"""Sources that are read again and again: as a whole, or only what changed where they can tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prognosis.cli.sources.opening import open_sources
from prognosis.cli.sources.reading import Opened
from prognosis.cohort import Task
from prognosis.record import PatientRecord, Quarantine, RecordSource
from prognosis.record.source import ChangingSource

OVERLAP = timedelta(minutes=5)
"""Asked for once more at each reading: a server may show a resource some time after the time it gives it."""

FULL_EVERY_S = 6 * 3600.0
"""Between two readings of everything, which alone show what was deleted."""


@dataclass(slots=True)
class _Held:
    """What is known of one source.

    Attributes:
        records: As they are there.
        clock: The source's own time before they were read; None where it has none.
        full_at: When all of them were read (monotonic).
    """

    records: tuple[PatientRecord, ...]
    clock: datetime | None
    full_at: float


class Refreshed:
    """Records of sources that are read again.

    A source that knows what changed is asked for that, since a time of its own clock; pixels are joined anew
    each time, so that a study that has come to an archive since is found.

    Args:
        uris: Names of sources.
        task: Says what a table's columns mean.
        full_every_s: Seconds after which a source is read as a whole all the same; 0 for each time.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        uris: Sequence[str],
        task: Task,
        full_every_s: float = FULL_EVERY_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.uris = tuple(uris)
        self.task = task
        self.full_every_s = full_every_s
        self._monotonic = monotonic
        self._held: dict[str, _Held] = {}

    def read(self, quarantine: Quarantine) -> tuple[PatientRecord, ...]:
        """Every patient once, as the sources have them now.

        Raises:
            SourceError: A source cannot be read; what was held of it before stays for the next time.
        """
        opened = Opened.of(open_sources(self.uris, self.task))
        opened.look_for_pixels(quarantine)
        records: list[PatientRecord] = []
        for source in opened.givers:
            held = self._renewed(source, self._held.get(source.uri), quarantine)
            self._held[source.uri] = held
            records += held.records
        return opened.joined(records, quarantine)

    def _renewed(self, source: RecordSource, held: _Held | None, quarantine: Quarantine) -> _Held:
        now = self._monotonic()
        clock = source.clock() if isinstance(source, ChangingSource) else None
        due = held is None or held.clock is None or now - held.full_at >= self.full_every_s
        if held is not None and held.clock is not None and not due and isinstance(source, ChangingSource):
            changes = source.changes(held.clock - OVERLAP, quarantine)
            if changes is not None:
                kept = (each for each in held.records if each.patient_id not in changes.patient_ids)
                return _Held((*kept, *changes.records), clock or held.clock, held.full_at)
        return _Held(tuple(source.records(quarantine)), clock, now)
