"""A real FHIR server that no one here wrote, `sekmet-fhir`, on loopback for a test."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BEARER = "of-this-test-only"
READY_S = 120


@contextmanager
def running(folder: Path, clients: Sequence[Mapping[str, Any]] = ()) -> Iterator[str]:
    """The address of an empty server, stopped afterwards; the test is skipped where there is none.

    Args:
        folder: For its data.
        clients: Programs that may log in by SMART backend services, beside the bearer of the test.
    """
    program = shutil.which("sekmet")
    if program is None:
        pytest.skip("no FHIR server here: tests/live/install makes an environment of one")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}/fhir"
    kinds = ["bearer", "smart"] if clients else ["bearer"]
    settings = {  # JSON is YAML
        "host": "127.0.0.1",
        "port": port,
        "base_url": base,
        "data_dir": str(folder),
        "own_private_key_path": str(folder / "key.pem"),
        "log_inbound": False,
        "simulator": {"enabled": False},
        "server_auth": {"types": kinds, "tokens": [BEARER], "smart_clients": list(clients)},
    }
    (folder / "settings.yaml").write_text(json.dumps(settings), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        command = [program, "serve", "-c", str(folder / "settings.yaml")]
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            wait_until_ready(base, server, folder / "log")
            yield base
        finally:
            server.kill()
            server.wait()


def wait_until_ready(base: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            asked(base, "metadata")
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the FHIR server was not ready within {READY_S} s: {log.read_text(encoding='utf-8')}")


def asked(base: str, path: str, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    """The server's answer to a GET, or to a POST of a resource."""
    headers = {"Content-Type": "application/fhir+json", "Authorization": f"Bearer {BEARER}"}
    content = None if resource is None else json.dumps(resource).encode()
    request = urllib.request.Request(f"{base}/{path}".rstrip("/"), content, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=READY_S) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def load(base: str, export: Path) -> None:
    """Put every resource of a Bulk folder into the server, those that others refer to first."""
    names = [path.stem for path in export.glob("*.ndjson")]
    first = [name for name in ("Organization", "Patient") if name in names]
    resources = [
        json.loads(line)
        for name in [*first, *sorted(set(names) - set(first))]
        for line in (export / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    put(base, resources)


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
