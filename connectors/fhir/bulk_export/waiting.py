"""Asking a server for an export, and waiting until it is ready."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from connectors.fhir.bulk_export.manifest import Manifest, manifest_of
from connectors.fhir.bulk_export.request import ExportRequest
from connectors.fhir.http.answer import Answer
from connectors.fhir.http.client import FHIR_JSON, FhirClient
from connectors.fhir.http.retry import retry_after_s
from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError, SourceError

_PERCENT = re.compile(r"(?<![0-9.])(100|[0-9]{1,2})(?:\.[0-9]{1,6})?\s{0,3}%")

Progress = Callable[[str, int, int | None], None]
"""Told what is done, how far, and of how much (None where nobody knows)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take.

    Attributes:
        total_s: For the export to be ready, from when the program began to wait.
        first_wait_s: Before it is asked again, where it does not say when; then longer by half each time.
        longest_wait_s: No wait between two questions is longer, whatever the server asks for.
        shortest_wait_s: And none is shorter.
        file_s: For one file.
        file_bytes: One file is not larger.
    """

    total_s: float = 86_400.0
    first_wait_s: float = 2.0
    longest_wait_s: float = 600.0
    shortest_wait_s: float = 1.0
    file_s: float = 21_600.0
    file_bytes: int = 2**40


async def kicked_off(
    client: FhirClient, request: ExportRequest, patience: Patience, on_progress: Progress
) -> str:
    """Ask for an export; where the server says how far it is.

    Raises:
        SourceError: The server does not begin one.
    """
    headers = {"Accept": FHIR_JSON, "Prefer": request.prefer}
    what = "$export"
    answer = await _patiently(client, request.link, what, headers, patience, on_progress, frozenset({202}))
    link = answer.headers.get("content-location", "").strip()
    if not link:
        problem = "takes the export and does not say where its state is (Content-Location)"
        raise SourceError(f"{client.origin.name} {what}", problem, "mend the server")
    return str(client.origin.resolved(link))


async def manifest_when_ready(
    client: FhirClient, status_url: str, patience: Patience, on_progress: Progress
) -> Manifest:
    """The manifest of an export, when the server has made it.

    Raises:
        SourceError: It fails, takes too long, or its manifest cannot be read.
    """
    what = "export status"
    headers = {"Accept": "application/json"}
    answer = await _patiently(client, status_url, what, headers, patience, on_progress, frozenset({200}))
    reference = f"{client.origin.name} manifest"
    try:
        return manifest_of(parse_resource(answer.content, reference), reference)
    except MappingError as error:
        raise SourceError(error.reference, error.problem, error.remedy) from error


async def _patiently(
    client: FhirClient,
    link: str,
    what: str,
    headers: dict[str, str],
    patience: Patience,
    on_progress: Progress,
    done: frozenset[int],
) -> Answer:
    """Ask again while the server says "not yet" (202) or "not now" (429)."""
    end = time.monotonic() + patience.total_s
    waiting = frozenset({202, 429}) - done
    grown = patience.first_wait_s
    while True:
        answer = await client.answer("GET", link, what, headers=headers, accepted=done | waiting)
        if answer.status in done:
            return answer
        on_progress(what, percent(answer), 100)
        asked = retry_after_s(answer.headers)
        wait = min(max(grown if asked is None else asked, patience.shortest_wait_s), patience.longest_wait_s)
        grown *= 1.5
        if time.monotonic() + wait > end:
            problem = f"is not ready after {patience.total_s / 3600:.3g} h"
            remedy = "run the same command again, which goes on waiting for the same export"
            raise SourceError(f"{client.origin.name} {what}", problem, remedy)
        await anyio.sleep(wait)


def percent(answer: Answer) -> int:
    """The percentage in X-Progress, 0 where there is none; its words are the server's and go no further."""
    match = _PERCENT.search(answer.headers.get("x-progress", "")[:200])
    return int(match[1]) if match is not None else 0
