"""Questions to one archive: asked again where that may help, answered by its own origin or not at all.

No redirect is followed and no address that the archive sends is used: neither a token nor a patient's images
can be led elsewhere. Answers are read in pieces, and none may be larger or slower than its reader allows.
"""

from __future__ import annotations

import random
import time
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from connectors.dicom.web.address import Address
from connectors.dicom.web.waiting import PASSING, Patience, wait_seconds
from prognosis.errors import SourceError

if TYPE_CHECKING:
    import httpx

    from connectors.dicom.web.bounded import Deadline

Found = TypeVar("Found")
Query = Collection[tuple[str, str]]
BUSY = "see that the archive runs, then try again"
Body = Callable[[], Iterator[bytes]]
"""Makes the body anew each time that a question is asked."""


class AnswerCutOffError(Exception):
    """An answer ended too early; the question may be asked again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body is still to come.

    Attributes:
        status: Of HTTP.
        headers: Names in any case.
        pieces: The body, once.
    """

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


class Session:
    """A connection to one archive.

    Args:
        address: Where it is.
        uri: How the user named it.
        token: Gives a bearer token each time a question is asked; it goes to this archive only.
        patience: How long it may take.

    Raises:
        SourceError: A token would cross the network in the clear.
    """

    def __init__(
        self,
        address: Address,
        uri: str,
        token: Callable[[], str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        if token is not None and not address.confidential:
            raise SourceError(uri, "would be sent a token that anyone on the way can read", "use https")
        self.address = address
        self.uri = uri
        self.patience = patience or Patience()
        self._token = token
        self._client: httpx.Client | None = None
        self._deadline: Deadline | None = None

    def get(
        self,
        path: str,
        accept: str,
        take: Callable[[Answer], Found],
        *,
        query: Query = (),
        statuses: Collection[int] = (200,),
    ) -> Found:
        """What `take` makes of the answer to a GET.

        Args:
            path: Below the archive's root.
            accept: The media type asked for.
            take: Reads the answer; called again with a new one where it says that one was cut off.
            query: Names and values.
            statuses: What `take` is given; any other status is an error.

        Raises:
            SourceError: The archive cannot be reached, refuses, or gives no whole answer in time.
        """
        return self._exchange("GET", path, {"Accept": accept}, take, query, statuses, None)

    def post(
        self,
        path: str,
        headers: Mapping[str, str],
        body: Body,
        take: Callable[[Answer], Found],
        *,
        statuses: Collection[int],
    ) -> Found:
        """What `take` makes of the answer to a POST, which must be safe to repeat.

        Args:
            path: Below the archive's root.
            headers: With the type and the length of the body.
            body: Makes it.
            take: As for `get`.
            statuses: As for `get`.

        Raises:
            SourceError: As for `get`.
        """
        return self._exchange("POST", path, headers, take, (), statuses, body)

    def _exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        take: Callable[[Answer], Found],
        query: Query,
        statuses: Collection[int],
        body: Body | None,
    ) -> Found:
        import httpx

        from connectors.dicom.web.unreached import Failure, failure_of

        told, attempts = Failure("", BUSY), self.patience.attempts
        end = time.monotonic() + self.patience.deadline_s
        for attempt in range(attempts):
            stated: Mapping[str, str] = {}
            try:
                with self._asked(method, path, headers, query, body, end) as answer:
                    if answer.status_code not in PASSING:
                        self._check(answer, statuses)
                        return take(Answer(answer.status_code, answer.headers, answer.iter_raw()))
                    told = Failure(f"answered with status {answer.status_code}", BUSY)
                    stated = answer.headers
            except (httpx.TransportError, AnswerCutOffError) as error:
                told = failure_of(error)
            chance = random.random()  # noqa: S311 - no secret
            wait = wait_seconds(attempt, stated, chance, self.patience.first_wait_s)
            if attempt + 1 < attempts and time.monotonic() + wait >= end:
                none_left = f"and none of the {self.patience.deadline_s:g} s for an answer is left after"
                told = Failure(f"{told.problem.rstrip(',')}, {none_left}", told.remedy)
                attempts = attempt + 1
                break
            if attempt + 1 < attempts:
                time.sleep(wait)
        raise SourceError(self.uri, f"{told.problem} {attempts} times", told.remedy)

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Query,
        body: Body | None,
        end: float,
    ) -> Iterator[httpx.Response]:
        sent = {**headers, "Accept-Encoding": "identity", **self._authorization()}
        with self._connected(end).stream(
            method,
            f"{self.address.root}/{path}",
            params=tuple(query),
            headers=sent,
            content=None if body is None else body(),
        ) as answer:
            yield answer

    def _connected(self, end: float) -> httpx.Client:
        """Proxies and logins that this machine's settings name are left aside: they are other origins."""
        if self._client is None or self._deadline is None:
            import ssl

            import httpx

            from connectors.dicom.web.bounded import BoundedTransport, Deadline

            self._deadline = Deadline()
            secure = self.address.root.startswith("https:")  # else it stays unused; it is slow to fill
            trusted = ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._client = httpx.Client(
                timeout=httpx.Timeout(self.patience.silence_s, connect=self.patience.connect_s),
                follow_redirects=False,
                trust_env=False,
                transport=BoundedTransport(trusted, self._deadline),
            )
            weakref.finalize(self, self._client.close)
        self._deadline.end = end
        return self._client

    def _authorization(self) -> dict[str, str]:
        if self._token is None:
            return {}
        token = self._token()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise SourceError(self.uri, "was given a token that cannot be sent", "give a bearer token")
        return {"Authorization": f"Bearer {token}"}

    def _check(self, answer: httpx.Response, statuses: Collection[int]) -> None:
        status = answer.status_code
        if status in {401, 403}:
            remedy = "give a token that it accepts (PROGNOSIS_DICOMWEB_TOKEN)"
            raise SourceError(self.uri, f"refuses to answer (status {status})", remedy)
        if 300 <= status < 400:
            raise SourceError(self.uri, "sends its caller elsewhere", "give the address it moved to")
        if status not in statuses:
            raise SourceError(
                self.uri, f"answered with status {status}", "check that the address is a DICOMweb root"
            )
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise SourceError(self.uri, "compressed an answer unasked", "turn that off for DICOMweb")
