"""What a verb does with many patients' data, in the same audit as what a service answers."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from prognosis.serve.audit.entry import Entry
from prognosis.serve.audit.log import AuditLog
from prognosis.serve.pseudonyms import SiteKey
from prognosis.serve.state_folder import StateFolder

ASKED, DONE, FAILED = 202, 200, 500

Tell = Callable[[Mapping[str, object]], None]


@contextmanager
def audited(verb: str, state: StateFolder) -> Iterator[Tell]:
    """Write that a verb was begun before anything is read, and what came of it at the end.

    Of a verb that was killed the audit has the beginning alone.

    Args:
        verb: "bulk-export" or "ingest".
        state: Whose audit; no service may use it meanwhile.

    Yields:
        A function to be told the counts that came of it; their sha256 stands as the answer.

    Raises:
        ConfigError: The folder cannot be used, or a service uses it.
        AuditError: The audit is not what was written, or cannot be written.
    """
    lock = state.made().locked()
    try:
        log = AuditLog(state.audit, state.audit_head, SiteKey.of(state.key))
        request, counts = str(uuid.uuid4()), dict[str, object]()

        def write(status: int) -> None:
            told = json.dumps(counts, sort_keys=True, default=str).encode()
            now = datetime.now(tz=UTC).isoformat()
            entry = Entry(now, request, _who(), verb, status, hashlib.sha256(told).hexdigest())
            log.append(entry).result()

        try:
            write(ASKED)
            try:
                yield counts.update
            except BaseException:
                write(FAILED)
                raise
            write(DONE)
        finally:
            log.close()
    finally:
        os.close(lock)


def _who() -> str:
    """The account that runs the verb."""
    try:
        return f"account {getpass.getuser()}"
    except (OSError, KeyError):  # an account without a name
        return f"account {os.getuid()}"
