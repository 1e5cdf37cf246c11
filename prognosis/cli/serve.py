"""`prognosis serve`: a model and its sources as a service."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prognosis.cli.console import stderr
from prognosis.cli.sources.charts import FhirCharts
from prognosis.cli.sources.patients import SourcePatients
from prognosis.errors import ConfigError, MissingDependencyError
from prognosis.fusion import load_model

if TYPE_CHECKING:
    from fastapi import FastAPI

LAST_ANSWERS_S = 30
"""For requests that are being answered when the service is told to end."""

OPEN_REQUESTS = 1024


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how a service listens.

    Attributes:
        host: Address.
        port: Port; 0 for any that is free.
        every_s: Seconds after which the sources are read again; None for when something is notified.
        warm: Whether every patient is scored at the start.
    """

    host: str
    port: int
    every_s: float | None
    warm: bool


def run_serve(
    folder: Path,
    sources: Sequence[str],
    state: Path,
    listening: Listening,
    *,
    settings: Path | None,
    audit_head: Path | None,
    cache: Path | None,
) -> None:
    """Answer until a signal says to end; then finish what was asked.

    Raises:
        MissingDependencyError: The extra `serve` is not installed.
        PrognosisError: The model, the sources, the settings or the folder of state cannot be used.
    """
    try:
        import uvicorn  # noqa: F401 - whether it is there is seen before anything is read

        from prognosis.serve.app import create_app
        from prognosis.serve.service import Service
    except ImportError as error:
        raise MissingDependencyError(
            "prognosis serve",
            "needs fastapi and uvicorn",
            "run make install, or pip install '.[serve]' in the clone",
        ) from error
    from prognosis.serve.settings import ServiceSettings
    from prognosis.serve.state_folder import StateFolder

    stated = ServiceSettings.load(settings) if settings else ServiceSettings()
    stated.check_binding(listening.host)
    with _bound(listening.host, listening.port) as listener:
        _log_to_stderr()
        model = load_model(folder, cache)
        records = SourcePatients(sources, model.task)
        service = Service.open(stated, model, records, FhirCharts(), StateFolder(state, audit_head))
        if service.tokens is None:
            told = "no clients are named, so nobody is asked who they are: this machine only is answered"
            stderr.print(told, soft_wrap=True)
        if len(records.quarantine):
            stderr.print(
                f"{len(records.quarantine)} inputs set aside; `prognosis cohort describe` names them"
            )
        host, port = listener.getsockname()[:2]
        told = f"http://{_in_address(host)}:{port}, model {model.model_id}"
        stderr.print(told, highlight=False, soft_wrap=True)
        _answer(create_app(service, ahead=listening.warm, every_s=listening.every_s), listener)


def _answer(app: FastAPI, listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,
        access_log=False,  # addresses hold patient ids
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=OPEN_REQUESTS,
        timeout_graceful_shutdown=LAST_ANSWERS_S,
    )
    with suppress(KeyboardInterrupt):  # it has ended by then, as it was asked
        uvicorn.Server(config).run(sockets=[listener])


def _bound(host: str, port: int) -> socket.socket:
    """The place to listen at, taken before a model is read for nothing.

    Raises:
        ConfigError: It is in use, or is none of this machine's.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        problem, remedy = f"cannot be listened on ({error.strerror})", "stop what uses it, or name another"
        raise ConfigError(f"{_in_address(host)}:{port}", problem, remedy) from error
    return listener


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _log_to_stderr() -> None:
    """One line a request, of ours; of other libraries only what is wrong."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("prognosis.serve").setLevel(logging.INFO)
