"""The audit as it is written: entries that wait together are made durable together, then acknowledged."""

from __future__ import annotations

import queue
import sqlite3
import threading
from concurrent.futures import Future
from pathlib import Path

from prognosis.errors import AuditError
from prognosis.serve.audit.entry import START, Entry, chained
from prognosis.serve.audit.head import Head, read_head, write_head
from prognosis.serve.pseudonyms import SiteKey

MOST_AT_ONCE = 256

_Waiting = tuple[Entry, "Future[int]"]


def open_audit(path: Path, *, write: bool) -> sqlite3.Connection:
    """The audit's database; WAL with synchronous=FULL, so that what was committed survives a power cut.

    Raises:
        AuditError: It cannot be opened.
    """
    try:
        if not write:
            uri = f"{path.resolve().as_uri()}?mode=ro"
            return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute(
            "CREATE TABLE IF NOT EXISTS audit "
            "(number INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash TEXT NOT NULL)"
        )
    except sqlite3.Error as error:
        raise AuditError(str(path), "cannot be opened", "check the folder and its owner") from error
    return db


class AuditLog:
    """The audit of a running service; one process writes to it.

    A thread takes all entries that wait, writes them in one transaction, puts the head in its place, and only
    then tells those who wait: an answer goes out after its entry is on disk.

    Args:
        path: The database.
        head: The file of the head, best on another disk or under another owner.
        key: Signs the head.

    Raises:
        AuditError: It cannot be opened, or does not reach as far as the head says.
    """

    def __init__(self, path: Path, head: Path, key: SiteKey) -> None:
        self._head_path = head
        self._key = key
        self._db = open_audit(path, write=True)
        self._last = continued(self._db, read_head(head, key), str(path))
        write_head(head, self._last, key)
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._failed: AuditError | None = None
        self._thread = threading.Thread(target=self._write_all, name="audit", daemon=True)
        self._thread.start()

    def append(self, entry: Entry) -> Future[int]:
        """Write an entry; the future gives its number once it is on disk, or an AuditError."""
        done: Future[int] = Future()
        if self._failed is not None:
            done.set_exception(self._failed)
        else:
            self._waiting.put((entry, done))
        return done

    @property
    def entries(self) -> int:
        """How many there are."""
        return self._last.number

    @property
    def broken(self) -> bool:
        """Whether it can no longer be written."""
        return self._failed is not None

    def close(self) -> None:
        """Write what waits, and close."""
        self._waiting.put(None)
        self._thread.join()
        self._db.close()

    def _write_all(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            batch, ended = [first], False
            while len(batch) < MOST_AT_ONCE and not self._waiting.empty():
                further = self._waiting.get()
                if further is None:
                    ended = True
                    break
                batch.append(further)
            self._write(batch)
            if ended:
                return

    def _write(self, batch: list[_Waiting]) -> None:
        """One transaction; a failure is told to those who wait and to all who come later."""
        try:
            if self._failed is not None:
                raise self._failed
            last, rows = self._last, []
            for entry, _ in batch:
                text = entry.text()
                last = Head(last.number + 1, chained(last.hash, last.number + 1, text))
                rows.append((last.number, text, last.hash))
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO audit VALUES (?, ?, ?)", rows)
            self._db.execute("COMMIT")
            write_head(self._head_path, last, self._key)
        except (sqlite3.Error, OSError, AuditError) as error:
            self._failed = AuditError("the audit", "cannot be written", "see to its disk, then start again")
            self._failed.__cause__ = error
            for _, done in batch:
                done.set_exception(self._failed)
            return
        self._last = last
        for number, (_, done) in enumerate(batch, start=last.number - len(batch) + 1):
            done.set_result(number)


def continued(db: sqlite3.Connection, head: Head | None, name: str) -> Head:
    """The last entry, found by going on from the head.

    A process that was killed between its commit and its head leaves entries beyond the head: they were not
    acknowledged, they are chained to it, and they stay. Entries before the head are for `prognosis audit
    verify`, which reads all of them.

    Raises:
        AuditError: The entry that the head names is gone or another, or the chain after it is broken.
    """
    remedy = "keep both files as they are and find out who wrote to them"
    last = head or Head()
    if head is None and db.execute("SELECT 1 FROM audit").fetchone():
        raise AuditError(name, "has entries and its head is gone", remedy)
    if last.number:
        row = db.execute("SELECT hash FROM audit WHERE number = ?", (last.number,)).fetchone()
        if row is None or row[0] != last.hash:
            raise AuditError(name, f"does not hold entry {last.number} as its head has it", remedy)
    elif last.hash != START:
        raise AuditError(name, "has a head that is no entry's", remedy)
    following = db.execute(
        "SELECT number, entry, hash FROM audit WHERE number > ? ORDER BY number", (last.number,)
    )
    for number, text, stored in following:
        if number != last.number + 1 or stored != chained(last.hash, number, text):
            raise AuditError(f"audit entry {last.number + 1}", "is not chained to the one before", remedy)
        last = Head(number, stored)
    return last
