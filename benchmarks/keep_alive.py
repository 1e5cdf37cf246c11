"""An HTTP/1.1 client of one connection, so small that what is measured is the service.

httpx goes over all its connections with each request: at 64 of them it takes more of the machine than a
service that echoes. Only what this project's services answer is read: a status, a Content-Length, a body.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any

ANSWER_S = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back.

    Attributes:
        status: The status code.
        content: The body.
    """

    status: int
    content: bytes

    def json(self) -> Any:  # noqa: ANN401 - as json.loads
        """The body as JSON."""
        return json.loads(self.content)


class KeepAlive:
    """One connection to a port of loopback, used for one request after another.

    Args:
        port: Where the service listens.
    """

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> KeepAlive:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._writer.close()

    async def get(self, path: str) -> Answered:
        """GET a path."""
        return await self._ask("GET", path, b"")

    async def post(self, path: str, body: object) -> Answered:
        """POST a body as JSON."""
        return await self._ask("POST", path, json.dumps(body).encode())

    async def _ask(self, method: str, path: str, body: bytes) -> Answered:
        """One request and its answer.

        Raises:
            RuntimeError: The service closed the connection, or sent no length.
            TimeoutError: It was silent for too long.
        """
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        try:
            async with asyncio.timeout(ANSWER_S):
                first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
                stated = dict(line.lower().split(b":", 1) for line in lines if line)
                content = await self._reader.readexactly(int(stated[b"content-length"]))
        except (asyncio.IncompleteReadError, KeyError) as error:
            message = "the service gave no whole answer"
            raise RuntimeError(message) from error
        return Answered(int(first.split()[1]), content)
