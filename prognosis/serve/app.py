"""The app: its routes, its front, and what begins and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from prognosis import __version__
from prognosis.serve import patients, state
from prognosis.serve.cds import routes as cds_routes
from prognosis.serve.front import OPEN, Front
from prognosis.serve.libraries_logs import keep_identifiers_out_of_libraries_logs
from prognosis.serve.problems import Problem, install
from prognosis.serve.renewing import keep_current, make_ready, warm
from prognosis.serve.service import Service


def create_app(service: Service, *, ahead: bool = False, every_s: float | None = None) -> FastAPI:
    """The app of a service.

    Args:
        service: What answers.
        ahead: Whether every patient is scored at the start.
        every_s: Seconds after which the sources are read again; None for when something is notified.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.ready = service.scores.counts(service.model.model_id)[0] > 0
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(keep_current(service, every_s))]
        if not service.ready:
            tasks.append(asyncio.create_task(make_ready(service)))
        if ahead:
            tasks.append(asyncio.create_task(warm(service, service.records.held())))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        service.close()

    keep_identifiers_out_of_libraries_logs()
    app = FastAPI(
        title=service.settings.name,
        version=__version__,
        summary=service.model.task.question,
        description="Explained, calibrated prognosis. Research software: it must not guide care.",
        lifespan=lifespan,
        docs_url=None,  # pages that would load scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = service
    for part in (patients.router, state.router, cds_routes.router):
        app.include_router(part)
    install(app)
    app.add_middleware(Front, service=service)
    _describe(app, authenticated=service.tokens is not None)
    return app


def _describe(app: FastAPI, *, authenticated: bool) -> None:
    """Add to OpenAPI the problem, and that all but the open routes take a bearer token."""
    stated: dict[str, Any] = app.openapi()
    stated["components"].setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    if authenticated:
        stated["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
        for path, methods in stated["paths"].items():
            for method, operation in methods.items():
                if path not in OPEN or method != "get":
                    operation["security"] = [{"bearer": []}]
