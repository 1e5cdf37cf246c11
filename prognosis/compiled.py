"""Loops over arrays as machine code, without paying for the compiler where no loop is run.

numba takes a third of a second to import and a kernel a second or so to compile, so both wait for the first
call. What was compiled is kept beside the source, or in the user's cache folder where the package cannot be
written to; where neither can be written, it is compiled once in each process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The same function, compiled when it is first called; it releases the interpreter lock while it runs.

    The function as written stays at `__wrapped__`. Arithmetic is not reordered, so both give the same bits.

    Args:
        function: Takes arrays and numbers, and calls nothing but numpy.
    """

    @cache
    def machine_code() -> Callable[Arguments, Result]:
        from numba import njit

        try:
            made: Callable[Arguments, Result] = njit(cache=True, nogil=True)(function)
        except RuntimeError:  # numba found no folder that it may keep the machine code in
            made = njit(nogil=True)(function)
        return made

    @wraps(function)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return machine_code()(*args, **kwargs)

    return call


def threads_allowed() -> int:
    """The threads that work may be spread over: this process's processors, or OMP_NUM_THREADS if fewer."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(processors, int(asked)) if asked.isdigit() and int(asked) > 0 else processors
