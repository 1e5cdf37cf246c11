"""Whether an audit is what was written: every entry, in order, as far as its head says."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from prognosis.errors import AuditError
from prognosis.serve.audit.entry import START, Entry, chained
from prognosis.serve.audit.head import read_head
from prognosis.serve.audit.log import open_audit
from prognosis.serve.pseudonyms import SiteKey


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found.

    Attributes:
        entries: How many there are.
        beyond_head: Of these, those that were not acknowledged when the service was killed.
        last_hash: Of the last; to be compared with one that was kept elsewhere.
    """

    entries: int
    beyond_head: int
    last_hash: str


def verify_audit(path: Path, head_path: Path, key: SiteKey) -> Verified:
    """Read every entry and hold it against its hash, the one before, and the head.

    Raises:
        AuditError: An entry was altered, left out, added or cut off.
    """
    remedy = "keep both files as they are and find out who wrote to them"
    head = read_head(head_path, key)
    last, number, at_head = START, 0, START
    with closing(open_audit(path, write=False)) as db:
        for stated, text, stored in db.execute("SELECT number, entry, hash FROM audit ORDER BY number"):
            number += 1
            if stated != number:
                raise AuditError(f"audit entry {number}", "is missing", remedy)
            Entry.read(number, text)
            last = chained(last, number, text)
            if last != stored:
                raise AuditError(f"audit entry {number}", "was altered", remedy)
            if head is not None and number == head.number:
                at_head = last
    if head is None:
        raise AuditError(str(head_path), "is gone, so that nobody can tell how far the audit went", remedy)
    if number < head.number:
        raise AuditError(f"audit entry {number + 1}", f"is missing: {head.number} were acknowledged", remedy)
    if at_head != head.hash:
        raise AuditError(f"audit entry {head.number}", "is not the one that was acknowledged", remedy)
    return Verified(number, number - head.number, last)
