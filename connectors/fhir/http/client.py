"""Requests to one FHIR server: to named origins only, bounded in size and time; reading is made again."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import anyio
import httpx

from connectors.fhir.http.answer import Answer, refused
from connectors.fhir.http.limits import MEBIBYTE, Limits
from connectors.fhir.http.login import GivenToken, Login, Token
from connectors.fhir.http.logs import keep_addresses_out_of_logs
from connectors.fhir.http.origin import Origin
from connectors.fhir.http.retry import RetryPolicy, is_retried
from connectors.fhir.http.unreached import remedy_of
from connectors.fhir.mapping_fields import Json
from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError, SourceError

BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*\Z")
"""RFC 6750, section 2.1."""

FHIR_JSON = "application/fhir+json"
DONE = frozenset({200})
ABSENT = frozenset({404, 410})
"""Statuses of a resource that is not there, or was deleted."""


class FhirClient:
    """An open connection to one FHIR R4 server; use it as an async context manager.

    Redirects are not followed and proxies and password files of the environment are not used: nothing but
    `origin` and what it names beside is ever spoken to, and the token goes to `origin` alone. Certificates
    are checked against those that the operating system trusts. Each request has a connection of its own:
    on one that is kept, an answer that comes twice would be taken for that to the next request.

    Args:
        origin: The server.
        token: Gives a bearer token; None for a server that asks for none.
        login: Gets one and renews it, instead.
        policy: When a request is made again.
        limits: Bounds on size, silence and requests at once.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        token: Token | None = None,
        login: Login | None = None,
        policy: RetryPolicy | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.origin = origin
        self.policy = policy or RetryPolicy()
        self.limits = limits or Limits()
        self.login = GivenToken(token) if login is None and token is not None else login
        self._turns = anyio.Semaphore(self.limits.requests_at_once)
        self._http = httpx.AsyncClient(
            headers={"Accept": FHIR_JSON, "Accept-Encoding": "gzip"},
            timeout=self.limits.silence_s,
            limits=httpx.Limits(max_keepalive_connections=0),
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
        answer = await self.answer(
            "GET", name, name, headers={"Cache-Control": "no-cache"}, accepted=DONE | ABSENT
        )
        return None if answer.status in ABSENT else _parsed(answer, f"{self.origin.name} {name}")

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
                    return await self._sent(request, f"{self.origin.name} {what}", bearer=True)
                except httpx.HTTPError:
                    return None
        return None

    async def answer(
        self,
        method: str,
        link: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Callable[[], Mapping[str, str]] | None = None,
        accepted: frozenset[int] = DONE,
        bearer: bool = True,
    ) -> Answer:
        """The answer to a request that is about more than one resource: a login, an export.

        Args:
            method: Of HTTP.
            link: Absolute or relative to the base; to the server's origin or to one named beside it.
            what: What is asked for, for errors.
            headers: Beside those that are always sent.
            form: Makes what is sent, anew for each attempt: an assertion may be used once only.
            accepted: Statuses that are answers; another is made again or refused.
            bearer: Whether the token goes along; it never does to another origin than the server's.

        Raises:
            SourceError: The link leads elsewhere, or the server gives no such answer within the limits.
        """
        reached = self.origin.reached(link)

        def made() -> httpx.Request:
            content = None if form is None else dict(form())
            return self._http.build_request(method, reached.url, data=content, headers=dict(headers or {}))

        return await self._within(made, what, accepted, bearer=bearer and reached.own)

    @asynccontextmanager
    async def streamed(
        self, link: str, what: str, headers: Mapping[str, str], *, bearer: bool
    ) -> AsyncIterator[httpx.Response]:
        """An answer whose content is still to come, for what does not fit into memory; made once only.

        Args:
            link: As `answer` takes it.
            what: What is asked for, for errors.
            headers: Beside those that are always sent.
            bearer: Whether the token goes along; it never does to another origin than the server's.

        Raises:
            SourceError: The link leads elsewhere, or no token can be had.
            httpx.HTTPError: The connection fails.
        """
        reached = self.origin.reached(link)
        request = self._http.build_request("GET", reached.url, headers=dict(headers))
        async with self._turns:
            await self._authorise(request, bearer=bearer and reached.own)
            response = await self._http.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()

    async def _resource(self, request: httpx.Request, what: str) -> Json:
        reference = f"{self.origin.name} {what}"
        answer = await self._within(lambda: request, what, DONE, bearer=True)
        return _parsed(answer, reference)

    async def _within(
        self, made: Callable[[], httpx.Request], what: str, accepted: frozenset[int], *, bearer: bool
    ) -> Answer:
        reference = f"{self.origin.name} {what}"
        try:
            async with self._turns:
                with anyio.fail_after(self.policy.deadline_s):
                    return await self._answered(made, reference, accepted, bearer=bearer)
        except TimeoutError as error:
            problem = f"gives no whole answer within {self.policy.deadline_s:g} s"
            raise SourceError(reference, problem, "try again later") from error

    async def _answered(
        self, made: Callable[[], httpx.Request], reference: str, accepted: frozenset[int], *, bearer: bool
    ) -> Answer:
        failures = 0
        renewed = False
        while True:
            request = made()
            try:
                answer = await self._sent(request, reference, bearer=bearer)
            except httpx.TransportError as error:
                failures += 1
                if failures >= self.policy.attempts:
                    problem = f"no whole answer in {failures} attempts ({type(error).__name__})"
                    raise SourceError(reference, problem, remedy_of(error)) from error
                headers = None
            except httpx.HTTPError as error:
                problem = f"its answer cannot be read ({type(error).__name__})"
                raise SourceError(reference, problem, "mend the server") from error
            else:
                if answer.status in accepted:
                    return answer
                if answer.status == 401 and bearer and not renewed and await self.renewed(request):
                    renewed = True
                    continue
                failures += 1
                if not is_retried(answer.status) or failures >= self.policy.attempts:
                    raise refused(answer, reference, failures)
                headers = answer.headers
            await anyio.sleep(self.policy.wait_s(failures, headers))

    async def renewed(self, request: httpx.Request) -> bool:
        """Whether there is another token than the one that a request was refused with."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return bool(self.login is not None and scheme and await self.login.renew(token))

    async def _authorise(self, request: httpx.Request, *, bearer: bool) -> None:
        if self.login is None or not bearer:
            return
        token = await self.login.token()
        if not BEARER.match(token):
            problem, remedy = "the token for it is no bearer token", "give it without spaces or line ends"
            raise SourceError(self.origin.name, problem, remedy)
        request.headers["Authorization"] = f"Bearer {token}"

    async def _sent(self, request: httpx.Request, reference: str, *, bearer: bool) -> Answer:
        await self._authorise(request, bearer=bearer)
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


def _parsed(answer: Answer, reference: str) -> Json:
    try:
        return parse_resource(answer.content, reference)
    except MappingError as error:
        raise SourceError(reference, f"its answer {error.problem}", "mend the server") from error
