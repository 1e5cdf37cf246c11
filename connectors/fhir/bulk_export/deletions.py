"""What the server says was deleted, and what went wrong: taken out of the files, and counted."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.fhir.http.outcome import issues_of
from connectors.fhir.mapping_fields import FHIR_ID, element, elements, source_of, string
from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError, SourceError
from prognosis.record import Quarantine


def deleted_ids(paths: list[Path]) -> dict[str, set[str]]:
    """Ids by type of what was deleted (Bundles of DELETE, Bulk Data Access 2.0, section 3.4.4).

    Raises:
        SourceError: A file holds anything else: what was deleted would not be known.
    """
    ids: dict[str, set[str]] = defaultdict(set)
    for where, bundle in _resources(paths):
        try:
            for kind, identity in _deletions(bundle, where):
                ids[kind].add(identity)
        except MappingError as error:
            raise SourceError(error.reference, error.problem, error.remedy) from error
    return dict(ids)


def _deletions(bundle: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    for entry in elements(bundle, "entry", where):
        request = element(entry, "request", where) or {}
        kind, slash, identity = (string(request, "url", where) or "").partition("/")
        if request.get("method") != "DELETE" or not slash or not FHIR_ID.match(identity):
            raise MappingError(where, "holds an entry that is no deletion", "send DELETE Type/id")
        yield kind, identity


def without(folder: Path, ids: Mapping[str, set[str]]) -> int:
    """Take resources out of the files of an export; how many were there.

    Raises:
        SourceError: A line of these files is no resource.
    """
    removed = 0
    for kind, gone in sorted(ids.items()):
        for path in sorted(folder.glob(f"{kind}.*.ndjson")):
            removed += _rewritten(path, kind, gone)
    return removed


def _rewritten(path: Path, kind: str, gone: set[str]) -> int:
    removed = 0
    kept = path.with_name(f"{path.name}.part")
    descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        for line, (_, resource) in zip(_lines(path), _resources([path]), strict=True):
            if resource.get("resourceType") == kind and resource.get("id") in gone:
                removed += 1
            else:
                stream.write(line.rstrip(b"\r\n") + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    if removed:
        kept.replace(path)
    else:
        kept.unlink()
    return removed


def set_aside_issues(paths: list[Path], quarantine: Quarantine) -> int:
    """Count what the server says went wrong; how many issues say that something is missing.

    Errors are rejections: each may stand for a resource that is not in the export. Warnings are notices.

    Raises:
        SourceError: A file holds something else than outcomes.
    """
    failed = 0
    for where, outcome in _resources(paths):
        if outcome.get("resourceType") != "OperationOutcome":
            raise SourceError(where, "is no OperationOutcome", "have the server mended")
        for severity, code in issues_of(outcome):
            if severity in ("fatal", "error"):
                failed += 1
                problem = f"the server could not export something ({code})"
                quarantine.reject(MappingError(where, problem, "see the server's log, and export again"))
            else:
                quarantine.notice(f"the server adds to its export: {severity} ({code})")
    return failed


def _resources(paths: list[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in paths:
        for number, line in enumerate(_lines(path), start=1):
            where = f"{path.name} line {number}"
            try:
                resource = parse_resource(line, where)
                if not path.name.endswith((".deleted", ".errors")):
                    source_of(resource, where)
            except MappingError as error:
                raise SourceError(error.reference, error.problem, error.remedy) from error
            yield where, resource


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        for line in stream:
            if line.strip():
                yield line
