"""`prognosis serve`: a model and its sources as a service."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prognosis.cli.console import stderr
from prognosis.cli.sources.charts import FhirCharts
from prognosis.cli.sources.patients import SourcePatients
from prognosis.errors import MissingDependencyError
from prognosis.fusion import load_model

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
        import uvicorn

        from prognosis.serve.app import create_app
        from prognosis.serve.service import Service
    except ImportError as error:
        raise MissingDependencyError(
            "prognosis serve", "needs fastapi and uvicorn", "install prognosis[serve]"
        ) from error
    from prognosis.serve.settings import ServiceSettings
    from prognosis.serve.state_folder import StateFolder

    stated = ServiceSettings.load(settings) if settings else ServiceSettings()
    stated.check_binding(listening.host)
    _log_to_stderr()
    model = load_model(folder, cache)
    records = SourcePatients(sources, model.task)
    service = Service.open(stated, model, records, FhirCharts(), StateFolder(state, audit_head))
    if service.tokens is None:
        told = "no clients are named, so nobody is asked who they are: this machine only is answered"
        stderr.print(told, soft_wrap=True)
    if len(records.quarantine):
        stderr.print(f"{len(records.quarantine)} inputs set aside; `prognosis cohort describe` names them")
    stderr.print(f"http://{listening.host}:{listening.port}, model {model.model_id}", highlight=False)
    uvicorn.run(
        create_app(service, ahead=listening.warm, every_s=listening.every_s),
        host=listening.host,
        port=listening.port,
        access_log=False,  # addresses hold patient ids
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=OPEN_REQUESTS,
        timeout_graceful_shutdown=LAST_ANSWERS_S,
    )


def _log_to_stderr() -> None:
    """One line a request, of ours; of other libraries only what is wrong."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("prognosis.serve").setLevel(logging.INFO)
