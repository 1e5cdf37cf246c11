"""Patient records written as a FHIR R4 Bulk Data folder, one NDJSON file a resource type."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from connectors.fhir.write_elements import Resource
from connectors.fhir.write_ids import IdRegister
from connectors.fhir.write_record import record_resources
from prognosis.errors import MappingError, SourceError
from prognosis.record import PatientRecord

RESOURCE_TYPES = (
    "Organization",
    "Patient",
    "Encounter",
    "Condition",
    "Observation",
    "MedicationRequest",
    "MedicationAdministration",
    "MedicationStatement",
    "Procedure",
    "Immunization",
    "AllergyIntolerance",
    "FamilyMemberHistory",
    "CarePlan",
    "DocumentReference",
    "DiagnosticReport",
    "ImagingStudy",
)


def write_bulk(records: Iterable[PatientRecord], folder: Path) -> dict[str, int]:
    """Write records as Bulk NDJSON; reading the folder back gives equal records.

    Kept exactly: every time to the microsecond, every number, unit, comparator, text, code and name, and
    the source where it was a valid reference. A source that was not becomes "<type>/<derived id>". Not
    kept: `ImagingStudy.store`, blank notes, and the source and name of the death, which becomes
    Patient.deceasedDateTime.

    An export that is already in the folder is replaced once the new one is complete.

    Args:
        records: The cohort, in the order in which it is to be written.
        folder: Where to write; made if absent.

    Returns:
        Resources written, by type.

    Raises:
        MappingError: Something in a record cannot be said in FHIR; nothing is replaced then.
        SourceError: The folder holds NDJSON files that are no export of these types.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = {kind: folder / f"{kind}.ndjson" for kind in RESOURCE_TYPES}
    foreign = sorted(path.name for path in folder.glob("*.ndjson") if path not in names.values())
    if foreign:
        raise SourceError(folder.name, f"already holds {foreign[0]}", "give an empty folder")
    written: Counter[str] = Counter()
    parts: dict[str, Path] = {}
    try:
        with ExitStack() as stack:
            streams: dict[str, IO[str]] = {}
            for resource in _resources(records):
                kind = resource["resourceType"]
                if kind not in streams:
                    parts[kind] = names[kind].with_suffix(".part")
                    streams[kind] = stack.enter_context(parts[kind].open("w", encoding="utf-8", newline="\n"))
                streams[kind].write(_line(resource))
                written[kind] += 1
        for kind, path in names.items():
            if kind in parts:
                parts.pop(kind).replace(path)
            else:
                path.unlink(missing_ok=True)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return dict(written)


def _resources(records: Iterable[PatientRecord]) -> Iterable[Resource]:
    ids = IdRegister()
    sites: dict[str, str] = {}
    for record in records:
        if record.site and record.site not in sites:
            identity = ids.keep("Organization", record.site) or ids.derive("Organization", record.site)
            sites[record.site] = f"Organization/{identity}"
            yield {"resourceType": "Organization", "id": identity, "name": record.site}
        yield from record_resources(record, sites.get(record.site), ids)


def _line(resource: Resource) -> str:
    line = json.dumps(resource, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        line.encode()
    except UnicodeEncodeError as error:
        reference = f"{resource['resourceType']}/{resource['id']}"
        raise MappingError(reference, "holds text that is not Unicode", "mend the text's encoding") from error
    return line + "\n"
