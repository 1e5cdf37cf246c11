"""What every request passes: size, who asks, the audit before the answer, counts, and a line in the log."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prognosis.errors import AccessError, AuditError, PrognosisError
from prognosis.serve.audit import Entry
from prognosis.serve.auth.grant import Grant, everything
from prognosis.serve.problems import problem, problem_of
from prognosis.serve.service import Service
from prognosis.serve.settings import LOOPBACK

log = logging.getLogger("prognosis.serve")

LARGEST_BODY = 32 * 2**20
OPEN = frozenset({"/health", "/ready", "/metrics", "/metadata", "/openapi.json", "/cds-services"})
"""Paths that need no token and say nothing about any patient; /cds-services by GET."""

NOTIFY = "/notifications"
"""The path that has a secret of its own."""


@dataclass(slots=True)
class Facts:
    """What a request turns out to be about, for the audit; routes fill it in as they learn it.

    Attributes:
        request: A number of its own (uuid).
        grant: Who asks; None until that is known.
        patient: Pseudonym of the patient.
        model_id: What answered.
        score: Digest of the score given.
        card: Uuid of the card given.
        error: Kind of what went wrong.
    """

    request: str
    grant: Grant | None = None
    patient: str = ""
    model_id: str = ""
    score: str = ""
    card: str = ""
    error: str = ""


@dataclass(slots=True)
class _Answer:
    """An answer that is held back until it is in the audit."""

    start: Message | None = None
    body: bytes = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


class Front:
    """The outermost layer of the app.

    Args:
        app: What answers.
        service: Whose it is.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing goes out before it is in the audit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()
        facts = Facts(str(uuid.uuid4()))
        scope.setdefault("state", {})["facts"] = facts
        answer = await self._answered(scope, receive, facts)
        assert answer.start is not None  # noqa: S101 - an app that answers nothing is answered for
        route = route_of(scope)
        if not _is_open(scope):
            answer = await self._written(scope, receive, facts, answer, route)
        status = answer.start["status"] if answer.start else 500
        seconds = time.monotonic() - began
        self.service.metrics.answered(route, status, seconds)
        log.info("%s %d %.1f ms %s%s", route, status, 1000 * seconds, facts.request, _why(facts))
        if answer.start is not None:
            await send(answer.start)
            await send({"type": "http.response.body", "body": answer.body})

    async def _answered(self, scope: Scope, receive: Receive, facts: Facts) -> _Answer:
        answer = _Answer()
        try:
            await self._admit(scope, facts)
            body = await _body(receive)
            if body is None:
                told = problem(413, "size", "The request is too large", "send less", facts.request)
                return await _told(told, scope, receive)
            await self.app(scope, _given(body, receive), answer.send)
        except PrognosisError as error:
            facts.error = type(error).__name__
            return await _told(problem_of(error, facts.request), scope, receive)
        except Exception as error:  # noqa: BLE001 - its message may hold what the record holds
            facts.error = type(error).__name__
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                facts.error += f" at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
        if answer.start is None or (facts.error and answer.start["status"] < 400):
            detail = "the service's own log names the kind of error under this instance"
            told = problem(500, "unexpected", "The answer could not be made", detail, facts.request)
            return await _told(told, scope, receive)
        return answer

    async def _admit(self, scope: Scope, facts: Facts) -> None:
        """Find out who asks, before anything of the request is read."""
        headers = Headers(scope=scope)
        if self.service.tokens is None:
            _require_loopback(headers)
            facts.grant = everything("this machine")
            return
        if _is_open(scope) or scope["path"] == NOTIFY:
            return
        base = self.service.settings.base_url or ""
        cds = scope["path"].startswith("/cds-services/")
        audience = f"{base}{scope['path']}" if cds else base
        check, now = self.service.tokens, self.service.now().timestamp()
        header = headers.get("authorization")
        facts.grant = await self.service.reading.run(
            lambda: check.grant(header, audience, "cds" if cds else "rest", now)
        )

    async def _written(
        self, scope: Scope, receive: Receive, facts: Facts, answer: _Answer, route: str
    ) -> _Answer:
        """The answer once its entry is on disk; if that cannot be, a problem in its place."""
        entry = Entry(
            time=self.service.now().isoformat(),
            request=facts.request,
            client=facts.grant.client if facts.grant else "",
            route=route,
            status=answer.start["status"] if answer.start else 500,
            answer=hashlib.sha256(answer.body).hexdigest(),
            patient=facts.patient,
            model_id=facts.model_id,
            score=facts.score,
            card=facts.card,
        )
        try:
            with anyio.CancelScope(shield=True):
                await asyncio.wrap_future(self.service.audit.append(entry))
        except AuditError as error:
            facts.error = type(error).__name__
            return await _told(problem_of(error, facts.request), scope, receive)
        return answer


def route_of(scope: Scope) -> str:
    """Method and pattern of the route that was taken, or tried in vain; nothing the client wrote is in it.

    Who is refused has not come as far as a route: it is looked for then, so that a log shows what was tried.
    """
    taken = scope.get("route")
    pattern = _tried(scope) if taken is None else getattr(taken, "path", None)
    method = scope["method"] if scope["method"] in _METHODS else "other"
    return f"{method} {pattern or 'no route'}"


def _tried(scope: Scope) -> str | None:
    """The pattern of the route that a path is of, whatever the method."""
    patterns = scope["app"].openapi()["paths"]  # made once, and kept by the app
    return next((each for each in patterns if compile_path(each)[0].match(scope["path"])), None)


_METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"})


def _is_open(scope: Scope) -> bool:
    return scope["path"] in OPEN and scope["method"] in ("GET", "HEAD")


def _require_loopback(headers: Headers) -> None:
    """Refuse what a web page in a browser on this machine may send: another name, or an origin."""
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    origin = headers.get("origin")
    if host not in LOOPBACK or (origin is not None and urlsplit(origin).hostname not in LOOPBACK):
        raise AccessError("a service without clients", "answers this machine only", "call it as 127.0.0.1")


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None where it is larger than is taken."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _given(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read again by the app."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again


async def _told(response: Response, scope: Scope, receive: Receive) -> _Answer:
    answer = _Answer()
    await response(scope, receive, answer.send)
    return answer


def _why(facts: Facts) -> str:
    return f" {facts.error}" if facts.error else ""


def facts_of(request: Request) -> Facts:
    """The facts of a request."""
    facts = request.state.facts
    assert isinstance(facts, Facts)  # noqa: S101 - Front puts them there
    return facts


def grant_of(request: Request) -> Grant:
    """Who asks."""
    grant = facts_of(request).grant
    assert grant is not None  # noqa: S101 - Front lets no other request through
    return grant
