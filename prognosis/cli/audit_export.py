"""`prognosis audit export`: what was answered, as FHIR AuditEvents."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from prognosis.cli.console import print_json, stderr
from prognosis.cli.sources import answer_server
from prognosis.errors import AuditError, WriteError
from prognosis.outputs.fhir import AuditedAct, entry_event
from prognosis.outputs.fhir.audit_entry import Done
from prognosis.outputs.fhir.elements import Resource
from prognosis.serve.audit import Entry, verify_audit
from prognosis.serve.audit.log import open_audit
from prognosis.serve.pseudonyms import SiteKey
from prognosis.serve.state_folder import StateFolder

AT_ONCE = 100
"""AuditEvents in one transaction."""

_DONE: dict[str, Done] = {"bulk-export": "export", "ingest": "import"}


def run_export(place: StateFolder, to: str, after: int, service: str, *, json_output: bool) -> None:
    """Verify an audit, and write an AuditEvent for each of its entries.

    Raises:
        AuditError: The audit is not what was written.
        WriteError: The server does not take AuditEvents.
        SourceError: The server cannot be used.
    """
    found = verify_audit(place.audit, place.audit_head, SiteKey.of(place.key))
    events = [entry_event(act, service) for act in acts_after(place.audit, after)]
    written = _to_server(to, events) if to.startswith("fhir-server:") else _to_folder(Path(to), events)
    if json_output:
        print_json({"written": written, "there_already": len(events) - written, "last": found.entries})
        return
    stderr.print(
        f"{written} AuditEvents written to {to}, {len(events) - written} there already; "
        f"next time --after {found.entries}",
        markup=False,
        highlight=False,
    )


def acts_after(audit: Path, after: int) -> Iterator[AuditedAct]:
    """The entries beyond a number, as acts.

    Raises:
        AuditError: One cannot be read.
    """
    query = "SELECT number, entry, hash FROM audit WHERE number > ? ORDER BY number"
    with closing(open_audit(audit, write=False)) as db:
        for number, text, entry_hash in db.execute(query, (after,)):
            entry = Entry.read(number, text)
            try:
                time = datetime.fromisoformat(entry.time)
            except ValueError as error:
                raise AuditError(f"audit entry {number}", "has no time", "keep it and find out") from error
            yield AuditedAct(
                number=number,
                entry_hash=entry_hash,
                time=time,
                request=entry.request,
                client=entry.client,
                done=_done(entry.route),
                what=entry.route,
                status=entry.status,
                patient=entry.patient,
                details=(
                    ("answer", entry.answer),
                    ("model", entry.model_id),
                    ("score", entry.score),
                    ("card", entry.card),
                ),
            )


def _done(route: str) -> Done:
    """What an entry's act was: feedback and notifications bring something in, all else asks."""
    if route in _DONE:
        return _DONE[route]
    return "create" if route.endswith(("/feedback", "/notifications")) else "query"


def _to_folder(folder: Path, events: Sequence[Resource]) -> int:
    """One NDJSON file, whole or not at all; the number of events in it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "AuditEvent.ndjson"
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        for event in events:
            file.write(json.dumps(event, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return len(events)


def _to_server(uri: str, events: Sequence[Resource]) -> int:
    """Each once, however often it is written; how many were not there yet."""
    server = answer_server(uri)
    if server.takes(("AuditEvent",))["AuditEvent"] is False:
        problem = "says that clients may not write AuditEvent under ids of their own (updateCreate)"
        raise WriteError(server.origin.name, problem, "write to a folder, or have its owner allow it")
    written = 0
    for start in range(0, len(events), AT_ONCE):
        done = server.record(events[start : start + AT_ONCE])
        written += sum(each.done == "created" for each in done)
    return written
