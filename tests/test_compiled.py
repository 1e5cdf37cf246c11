"""Compiled loops: the same numbers as the Python they were written in, wherever the package lies."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.compiled import compiled, threads_allowed
from prognosis.survival import dominance

_SOURCE = """
def squares(n):
    total = 0
    for number in range(n):
        total += number * number
    return total
"""


def test_a_function_whose_machine_code_can_be_kept_nowhere_is_compiled_all_the_same() -> None:
    names: dict[str, object] = {}
    exec(compile(_SOURCE, "<no file>", "exec"), names)  # noqa: S102
    assert compiled(names["squares"])(10) == 285  # type: ignore[arg-type]


def test_pairs_are_counted_to_the_last_bit_as_the_python_loop_counts_them() -> None:
    rng = np.random.default_rng(0)
    row = rng.permutation(60)
    rank = rng.integers(0, 20, 60)
    weights, factor = rng.random((4, 60)), rng.random((3, 60)) * (rng.random((3, 60)) < 0.7)
    bounds = np.array([0, 1, 5, 30, 60])

    def counted(add: object) -> NDArray[np.float64]:
        sums = np.zeros((3, 4))
        add(weights, row, bounds, rank, factor, sums)  # type: ignore[operator]
        return sums

    as_written = dominance._add_pairs.__wrapped__  # type: ignore[attr-defined]
    np.testing.assert_array_equal(counted(dominance._add_pairs), counted(as_written))


@pytest.mark.parametrize(("asked", "most"), [("1", 1), ("3", 3), ("", 10_000), ("many", 10_000)])
def test_omp_num_threads_is_an_upper_limit(monkeypatch: pytest.MonkeyPatch, asked: str, most: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert 1 <= threads_allowed() <= most
