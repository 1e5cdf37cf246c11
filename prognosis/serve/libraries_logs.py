"""What the libraries below the service may log: no path and no header, since these hold patients' ids."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

_TRANSPORTS = ("httpcore.http11", "httpcore.http2", "httpcore.proxy")


class Nothing(logging.Filter):
    """Lets no entry pass; a logger's own filters hold whatever its level, handlers and parents are."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether an entry is written: never."""
        del record
        return False


class NoPaths(logging.Filter):
    """Leaves scheme, host and port of each address that a client logs: the rest may name patients."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the addresses of one entry, and keep it."""
        if isinstance(record.args, tuple):
            record.args = tuple(_shortened(each) for each in record.args)
        return True


class NoHeaders(logging.Filter):
    """Leaves out the headers of answers: Location and others hold what a server likes to write."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether an entry is another than the one with the headers."""
        return "response_headers.complete" not in record.getMessage()


def keep_identifiers_out_of_libraries_logs() -> None:
    """Have no line of a server's or a client's log name what was asked for, from now on.

    uvicorn writes each path that it was asked for, httpx each address that it asks, and the transport below
    it the headers of answers. The service's own log has a line for each request, under the route's pattern.
    """
    _once("uvicorn.access", Nothing())
    _once("httpx", NoPaths())
    for name in _TRANSPORTS:
        _once(name, NoHeaders())


def _shortened(stated: object) -> object:
    text = str(stated)
    if "://" not in text:
        return stated
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _once(name: str, kept_out: logging.Filter) -> None:
    logger = logging.getLogger(name)
    if not any(type(each) is type(kept_out) for each in logger.filters):
        logger.addFilter(kept_out)
