"""A FHIR R4 server of others, sekmet-fhir, on loopback: for the demonstration and for tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prognosis.cli.live.process import answers, free_port, started
from prognosis.errors import MissingDependencyError

PROGRAM = "sekmet"
REQUIREMENT = "sekmet-fhir==0.1.1"
VARIABLE = "PROGNOSIS_SEKMET"
"""The environment variable that may name the program, beside the option."""

INSTALL = (
    f"python3 -m venv runs/fhir-server && runs/fhir-server/bin/pip install {REQUIREMENT} "
    f"&& export {VARIABLE}=runs/fhir-server/bin/{PROGRAM}"
)
"""It asks for other versions of packages that are used here, so it lives in an environment of its own."""


def find_fhir_server(named: Path | None = None) -> str:
    """The program: the one that is named, else the one on the PATH.

    Raises:
        MissingDependencyError: There is none.
    """
    found = shutil.which(PROGRAM if named is None else str(named.absolute()))
    if found is None:
        where = "on the PATH" if named is None else f"at {named}"
        raise MissingDependencyError("the FHIR server", f"there is no program {PROGRAM} {where}", INSTALL)
    return found


@contextmanager
def running(
    program: str, folder: Path, token: str, clients: Sequence[Mapping[str, Any]] = ()
) -> Iterator[str]:
    """The address of an empty server on a free port of loopback, stopped by its process id at the end.

    Args:
        program: From `find_fhir_server`.
        folder: For its data; made where it is not there.
        token: The bearer token that it asks for.
        clients: Programs that may log in by SMART backend services, beside the token.

    Raises:
        SourceError: It does not start.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    settings = {  # JSON is YAML
        "host": "127.0.0.1",
        "port": port,
        "base_url": base,
        "data_dir": str(folder),
        "own_private_key_path": str(folder / "key.pem"),
        "log_inbound": False,
        "simulator": {"enabled": False},
        "server_auth": {
            "types": ["bearer", "smart"] if clients else ["bearer"],
            "tokens": [token],
            "smart_clients": list(clients),
        },
    }
    stated = folder / "settings.yaml"
    stated.touch(0o600)
    stated.write_text(json.dumps(settings), encoding="utf-8")
    command = [program, "serve", "-c", str(stated)]
    with started(command, folder / "log", lambda: answers(f"{base}/metadata", token)):
        yield base
