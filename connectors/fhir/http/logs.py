"""Addresses in the log without what they say about patients."""

from __future__ import annotations

import logging

import httpx


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


def keep_addresses_out_of_logs() -> None:
    """Have httpx log origins only, from now on and in the whole process."""
    logger = logging.getLogger("httpx")
    if not any(isinstance(each, OriginsOnly) for each in logger.filters):
        logger.addFilter(OriginsOnly())
