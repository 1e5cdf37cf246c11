"""Scores that were made, each with when, from what and by which model; and what users said about them."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prognosis.serve.answers import Score
from prognosis.serve.together import Together

MOST_HELD = 4096
"""Scores in memory, some kilobytes each."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS score (digest TEXT PRIMARY KEY, stated TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS made (number INTEGER PRIMARY KEY, patient TEXT NOT NULL,"
    " anywhere TEXT NOT NULL, born TEXT NOT NULL, model TEXT NOT NULL, record TEXT NOT NULL,"
    " score TEXT NOT NULL, at TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS made_patient ON made (patient, model, number)",
    "CREATE INDEX IF NOT EXISTS made_anywhere ON made (anywhere, model, number)",
    "CREATE TABLE IF NOT EXISTS looked (patient TEXT, model TEXT, at TEXT NOT NULL,"
    " PRIMARY KEY (patient, model)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS feedback (number INTEGER PRIMARY KEY, at TEXT NOT NULL, client TEXT NOT NULL,"
    " service TEXT NOT NULL, card TEXT NOT NULL, stated TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS notified (number INTEGER PRIMARY KEY, at TEXT NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Whose:
    """A patient by pseudonyms.

    Attributes:
        patient: Of the patient at a site.
        anywhere: Of the patient id at any site.
        born: Of the birth date, "" where it is not known.
    """

    patient: str
    anywhere: str
    born: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A score as it is kept.

    Attributes:
        score: The answer.
        digest: Of the answer.
        whose: The patient.
        made_at: When it was made.
        looked_at: When the record was last read and was still what the score was made from; of a score that
            another has followed, when it was made.
    """

    score: Score
    digest: str
    whose: Whose
    made_at: datetime
    looked_at: datetime


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)


class ScoreStore:
    """Every score that was given out or made ahead; none is ever changed or taken away.

    It holds pseudonyms and what the model made of the records, sentences of notes among it: patient data.
    Reads have a connection of their own, so that none waits for what is being made durable (WAL).

    Args:
        path: The database, made where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._held: dict[str, Score] = {}
        self._feedback = Together(self._keep_feedback)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        self._db = _opened(path)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        for table in _TABLES:
            self._db.execute(table)
        self._read_db = _opened(path)

    def keep(self, score: Score, whose: Whose, made_at: datetime) -> Kept:
        """Keep a score; the latest of a patient is the one that was kept last."""
        digest, stated = score.digest(), score.model_dump_json()
        row = (whose.patient, whose.anywhere, whose.born, score.model_id, score.record, digest)
        with self._durable() as db:
            db.execute("INSERT OR IGNORE INTO score VALUES (?, ?)", (digest, stated))
            db.execute(
                "INSERT INTO made (patient, anywhere, born, model, record, score, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, made_at.isoformat()),
            )
        return Kept(score, digest, whose, made_at, made_at)

    def looked(self, patients: Iterable[str], model_id: str, at: datetime) -> None:
        """Note that these patients' records were read, and say what their last scores were made from."""
        with self._durable() as db:
            db.executemany(
                "INSERT INTO looked VALUES (?, ?, ?) "
                "ON CONFLICT (patient, model) DO UPDATE SET at = excluded.at",
                ((patient, model_id, at.isoformat()) for patient in patients),
            )

    def latest(self, patient: str, model_id: str) -> Kept | None:
        """The last score of a patient at a site; None where there is none."""
        found = self._kept("made.patient = ? AND made.model = ?", (patient, model_id), 1)
        return found[0] if found else None

    def latest_anywhere(self, anywhere: str, model_id: str) -> tuple[Kept, ...]:
        """The last score of every patient who has this id at some site."""
        where = (
            "made.number IN (SELECT max(number) FROM made WHERE anywhere = ? AND model = ? GROUP BY patient)"
        )
        return self._kept(where, (anywhere, model_id), 10)

    def of_record(self, patient: str, model_id: str, record: str) -> Kept | None:
        """The last score of a patient from a record of this content; None where there is none."""
        where = "made.patient = ? AND made.model = ? AND made.record = ?"
        found = self._kept(where, (patient, model_id, record), 1)
        return found[0] if found else None

    def stated(self, digest: str) -> Score | None:
        """The score of a digest, as an audit entry cites it."""
        with self._reading:
            row = self._read_db.execute("SELECT stated FROM score WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else Score.model_validate_json(row[0])

    def counts(self, model_id: str) -> tuple[int, int]:
        """Patients with a score by a model, and those of them whose last one abstains."""
        query = (
            "SELECT count(*), coalesce(sum(json_extract(score.stated, '$.abstained_because') != ''), 0) "
            "FROM made JOIN score ON score.digest = made.score "
            "WHERE made.number IN (SELECT max(number) FROM made WHERE model = ? GROUP BY patient)"
        )
        with self._reading:
            patients, abstained = self._read_db.execute(query, (model_id,)).fetchone()
        return patients, abstained

    def keep_feedback(
        self, at: datetime, client: str, service: str, stated: Sequence[tuple[str, str]]
    ) -> None:
        """Keep what users did with cards, (card, what was stated) each; on disk when this returns."""
        self._feedback.write([(at.isoformat(), client, service, *each) for each in stated])

    def feedback(self) -> list[tuple[str, str, str]]:
        """(service, card, what was stated) of each feedback, in order."""
        query = "SELECT service, card, stated FROM feedback ORDER BY number"
        with self._reading:
            return self._read_db.execute(query).fetchall()

    def notify(self, at: datetime) -> int:
        """Note that something may have changed somewhere; the number of notes since the first."""
        with self._lock:
            done = self._db.execute("INSERT INTO notified (at) VALUES (?)", (at.isoformat(),))
            return int(done.lastrowid or 0)

    def notified(self) -> int:
        """How often that was noted; whoever watches compares it with what it was before."""
        query = "SELECT coalesce(max(number), 0) FROM notified"
        with self._reading:
            return int(self._read_db.execute(query).fetchone()[0])

    def close(self) -> None:
        """Close the database."""
        with self._lock, self._reading:
            self._db.close()
            self._read_db.close()

    def _keep_feedback(self, rows: Sequence[tuple[str, ...]]) -> None:
        with self._durable() as db:
            db.executemany(
                "INSERT INTO feedback (at, client, service, card, stated) VALUES (?, ?, ?, ?, ?)", rows
            )

    @contextmanager
    def _durable(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is on disk at the end, or none of it."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _read(self, digest: str) -> Score:
        """A score from its JSON; those asked for lately are held, as no score ever changes."""
        found = self._held.get(digest)
        if found is None:
            found = self.stated(digest)
            assert found is not None  # noqa: S101 - what was made has its score in the same transaction
            if len(self._held) >= MOST_HELD:
                self._held.clear()
            self._held[digest] = found
        return found

    def _kept(self, where: str, values: tuple[str, ...], most: int) -> tuple[Kept, ...]:
        query = (
            "SELECT made.score, made.patient, made.anywhere, made.born, made.at, "  # noqa: S608
            "max(made.at, coalesce(looked.at, '')) FROM made "
            "LEFT JOIN looked ON looked.patient = made.patient AND looked.model = made.model AND NOT EXISTS "
            "(SELECT 1 FROM made AS later WHERE later.patient = made.patient AND later.model = made.model "
            "AND later.number > made.number) "
            f"WHERE {where} "
            "ORDER BY made.number DESC LIMIT ?"
        )
        with self._reading, closing(self._read_db.execute(query, (*values, most))) as rows:
            found = rows.fetchall()
        return tuple(
            Kept(
                self._read(digest),
                digest,
                Whose(patient, anywhere, born),
                datetime.fromisoformat(made_at),
                datetime.fromisoformat(looked_at),
            )
            for digest, patient, anywhere, born, made_at, looked_at in found
        )
