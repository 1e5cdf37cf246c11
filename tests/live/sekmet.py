"""A real FHIR server that no one here wrote, `sekmet-fhir`, on loopback for a test."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from prognosis.cli.live import fhir_server
from prognosis.cli.sources.filling import fill_fhir_server
from prognosis.errors import MissingDependencyError

BEARER = "of-this-test-only"
SILENCE_S = 120


@contextmanager
def running(folder: Path, clients: Sequence[Mapping[str, Any]] = ()) -> Iterator[str]:
    """The address of an empty server, stopped afterwards; the test is skipped where there is none.

    Args:
        folder: For its data.
        clients: Programs that may log in by SMART backend services, beside the bearer of the test.
    """
    try:
        program = fhir_server.find_fhir_server()
    except MissingDependencyError as error:
        pytest.skip(f"{error} (tests/live/install does so)")
    with fhir_server.running(program, folder, BEARER, clients) as base:
        yield base


def asked(base: str, path: str, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    """The server's answer to a GET, or to a POST of a resource."""
    headers = {"Content-Type": "application/fhir+json", "Authorization": f"Bearer {BEARER}"}
    content = None if resource is None else json.dumps(resource).encode()
    request = urllib.request.Request(f"{base}/{path}".rstrip("/"), content, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=SILENCE_S) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def load(base: str, export: Path) -> None:
    """Put every resource of a Bulk folder into the server."""
    fill_fhir_server(base, export, BEARER)


def put(base: str, resources: Sequence[dict[str, Any]]) -> None:
    """Put resources into the server under their own ids, in one transaction."""
    entries = [
        {
            "resource": resource,
            "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
        }
        for resource in resources
    ]
    done = asked(base, "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert len(done["entry"]) == len(entries)
