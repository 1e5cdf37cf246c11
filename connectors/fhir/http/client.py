"""Requests to one FHIR server: same origin, bounded in size and time, reading made again when it helps."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import anyio
import httpx

from connectors.fhir.http.logs import keep_addresses_out_of_logs
from connectors.fhir.http.origin import Origin
from connectors.fhir.http.outcome import stated_issues
from connectors.fhir.http.retry import RetryPolicy, is_retried
from connectors.fhir.mapping_fields import Json
from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError, SourceError

Token = Callable[[], str]
"""Gives the access token of the moment; asked before every attempt, so that it can be renewed."""

_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*\Z")
"""RFC 6750, section 2.1."""

FHIR_JSON = "application/fhir+json"
MEBIBYTE = 2**20

ABSENT = frozenset({404, 410})
"""Statuses of a resource that is not there, or was deleted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one server may cost.

    Attributes:
        answer_bytes: Of one answer, inflated.
        silence_s: Seconds without a byte after which an attempt has failed.
        requests_at_once: Requests under way at one time.
    """

    answer_bytes: int = 64 * MEBIBYTE
    silence_s: float = 30.0
    requests_at_once: int = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def accepted(self) -> bool:
        """Whether the server says that it did what was asked."""
        return 200 <= self.status <= 299

    def told(self) -> str:
        """Its status, with the types of issue that it states."""
        issues = stated_issues(self.content)
        why = f" ({', '.join(issues)})" if issues else ""
        return f"status {self.status}{why}"


class FhirClient:
    """An open connection to one FHIR R4 server; use it as an async context manager.

    Redirects are not followed and proxies and password files of the environment are not used: nothing but
    `origin` is ever spoken to, so a token cannot leave it. Certificates are checked against those that the
    operating system trusts.

    Args:
        origin: The server.
        token: Gives a bearer token; None for a server that asks for none.
        policy: When a request is made again.
        limits: Bounds on size, silence and requests at once.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        token: Token | None = None,
        policy: RetryPolicy | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.origin = origin
        self.policy = policy or RetryPolicy()
        self.limits = limits or Limits()
        self._token = token
        self._turns = anyio.Semaphore(self.limits.requests_at_once)
        self._http = httpx.AsyncClient(
            headers={"Accept": FHIR_JSON, "Accept-Encoding": "gzip"},
            timeout=self.limits.silence_s,
            follow_redirects=False,
            trust_env=False,
            verify=ssl.create_default_context() if self.origin.encrypted else False,
        )

    async def __aenter__(self) -> Self:
        keep_addresses_out_of_logs()
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def read(self, link: str, what: str) -> Json:
        """The resource at a link, by GET.

        Args:
            link: Absolute or relative to the base; opaque.
            what: What is asked for, for errors: "Observation page 3".

        Raises:
            SourceError: The link leads elsewhere, or the server gives no resource within the limits.
        """
        return await self._resource(self._http.build_request("GET", self.origin.resolved(link)), what)

    async def search(self, kind: str, parameters: Mapping[str, str], what: str) -> Json:
        """The first page of a search, by POST: parameters that name patients stay out of addresses and logs.

        `Prefer: handling=strict` has the server refuse a parameter that it does not know (FHIR R4, section
        3.1.1.3); a server that ignored `patient` would answer with every patient.

        Args:
            kind: The resource type.
            parameters: As the search takes them.
            what: What is asked for, for errors.

        Raises:
            SourceError: The server gives no resource within the limits.
        """
        return await self._resource(
            self._http.build_request(
                "POST",
                self.origin.resolved(f"{kind}/_search"),
                data=parameters,
                headers={"Prefer": "handling=strict"},
            ),
            what,
        )

    async def held(self, name: str) -> Json | None:
        """The resource of a name, "Device/x", as it is now; None where the server has none.

        Raises:
            SourceError: The server says neither within the limits.
        """
        request = self._http.build_request("GET", self.origin.resolved(name))
        request.headers["Cache-Control"] = "no-cache"
        answer = await self._in_turn(request, f"{self.origin.name} {name}", absent=True)
        return None if answer.status in ABSENT else self._parsed(answer, f"{self.origin.name} {name}")

    async def submit(self, bundle: Json, what: str) -> Answer | None:
        """Send a transaction once; whether it is sent again is for the caller, who can see what it did.

        Args:
            bundle: A transaction.
            what: What is written, for errors.

        Returns:
            The answer, whatever its status; None where there was none, so that it may have been done or not.

        Raises:
            SourceError: The token is none, or the answer is larger than the limits allow.
        """
        request = self._http.build_request(
            "POST",
            self.origin.base.copy_with(path=self.origin.base.path.rstrip("/") or "/"),
            content=json.dumps(bundle, allow_nan=False).encode(),
            headers={"Content-Type": FHIR_JSON, "Prefer": "return=minimal"},
        )
        with anyio.move_on_after(self.policy.deadline_s):
            async with self._turns:
                try:
                    return await self._sent(request, f"{self.origin.name} {what}")
                except httpx.HTTPError:
                    return None
        return None

    async def _resource(self, request: httpx.Request, what: str) -> Json:
        reference = f"{self.origin.name} {what}"
        return self._parsed(await self._in_turn(request, reference), reference)

    async def _in_turn(self, request: httpx.Request, reference: str, *, absent: bool = False) -> Answer:
        try:
            async with self._turns:
                with anyio.fail_after(self.policy.deadline_s):
                    return await self._answered(request, reference, ABSENT if absent else frozenset())
        except TimeoutError as error:
            problem = f"gives no whole answer within {self.policy.deadline_s:g} s"
            raise SourceError(reference, problem, "try again later") from error

    def _parsed(self, answer: Answer, reference: str) -> Json:
        try:
            return parse_resource(answer.content, reference)
        except MappingError as error:
            raise SourceError(reference, f"its answer {error.problem}", "mend the server") from error

    async def _answered(self, request: httpx.Request, reference: str, expected: frozenset[int]) -> Answer:
        failures = 0
        while True:
            try:
                answer = await self._sent(request, reference)
            except httpx.TransportError as error:
                failures += 1
                if failures >= self.policy.attempts:
                    problem = f"no whole answer in {failures} attempts ({type(error).__name__})"
                    raise SourceError(reference, problem, "check the server and the way to it") from error
                headers = None
            except httpx.HTTPError as error:
                problem = f"its answer cannot be read ({type(error).__name__})"
                raise SourceError(reference, problem, "mend the server") from error
            else:
                if answer.status == 200 or answer.status in expected:
                    return answer
                failures += 1
                if not is_retried(answer.status) or failures >= self.policy.attempts:
                    raise _refused(answer, reference, failures)
                headers = answer.headers
            await anyio.sleep(self.policy.wait_s(failures, headers))

    async def _sent(self, request: httpx.Request, reference: str) -> Answer:
        if self._token is not None:
            token = self._token()
            if not _BEARER.match(token):
                problem, remedy = "the token for it is no bearer token", "give it without spaces or line ends"
                raise SourceError(self.origin.name, problem, remedy)
            request.headers["Authorization"] = f"Bearer {token}"
        response = await self._http.send(request, stream=True)
        try:
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > self.limits.answer_bytes:
                    problem = f"answers with more than {self.limits.answer_bytes / MEBIBYTE:g} MiB"
                    raise SourceError(reference, problem, "ask for fewer resources a page")
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, bytes(content))


def _refused(answer: Answer, reference: str, attempts: int) -> SourceError:
    times = f" in {attempts} attempts" if attempts > 1 else ""
    if answer.status in (401, 403):
        remedy = "give a token whose scopes allow this read"
    elif 300 <= answer.status <= 399:
        remedy = "name the address that it redirects to"
    elif is_retried(answer.status):
        remedy = "try again later"
    else:
        remedy = "check the address, and that the server supports this search"
    return SourceError(reference, f"answers with {answer.told()}{times}", remedy)
