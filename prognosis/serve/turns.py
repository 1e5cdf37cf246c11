"""Work that takes its turn in threads of its own, and a queue that ends somewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from prognosis.errors import BusyError

Result = TypeVar("Result")

COME_BACK_S = 2
"""What a client that finds the queue full is told to wait."""


class Turns:
    """Threads that work through a queue of bounded length.

    A model is called by one thread: its answers do not depend on what else is asked, and a second would
    only share the same cores.

    Args:
        name: Of the threads.
        workers: How many threads.
        waiting: Calls that may wait; one more is refused.
    """

    def __init__(self, name: str, workers: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._most = workers + waiting
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Calls that run or wait."""
        return self._taken

    async def run(self, function: Callable[[], Result]) -> Result:
        """Call a function in its turn.

        A call whose client has gone still takes its turn to the end: the queue stays bounded by what is in
        it, not by who still listens.

        Raises:
            BusyError: As many wait as may.
        """
        with self._lock:
            if self._taken >= self._most:
                raise BusyError("the service", "has as much to do as it takes on", "ask again in a while")
            self._taken += 1
        future = self._pool.submit(function)
        future.add_done_callback(self._give_back)
        return await asyncio.shield(asyncio.wrap_future(future))

    def close(self) -> None:
        """Let what runs end; what only waits is not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _give_back(self, _: object) -> None:
        with self._lock:
            self._taken -= 1
