"""All pages of one search: each once, to the last, and as many resources as the server says there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.page import Page, page_of
from connectors.fhir.mapping_fields import Json
from prognosis.errors import SourceError
from prognosis.record import Quarantine

PAGE_SIZE = "250"
IDLE_PAGES = 10
"""Pages in a row without a resource that is new; a server that always has a next page would never end."""


@dataclass(slots=True)
class _Tally:
    """What has come of a search so far, to be held against what the server says."""

    reference: str
    seen: set[str] = field(default_factory=set)
    unnamed: int = 0
    total: int | None = None
    repeated: int = 0
    idle: int = 0

    def count(self, page: Page) -> None:
        before = self.received
        for _, resource in page.matches:
            identity = resource.get("id")
            if not isinstance(identity, str):
                self.unnamed += 1
            elif identity in self.seen:
                self.repeated += 1
            else:
                self.seen.add(identity)
        self.unnamed += len(page.unreadable)
        if page.total is not None:
            self.total = max(page.total, self.total or 0)
        self.idle = self.idle + 1 if self.received == before else 0
        if self.idle > IDLE_PAGES:
            problem = f"gives {self.idle} pages in a row with nothing new, and a next one"
            raise SourceError(self.reference, problem, "mend the server's paging")

    @property
    def received(self) -> int:
        return len(self.seen) + self.unnamed

    def check(self, quarantine: Quarantine) -> None:
        """Hold what came against Bundle.total, at the end of the last page."""
        kind = self.reference.rpartition(" ")[2]
        if self.total is not None and self.received < self.total:
            problem = f"said {self.total} resources and gave {self.received}"
            raise SourceError(self.reference, problem, "read again while nothing is being written")
        if self.total is None and self.repeated:
            problem = f"gave {self.repeated} resources twice and no total, so that others may be missing"
            raise SourceError(self.reference, problem, "read again while nothing is being written")
        if self.total is None:
            quarantine.notice(f"{kind}: the server states no total; that all came rests on its last page")
        elif self.received > self.total:
            quarantine.notice(f"{kind}: the server gave more resources than its total; all were used")


async def found(
    client: FhirClient, kind: str, parameters: Mapping[str, str], quarantine: Quarantine
) -> AsyncIterator[tuple[str, Json]]:
    """Each resource that a search finds, with where it came from; pages are read as they are needed.

    Args:
        client: Where to search.
        kind: The resource type.
        parameters: Of the search, without _count.
        quarantine: Where entries without a resource go, and the server's warnings.

    Raises:
        SourceError: The pages run in a circle or never end, a page cannot be had, or fewer resources came
            than the server says there are. What was given until then is a part only.
    """
    tally = _Tally(f"{client.origin.name} {kind}")
    what = f"{kind} page 1"
    bundle = await client.search(kind, {**parameters, "_count": PAGE_SIZE}, what)
    visited: set[str] = set()
    while True:
        page = page_of(bundle, kind, f"{client.origin.name} {what}")
        tally.count(page)
        for error in page.unreadable:
            quarantine.reject(error)
        for warning in page.warnings:
            quarantine.notice(f"{kind}: the server adds to its answer: {warning}")
        if page.included:
            quarantine.notice(f"{kind}: resources that were not searched for: not used", page.included)
        for match in page.matches:
            yield match
        if page.following is None:
            break
        address = str(client.origin.resolved(page.following))
        if address in visited:
            problem = "names a page as the next one that was read before"
            raise SourceError(f"{client.origin.name} {what}", problem, "mend the server's paging")
        visited.add(address)
        what = f"{kind} page {len(visited) + 1}"
        bundle = await client.read(address, what)
    tally.check(quarantine)
