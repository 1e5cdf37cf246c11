"""What is asked of a server: whose resources, of which types, changed since when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from connectors.fhir.mapping_fields import FHIR_ID
from prognosis.errors import SourceError

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,40}\Z")
_FILTER = re.compile(r"([A-Z][A-Za-z]{1,40})\?[!-~]+\Z")


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """An export (Bulk Data Access 2.0, section 3.4.1).

    Attributes:
        group: Id of the Group whose members are exported; None for everyone.
        patients: Only what is about patients (Patient/$export); False for the whole system.
        since: Only resources that changed since then (ISO 8601 with offset); "" for all.
        types: Only these types; empty for all.
        type_filters: Searches that narrow a type, "Observation?status=final".

    Raises:
        SourceError: One of them cannot be asked for.
    """

    group: str | None = None
    patients: bool = False
    since: str = ""
    types: tuple[str, ...] = ()
    type_filters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.group is not None and not FHIR_ID.match(self.group):
            raise SourceError("the group", "is no FHIR id", "give the id of a Group on the server")
        if self.since and not _is_instant(self.since):
            raise SourceError("since", "is no moment", "write it as 2024-01-31T00:00:00Z, with an offset")
        for kind in self.types:
            if not _TYPE.match(kind):
                raise SourceError(f"type {kind}", "is no resource type", "write it as Observation")
        for narrowed in self.type_filters:
            match = _FILTER.match(narrowed)
            if match is None or (self.types and match[1] not in self.types):
                problem = "is no search of a type that is exported"
                raise SourceError("a type filter", problem, "write it as Observation?status=final")

    @property
    def link(self) -> str:
        """Relative to the base of the service."""
        place = f"Group/{self.group}/" if self.group is not None else "Patient/" if self.patients else ""
        asked = [("_since", self.since)] if self.since else []
        asked += [("_type", ",".join(self.types))] if self.types else []
        asked += [("_typeFilter", each) for each in self.type_filters]
        return f"{place}$export" + (f"?{urlencode(asked)}" if asked else "")

    @property
    def prefer(self) -> str:
        """The header Prefer: a server that does not know a parameter must refuse it, not leave it out.

        Without parameters nothing can be left out, and servers that know the one preference only still
        understand the header.
        """
        return "respond-async, handling=strict" if "?" in self.link else "respond-async"


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
