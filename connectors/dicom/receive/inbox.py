"""The folder that pushed studies are kept in: instance by instance while they arrive, whole studies after.

DICOM has no word for the end of a study. One is taken for whole when every association that carried it was
released and nothing of it came for some seconds; then its folder moves, in one step, to where it is read.
What was interrupted (an association that broke off, a refusal for want of space, a receiver that was killed)
is held back until its sender has sent it again to a proper end. So no reader ever sees a study in part.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from connectors.dicom.arriving import ARRIVING
from connectors.dicom.header import Header, read_header
from connectors.dicom.receive.claim import claim_folder
from prognosis.errors import StudyError
from prognosis.record import Quarantine

SUCCESS = 0x0000
DUPLICATE = 0x0111
OUT_OF_RESOURCES = 0xA700
OTHER_OBJECT = 0xA900
NOT_UNDERSTOOD = 0xC000
"""Statuses of C-STORE (PS3.4 table B.2-1, PS3.7 annex C)."""

QUARANTINE = ".quarantine"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the folder may cost.

    Attributes:
        largest_bytes: Of one instance.
        free_bytes: What is left free on the disk.
        quiet_seconds: Without an instance of a study, after which it is whole.
    """

    largest_bytes: int = 512 * 2**20
    free_bytes: int = 2**30
    quiet_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class WholeStudy:
    """A study that came to its end.

    Attributes:
        study_uid: Which.
        instances: How many came since the last time that it was whole.
        folder: Where they are.
    """

    study_uid: str
    instances: int
    folder: Path


@dataclass(slots=True)
class _Arriving:
    """One study on its way; `interrupted` is the number of the event that broke it off, 0 where none did."""

    last: float
    carriers: set[int] = field(default_factory=set)
    interrupted: int = 0


class Inbox:
    """Takes instances from associations, and hands on whole studies. Safe to use from several threads.

    Args:
        folder: New, empty, or one that a receiver kept before; no other program may write to it.
        bounds: What it may cost.
        clock: Seconds that only grow.

    Raises:
        SourceError: The folder cannot be written, or another receiver keeps it.
    """

    def __init__(self, folder: Path, bounds: Bounds, clock: Callable[[], float]) -> None:
        self.folder = Path(folder)
        self.bounds = bounds
        self.counts: Counter[str] = Counter()
        self.quarantine = Quarantine()
        self._clock = clock
        self._lock = threading.Lock()
        self._studies: dict[str, _Arriving] = {}
        self._carried: dict[int, tuple[int, set[str]]] = {}
        self._events = 0
        self._place = self.folder / ARRIVING
        self._claimed = claim_folder(self.folder, self._place)
        self._known = {path.stem: path for path in self._instances()}
        self._take_up()

    def close(self) -> None:
        """Let another receiver have the folder."""
        self._claimed.close()

    def opened(self, association: int) -> None:
        """An association begins."""
        with self._lock:
            self._events += 1
            self._carried[association] = (self._events, set())

    def closed(self, association: int, *, released: bool) -> None:
        """An association ends: properly, or broken off in what may be the middle of its studies."""
        with self._lock:
            self._events += 1
            began, carried = self._carried.pop(association, (0, set()))
            for uid in carried & self._studies.keys():
                study = self._studies[uid]
                study.carriers.discard(association)
                if not released:
                    study.interrupted = self._events
                elif study.interrupted < began:
                    study.interrupted = 0
                if not study.carriers and not study.interrupted:
                    self._marker(uid).touch()

    def keep(self, association: int, instance_uid: str, content: bytes) -> int:
        """Keep one instance, on disk before this returns.

        Args:
            association: That brought it.
            instance_uid: As its sender names it.
            content: A Part 10 file.

        Returns:
            The status that its sender is answered with.
        """
        with self._lock:
            self.counts["received"] += 1
            name, status = self._kept(association, instance_uid, content)
            self.counts[name] += 1
            return status

    def settle(self) -> tuple[WholeStudy, ...]:
        """The studies that are whole by now, moved to where they are read."""
        with self._lock:
            now = self._clock()
            whole = [
                uid
                for uid, study in self._studies.items()
                if not study.carriers
                and not study.interrupted
                and now - study.last >= self.bounds.quiet_seconds
            ]
            return tuple(moved for uid in whole if (moved := self._moved(uid)) is not None)

    def waiting(self) -> tuple[int, int]:
        """How many studies are on their way, and how many of them were interrupted."""
        with self._lock:
            held = [study for study in self._studies.values() if study.interrupted and not study.carriers]
            return len(self._studies), len(held)

    def _kept(self, association: int, instance_uid: str, content: bytes) -> tuple[str, int]:
        """What became of an instance, and the status that says so."""
        reference = f"instance {self.counts['received']}"
        part = self._place / "instance.part"
        try:
            free = shutil.disk_usage(self._place).free
            if len(content) > self.bounds.largest_bytes or free - len(content) < self.bounds.free_bytes:
                return self._no_room(association)
            _write(part, content)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            return self._no_room(association)
        try:
            header = read_header(part, reference)
        except StudyError as error:
            return self._set_aside(part, error, NOT_UNDERSTOOD)
        if header is None:
            none = StudyError(reference, "holds no image", "send images only")
            return self._set_aside(part, none, NOT_UNDERSTOOD)
        if header.instance_uid != instance_uid:
            problem = "is another object than its sender says"
            return self._set_aside(part, StudyError(reference, problem, "send it again"), OTHER_OBJECT)
        return self._placed(association, part, header, content)

    def _placed(self, association: int, part: Path, header: Header, content: bytes) -> tuple[str, int]:
        uid, known = header.study_uid, self._known.get(header.instance_uid)
        if known is not None:
            part.unlink()
            same = known.read_bytes() == content
            if same and uid in self._studies:
                self._carry(association, uid)
            return ("duplicate", SUCCESS) if same else ("duplicate that differs", DUPLICATE)
        target = self._place / uid / f"{header.instance_uid}.dcm"
        try:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            self._marker(uid).unlink(missing_ok=True)
            part.rename(target)
            _settle_folder(target.parent)
        except OSError:
            return self._no_room(association)
        self._known[header.instance_uid] = target
        self._carry(association, uid)
        return "kept", SUCCESS

    def _carry(self, association: int, uid: str) -> None:
        study = self._studies.setdefault(uid, _Arriving(0.0))
        study.last = self._clock()
        study.carriers.add(association)
        self._carried.setdefault(association, (self._events, set()))[1].add(uid)

    def _no_room(self, association: int) -> tuple[str, int]:
        """Whichever of the association's studies the instance was of, it is not whole."""
        self._events += 1
        for uid in self._carried.get(association, (0, set()))[1] & self._studies.keys():
            self._studies[uid].interrupted = self._events
        return "refused for want of room", OUT_OF_RESOURCES

    def _set_aside(self, part: Path, error: StudyError, status: int) -> tuple[str, int]:
        self.quarantine.reject(error)
        aside = self.folder / QUARANTINE
        try:
            aside.mkdir(mode=0o700, exist_ok=True)
            part.rename(aside / f"{len(list(aside.iterdir())) + 1}.refused")
        except OSError:
            part.unlink(missing_ok=True)
        return "set aside", status

    def _moved(self, uid: str) -> WholeStudy | None:
        """The study, where it is read; None where the disk refuses: it is tried again the next time."""
        place, number = self.folder / uid, 1
        while place.exists():
            number += 1
            place = self.folder / f"{uid}+{number}"
        try:
            (self._place / uid).rename(place)
        except OSError:
            self.counts["could not be moved yet"] += 1
            return None
        _settle_folder(self.folder)
        self._marker(uid).unlink(missing_ok=True)
        del self._studies[uid]
        paths = list(place.iterdir())
        self._known.update({path.stem: path for path in paths})
        return WholeStudy(uid, len(paths), place)

    def _take_up(self) -> None:
        """Go on from what another run left: what it had not acknowledged goes, what it had stays."""
        for path in self._place.glob("*.part"):
            path.unlink()
        for folder in [each for each in self._place.iterdir() if each.is_dir()]:
            if not any(folder.iterdir()):
                folder.rmdir()
                continue
            study = self._studies[folder.name] = _Arriving(self._clock())
            study.interrupted = 0 if self._marker(folder.name).exists() else 1
        self._events = 1
        for marker in self._place.glob("*.released"):
            if marker.name.removesuffix(".released") not in self._studies:
                marker.unlink()

    def _marker(self, uid: str) -> Path:
        """There when every association that carried the study was released."""
        return self._place / f"{uid}.released"

    def _instances(self) -> Iterator[Path]:
        for folder in (self.folder, self._place):
            yield from folder.glob("[0-9]*/*.dcm")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle_folder(folder: Path) -> None:
    """Have a folder's names on disk, where the system can say so."""
    with contextlib.suppress(OSError):
        held = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)
