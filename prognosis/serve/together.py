"""Writes of several threads made durable at once: one fsync for all that wait for the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(slots=True)
class _Batch(Generic[Row]):
    """Rows that are written together.

    Attributes:
        rows: What is written.
        error: Why it was not.
        done: Whether it was tried.
    """

    rows: list[Row] = field(default_factory=list)
    error: BaseException | None = None
    done: bool = False


class Together(Generic[Row]):
    """Collects the rows of threads that wait while others are written; one of them then writes for all.

    Args:
        store: Makes rows durable, all or none.
    """

    def __init__(self, store: Callable[[Sequence[Row]], None]) -> None:
        self._store = store
        self._joining = threading.Lock()
        self._writing = threading.Lock()
        self._batch: _Batch[Row] = _Batch()

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows; they are durable when this returns.

        Raises:
            Exception: What `store` raised, to each whose rows it was given.
        """
        with self._joining:
            batch = self._batch
            batch.rows += rows
        with self._writing:
            if not batch.done:
                with self._joining:
                    self._batch = _Batch()
                batch.done = True
                try:
                    self._store(batch.rows)
                except BaseException as error:
                    batch.error = error
                    raise
        if batch.error is not None:
            raise batch.error
