"""Logs of HTTP without what addresses and headers say about patients."""

from __future__ import annotations

import logging

import httpx

_TRANSPORTS = ("httpcore.http11", "httpcore.http2")


class OriginsOnly(logging.Filter):
    """Leaves scheme, host and port of each address that httpx logs: path and query may name patients."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the addresses of one entry, and keep it."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                f"{each.scheme}://{each.netloc.decode('ascii')}" if isinstance(each, httpx.URL) else each
                for each in record.args
            )
        return True


class NoHeaders(logging.Filter):
    """Leaves out the headers of answers: Location and X-Progress hold what a server likes to write."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether an entry is another than the one with the headers."""
        return "receive_response_headers.complete" not in record.getMessage()


def keep_addresses_out_of_logs() -> None:
    """Have httpx log origins only, and httpcore no headers, from now on and in the whole process."""
    _once(logging.getLogger("httpx"), OriginsOnly())
    for name in _TRANSPORTS:
        _once(logging.getLogger(name), NoHeaders())


def _once(logger: logging.Logger, kept_out: logging.Filter) -> None:
    if not any(type(each) is type(kept_out) for each in logger.filters):
        logger.addFilter(kept_out)
