"""An export put into servers that are empty: its resources into one, its films into the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prognosis.errors import SourceError
from prognosis.record import Quarantine

FIRST = ("Organization", "Patient")
"""What others refer to; a server may refuse a reference to what it does not hold."""

AT_ONCE = 500


def fill_fhir_server(base: str, folder: Path, token: str) -> dict[str, int]:
    """Put every resource of a Bulk export into a server under its own id, in transactions.

    Args:
        base: The server's address.
        folder: Of NDJSON files, one a type.
        token: A bearer token that may write.

    Returns:
        How many of each type were put there.

    Raises:
        SourceError: The server does not take them all.
    """
    from anyio.from_thread import start_blocking_portal

    from connectors.fhir.http.client import FhirClient
    from connectors.fhir.http.origin import Origin

    async def put(counts: dict[str, int]) -> None:
        async with FhirClient(Origin(base), token=lambda: token) as client:
            for kind, resources in _batches(folder):
                answer = await client.submit(_puts(resources), kind)
                if answer is None or not answer.accepted:
                    what = "gives no answer" if answer is None else f"answers with {answer.told()}"
                    problem = f"{what} to {len(resources)} resources"
                    raise SourceError(f"{client.origin.name} {kind}", problem, "see the server's log")
                _check(answer.content, len(resources), f"{client.origin.name} {kind}")
                counts[kind] = counts.get(kind, 0) + len(resources)

    counts: dict[str, int] = {}
    with start_blocking_portal() as portal:
        portal.call(put, counts)
    return counts


def _batches(folder: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    names = {path.stem for path in folder.glob("*.ndjson")}
    for kind in [*(each for each in FIRST if each in names), *sorted(names.difference(FIRST))]:
        lines = (folder / f"{kind}.ndjson").read_text(encoding="utf-8").splitlines()
        for start in range(0, len(lines), AT_ONCE):
            yield kind, [json.loads(line) for line in lines[start : start + AT_ONCE]]


def _puts(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _check(content: bytes, sent: int, reference: str) -> None:
    """Hold the answer to a transaction against what was sent.

    Raises:
        SourceError: It is not about each resource, or one was not taken.
    """
    try:
        stated = [str(entry["response"]["status"]) for entry in json.loads(content).get("entry", [])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(reference, "answers with no transaction's answer", "see its log") from error
    taken = sum(each.startswith("20") for each in stated)
    if taken != sent:
        raise SourceError(reference, f"took {taken} of {sent} resources", "see the server's log")


def fill_archive(root: str, folder: Path) -> int:
    """Store every study under a folder in an archive, and find it there again.

    Args:
        root: Of DICOMweb.
        folder: Of DICOM files.

    Returns:
        How many instances the archive was given and holds.

    Raises:
        SourceError: The archive cannot be reached or refuses.
        StudyError: It does not hold what was sent.
    """
    from connectors.dicom import DicomFolder
    from connectors.dicom.web.address import address_of
    from connectors.dicom.web.session import Session
    from connectors.dicom.web.storing import store_study

    session = Session(address_of(root), f"dicomweb:{root}")
    source = DicomFolder(folder, f"dicom-folder:{folder}")
    return sum(
        store_study(session, study.study_uid, source.contents(study))
        for record in source.records(Quarantine())
        for study in record.studies
    )
