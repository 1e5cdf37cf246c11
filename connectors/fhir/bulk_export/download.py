"""One file of an export on disk: as it comes, going on after a break, and verified before it counts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx

from connectors.fhir.bulk_export.manifest import ExportFile
from connectors.fhir.bulk_export.waiting import Patience
from connectors.fhir.files import MAX_LINE_BYTES
from connectors.fhir.http.answer import Answer, refused
from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.retry import is_retried
from prognosis.errors import SourceError

_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/")
_PROGRESS_BYTES = 2**20
"""An attempt that brought so much is no failure: a large file may break often and come in the end."""


class _BrokenOffError(Exception):
    """An attempt that may be made again, with what is known of why."""

    def __init__(self, why: str, answer: Answer | None = None) -> None:
        super().__init__(why)
        self.answer = answer


class Download:
    """One file on its way.

    The server is asked for the bytes as they are, not compressed: only then does a range of them mean the
    same after a break. A download goes on only under the ETag or date that the file began with (If-Range);
    a server that gives neither, or no ranges, sends the file from its start again.

    Args:
        client: The server.
        file: Which file.
        folder: Where it goes; while it comes it ends in ".part".
        needs_token: Whether the file wants the token.
        patience: Bounds.
        validator: What an earlier attempt began with; "" for none.
        on_begun: Told what the file begins with, before anything is written.
    """

    def __init__(
        self,
        client: FhirClient,
        file: ExportFile,
        folder: Path,
        *,
        needs_token: bool,
        patience: Patience,
        validator: str,
        on_begun: Callable[[str], None],
    ) -> None:
        self._client = client
        self._file = file
        self._path = folder / file.name
        self._part = folder / f"{file.name}.part"
        self._needs_token = needs_token
        self._patience = patience
        self._validator = validator
        self._on_begun = on_begun
        self._reference = f"{client.origin.name} {file.name}"

    async def finished(self) -> int:
        """How many resources the file holds, when it is here whole.

        Raises:
            SourceError: It cannot be had whole, or is not what the manifest says.
        """
        if self._needs_token and not self._client.origin.reached(self._file.url).own:
            problem = "wants the token at another origin than the server's, where it is never sent"
            raise SourceError(self._reference, problem, "have the files given by the server, or signed")
        try:
            with anyio.fail_after(self._patience.file_s):
                await self._fetched()
        except TimeoutError as error:
            problem = f"is not here after {self._patience.file_s / 3600:.3g} h"
            raise SourceError(self._reference, problem, "run the same command again") from error
        except OSError as error:
            problem = f"cannot be written ({type(error).__name__})"
            raise SourceError(
                self._reference, problem, "make room, and run the same command again"
            ) from error
        return self._verified()

    async def _fetched(self) -> None:
        failures, renewals = 0, 1
        policy = self._client.policy
        while True:
            before = self._size()
            try:
                await self._attempted(renewals > 0)
            except _RenewedError:
                renewals -= 1
                continue
            except (httpx.HTTPError, _BrokenOffError) as error:
                failures = 1 if self._size() - before >= _PROGRESS_BYTES else failures + 1
                answer = error.answer if isinstance(error, _BrokenOffError) else None
                if failures >= policy.attempts:
                    if answer is not None:
                        raise refused(answer, self._reference, failures) from error
                    problem = f"no whole answer in {failures} attempts ({type(error).__name__})"
                    remedy = "run the same command again, which goes on from here"
                    raise SourceError(self._reference, problem, remedy) from error
                await anyio.sleep(policy.wait_s(failures, answer.headers if answer is not None else None))
            else:
                return

    async def _attempted(self, may_renew: bool) -> None:
        here = self._size() if self._validator else 0
        headers = {"Accept": "application/fhir+ndjson", "Accept-Encoding": "identity"}
        if here:
            headers |= {"Range": f"bytes={here}-", "If-Range": self._validator}
        async with self._client.streamed(
            self._file.url, self._file.name, headers, bearer=self._needs_token
        ) as response:
            status = response.status_code
            if (
                status == 401
                and self._needs_token
                and may_renew
                and await self._client.renewed(response.request)
            ):
                raise _RenewedError
            if status == 416:
                self._part.unlink(missing_ok=True)
                self._validator = ""
                raise _BrokenOffError("416")
            if status not in (200, 206):
                answer = Answer(status, response.headers, b"")
                if is_retried(status):
                    raise _BrokenOffError(str(status), answer)
                raise refused(answer, self._reference, 1)
            await self._written(response, here if status == 206 else 0)

    async def _written(self, response: httpx.Response, start: int) -> None:
        if response.status_code == 206:
            match = _RANGE.match(response.headers.get("content-range", ""))
            if match is None or int(match[1]) != start or not start:
                self._validator = ""
                raise _BrokenOffError("another range")
        else:
            self._validator = "" if "content-encoding" in response.headers else _validator(response)
            self._on_begun(self._validator)
        received = start
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.truncate(start)
            stream.seek(start)
            async for chunk in response.aiter_bytes():
                received += len(chunk)
                if received > self._patience.file_bytes:
                    raise SourceError(
                        self._reference, "is larger than is taken", "export fewer types at once"
                    )
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _verified(self) -> int:
        """Count the resources, and give the file its name; one that is not whole does not stay."""
        try:
            lines = counted_lines(self._part)
        except ValueError as error:
            self._part.unlink()
            remedy = "export again, or have the server mended"
            raise SourceError(self._reference, f"is no whole NDJSON ({error})", remedy) from error
        if self._file.count is not None and lines != self._file.count:
            self._part.unlink()
            problem = f"was said to hold {self._file.count} resources and holds {lines}"
            raise SourceError(self._reference, problem, "export again, or have the server mended")
        self._part.replace(self._path)
        return lines


class _RenewedError(Exception):
    """The token was refused, and there is another."""


def _validator(response: httpx.Response) -> str:
    """What If-Range may be asked with (RFC 9110, section 13.1.5): a strong ETag, else Last-Modified."""
    tag = response.headers.get("etag", "")
    if tag.startswith('"'):
        return tag
    return response.headers.get("last-modified", "")


def counted_lines(path: Path) -> int:
    """How many resources an NDJSON file holds.

    Each line must look like a JSON object and the last must be one: a file that was cut is found out where
    the server's length did not tell. That each is a resource is for the reader to find.

    Raises:
        ValueError: A line is something else, or too long; the message names the line.
    """
    lines = number = 0
    last = b""
    with path.open("rb") as stream:
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                message = f"line {number} is longer than {MAX_LINE_BYTES // 2**20} MiB"
                raise ValueError(message)
            line = line.strip()
            if line and not (line.startswith(b"{") and line.endswith(b"}")):
                message = f"line {number}"
                raise ValueError(message)
            if line:
                lines, last = lines + 1, line
    if last:
        try:
            json.loads(last)
        except ValueError:
            message = f"line {number}"
            raise ValueError(message) from None
    return lines
