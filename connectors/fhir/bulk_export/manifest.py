"""The manifest: which files an export consists of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from connectors.fhir.mapping_fields import Json, elements, flag, string
from prognosis.errors import MappingError

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,40}\Z")
MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of an export.

    Attributes:
        name: Of the file here.
        part: "output", "deleted" or "error".
        url: Where it is; may carry a signature, so that it is a secret.
        count: Resources in it; None where the server does not say.
    """

    name: str
    part: str
    url: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A finished export (Bulk Data Access 2.0, section 3.4.4).

    Attributes:
        transaction_time: Nothing that changed later is in it; `since` of the next one.
        needs_token: Whether the files want the token.
        files: Of all parts.
    """

    transaction_time: str
    needs_token: bool
    files: tuple[ExportFile, ...]

    def stated(self) -> dict[str, Any]:
        """As JSON, for `restored`."""
        return asdict(self)


def restored(stated: Json) -> Manifest:
    """A manifest from its own JSON.

    Raises:
        KeyError: It is not from `Manifest.stated`.
    """
    files = tuple(ExportFile(**each) for each in stated["files"])
    return Manifest(stated["transaction_time"], stated["needs_token"], files)


def manifest_of(stated: Json, reference: str) -> Manifest:
    """Read a server's manifest.

    Raises:
        MappingError: It is malformed, or in several parts.
    """
    time, needs_token = (
        string(stated, "transactionTime", reference),
        flag(stated, "requiresAccessToken", reference),
    )
    if time is None or needs_token is None:
        problem = "lacks transactionTime or requiresAccessToken"
        raise MappingError(reference, problem, "send both")
    if any(link.get("relation") == "next" for link in elements(stated, "link", reference)):
        raise MappingError(reference, "is a part of a manifest, which was not asked for", "send it whole")
    files = tuple(each for part in ("output", "deleted", "error") for each in _files(stated, part, reference))
    if len(files) > MOST_FILES or len({each.url for each in files}) != len(files):
        raise MappingError(reference, "names a file twice, or more than there can be", "send each once")
    return Manifest(time, needs_token, files)


def _files(stated: Json, part: str, reference: str) -> Iterator[ExportFile]:
    for number, each in enumerate(elements(stated, part, reference), start=1):
        place = f"{reference} {part} {number}"
        kind, url, count = string(each, "type", place), string(each, "url", place), each.get("count")
        if kind is None or not _TYPE.match(kind) or url is None:
            raise MappingError(place, "has no type or no url", "send both")
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            raise MappingError(place, "its count is no count", "send a JSON integer, or leave it out")
        # Only what records are read from ends in .ndjson: what was deleted or went wrong is no record.
        ending = {"output": "ndjson", "deleted": "deleted", "error": "errors"}[part]
        yield ExportFile(f"{kind}.{number:04d}.{ending}", part, url, count)
