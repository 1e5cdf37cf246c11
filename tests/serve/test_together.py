"""What waits together is made durable together, and nobody is told of it before."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from prognosis.serve.together import Together

WRITERS = 8


def test_rows_that_wait_for_a_write_are_written_by_one_write() -> None:
    begun, go_on = threading.Event(), threading.Event()
    written: list[list[int]] = []

    def store(rows: Sequence[int]) -> None:
        written.append(list(rows))
        begun.set()
        go_on.wait(10)

    together = Together(store)
    with ThreadPoolExecutor(WRITERS) as pool:
        first = pool.submit(together.write, [0])
        begun.wait(10)
        others = [pool.submit(together.write, [number]) for number in range(1, WRITERS)]
        while len(together._batch.rows) < WRITERS - 1:
            pass
        assert not any(each.done() for each in (first, *others))
        go_on.set()
    assert [len(rows) for rows in written] == [1, WRITERS - 1]
    assert sorted(row for rows in written for row in rows) == list(range(WRITERS))


def test_whoever_s_rows_were_not_written_is_told_so_and_the_next_write_is_tried() -> None:
    full = OSError("full")
    fails = [True, False]

    def store(rows: Sequence[str]) -> None:
        if fails.pop(0):
            raise full

    together = Together(store)
    with pytest.raises(OSError, match="full"):
        together.write(["lost"])
    together.write(["kept"])


def test_every_row_of_many_threads_is_written_once() -> None:
    written: list[int] = []
    together: Together[int] = Together(written.extend)
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda number: together.write([number]), range(500)))
    assert sorted(written) == list(range(500))
