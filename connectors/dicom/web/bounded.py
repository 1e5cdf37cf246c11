"""Connections whose every read and write ends with the question that they serve.

httpx bounds the silence between two bytes and not the whole: an archive that sends a byte a second would
hold its caller for as long as it likes, in the head of an answer as well as in its body. And it keeps
connections for the next question, so that an answer which comes twice would be taken for the next one's;
each question has a connection of its own instead.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx


class Deadline(threading.local):
    """When the question of this thread must have been answered; by the monotonic clock."""

    end: float = float("inf")

    def left(self, longest: float | None = None) -> float:
        """Seconds that one step may take: what is left, at most `longest`.

        Raises:
            ReadTimeout: Nothing is left.
        """
        left = self.end - time.monotonic()
        if left <= 0.0:
            message = "the question's time is over"
            raise httpcore.ReadTimeout(message)
        return left if longest is None else min(left, longest)


class BoundedStream(httpcore.NetworkStream):
    """A connection whose steps end at a deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes."""
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All bytes."""
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        """No more."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        inner = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return BoundedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> object:
        """What the connection itself says."""
        return self._stream.get_extra_info(info)


class BoundedBackend(httpcore.SyncBackend):
    """Opens such connections."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to a host."""
        left = self._deadline.left(timeout)
        return BoundedStream(
            super().connect_tcp(host, port, left, local_address, socket_options), self._deadline
        )


class BoundedTransport(httpx.HTTPTransport):
    """httpx's own way of asking, over such connections."""

    def __init__(self, trusted: ssl.SSLContext, deadline: Deadline) -> None:
        super().__init__(verify=trusted, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted, max_keepalive_connections=0, network_backend=BoundedBackend(deadline)
        )
