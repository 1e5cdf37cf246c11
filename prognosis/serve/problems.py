"""What went wrong, as RFC 9457 says it: by kind, without what was asked about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import takewhile
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from prognosis.errors import (
    AbsentError,
    AccessError,
    AuditError,
    BusyError,
    ConfigError,
    IdentityError,
    InputError,
    MissingDataError,
    MissingDependencyError,
    ModelError,
    PrognosisError,
    RequestError,
    ServiceError,
    SourceError,
)
from prognosis.serve.turns import COME_BACK_S

PROBLEM_JSON = "application/problem+json"


class Problem(BaseModel):
    """A problem (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:prognosis:problem:access",
                "title": "The token does not allow this",
                "status": 403,
                "detail": "ask with a token whose scopes and patient do",
                "instance": "urn:uuid:0b8f1f1e-6d1b-4f0e-9a54-3f1d1c1f2a77",
            }
        }
    )
    type: str
    title: str
    status: int
    detail: str
    instance: str


# The first that fits. A ServiceError is worded here and holds nothing of the request; of the others, whose
# references may name a patient or a study, only the kind is told.
_KINDS: Sequence[tuple[type[PrognosisError], int, str, str]] = (
    (IdentityError, 401, "identity", ""),
    (AccessError, 403, "access", ""),
    (AbsentError, 404, "absent", ""),
    (MissingDataError, 412, "missing-data", ""),
    (RequestError, 422, "request", ""),
    (BusyError, 503, "busy", ""),
    (AuditError, 503, "audit", "The answer could not be written to the audit, so it is not given"),
    (ConfigError, 500, "settings", "The service is not set up as it should be"),
    (SourceError, 502, "source", "A source of records cannot be read"),
    (InputError, 422, "record", "The patient's record cannot be scored"),
    (ModelError, 500, "model", "The model cannot be used"),
    (MissingDependencyError, 500, "installation", "Something is not installed"),
    (PrognosisError, 500, "unexpected", "The answer could not be made"),
)


def problem(status: int, kind: str, title: str, detail: str, request: str) -> JSONResponse:
    """A problem as an answer."""
    told = Problem(
        type=f"urn:prognosis:problem:{kind}",
        title=title,
        status=status,
        detail=detail,
        instance=f"urn:uuid:{request}",
    )
    return JSONResponse(told.model_dump(), status, _headers(status), PROBLEM_JSON)


def _headers(status: int) -> dict[str, str]:
    """What a status asks for beside its body."""
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(COME_BACK_S)} if status == 503 else {}


def problem_of(error: PrognosisError, request: str) -> JSONResponse:
    """The answer that an error of ours becomes."""
    for kind, status, name, title in _KINDS:
        if isinstance(error, kind):
            if isinstance(error, ServiceError):
                told = f"{error.reference} {error.problem}"
                return problem(status, name, told[0].upper() + told[1:], error.remedy, request)
            detail = "the service's own log names the kind of error under this instance"
            return problem(status, name, title, detail, request)
    raise AssertionError  # the last kind is the root of all


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, each with an example, for OpenAPI."""
    return {
        status: {
            "description": _TITLES[status],
            "content": _contents(status),
            "headers": dict.fromkeys(_headers(status), _HEADER),
        }
        for status in statuses
    }


def _contents(status: int) -> dict[str, Any]:
    kind, title = next(
        ((name, told or _TITLES[status]) for _, stated, name, told in _KINDS if stated == status),
        ("http", _TITLES[status]),
    )
    told = Problem(
        type=f"urn:prognosis:problem:{kind}",
        title=title,
        status=status,
        detail="what would be right, or where it is said",
        instance="urn:uuid:0b8f1f1e-6d1b-4f0e-9a54-3f1d1c1f2a77",
    )
    problems = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": told.model_dump()}
    if status != 503:
        return {PROBLEM_JSON: problems}
    # Beyond its number of open connections the server answers before the app, in these words.
    return {PROBLEM_JSON: problems, "text/plain": {"schema": {"type": "string"}, "example": TOO_MANY}}


_HEADER = {"schema": {"type": "string"}}
TOO_MANY = "Service Unavailable"


_TITLES = {
    400: "The request is malformed",
    401: "Who asks is not known",
    403: "Who asks may not; the same whether or not there is such a patient",
    404: "There is nothing of this name",
    405: "The route does not take this method",
    412: "What the answer rests on was not sent and cannot be had",
    413: "The request is too large",
    422: "The request, or the patient's record, cannot be used",
    500: "The answer could not be made",
    502: "A source of records cannot be read",
    503: "As much is being done as the service takes on, or the audit cannot be written",
}


def install(app: FastAPI) -> None:
    """Have an app answer every error as a problem."""

    @app.exception_handler(PrognosisError)
    async def _ours(request: Request, error: PrognosisError) -> JSONResponse:
        request.state.facts.error = type(error).__name__
        return problem_of(error, request.state.facts.request)

    @app.exception_handler(RequestValidationError)
    async def _malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        detail = "; ".join(sorted({_fault(each, _published_names(app)) for each in error.errors()}))
        return problem(422, "request", "The request cannot be read", detail, request.state.facts.request)

    @app.exception_handler(HTTPException)
    async def _refused(request: Request, error: HTTPException) -> JSONResponse:
        status = error.status_code if error.status_code in _TITLES else 500
        answer = problem(status, "http", _TITLES[status], "see /openapi.json", request.state.facts.request)
        answer.headers.update(error.headers or {})
        return answer


def _published_names(app: FastAPI) -> frozenset[str]:
    """Names of fields that OpenAPI states: of these a client may be told, whoever its patients are."""
    schemas = app.openapi()["components"]["schemas"].values()  # made once, and kept by the app
    return frozenset(name for schema in schemas for name in schema.get("properties", ()))


def _fault(fault: Mapping[str, Any], published: Collection[str]) -> str:
    """What is wrong with a request, by kind and place: other names inside it may be a patient's."""
    where, *below = fault["loc"] or ("request",)
    if fault["type"] == "json_invalid":
        return f"the {where} is not JSON"
    if where in ("path", "query", "header"):
        return f"the {where} {below[0] if below else ''} has a part that is wrong ({fault['type']})"
    known = takewhile(lambda each: isinstance(each, int) or each in published, below)
    place = ".".join(str(each) for each in known)
    return f"the {where} has a part that is wrong ({place + ': ' if place else ''}{fault['type']})"
