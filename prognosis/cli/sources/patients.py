"""The patients of sources, for a service that is asked about one at a time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence

from prognosis.cli.sources.refreshing import FULL_EVERY_S, Refreshed
from prognosis.cohort import Task
from prognosis.errors import InputError
from prognosis.record import PatientRecord, Quarantine


class SourcePatients:
    """All patients of some sources, as they were when the sources were last read.

    The records are held in memory (references to images, not images), so a question about one patient costs
    no reading; `every` reads the sources again. Where they cannot be read the former records stay, and the
    error is raised.

    Args:
        uris: Names of sources.
        task: Says what a table's columns mean.
        read: Whether they are read at once.
        full_every_s: Seconds after which everything is read, though a source could say what changed.

    Raises:
        SourceError: A source cannot be read.
    """

    def __init__(
        self, uris: Sequence[str], task: Task, *, read: bool = True, full_every_s: float = FULL_EVERY_S
    ) -> None:
        self._sources = Refreshed(uris, task, full_every_s)
        self.quarantine = Quarantine()
        self._lock = threading.Lock()
        self._by_id: dict[str, list[PatientRecord]] = {}
        if read:
            self._read()

    def find(self, patient: str, site: str | None) -> PatientRecord | None:
        """The record of a patient; None where there is none.

        Raises:
            InputError: More than one site has the id and none is named.
        """
        found = [each for each in self._by_id.get(patient, ()) if site in (None, each.site)]
        if len(found) > 1:
            raise InputError("the patient", "is at more than one site", "name the site")
        return found[0] if found else None

    def every(self) -> Iterator[PatientRecord]:
        """Each patient once, as the sources have them now.

        Raises:
            SourceError: A source cannot be read.
        """
        return iter(self._read())

    def held(self) -> Iterator[PatientRecord]:
        """Each patient once, as last read."""
        return (record for records in list(self._by_id.values()) for record in records)

    def _read(self) -> tuple[PatientRecord, ...]:
        with self._lock:
            quarantine = Quarantine()
            records = self._sources.read(quarantine)
            by_id: dict[str, list[PatientRecord]] = defaultdict(list)
            for record in records:
                by_id[record.patient_id].append(record)
            self._by_id, self.quarantine = dict(by_id), quarantine
        return records
