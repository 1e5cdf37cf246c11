"""Timing ours and peers in turn, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

OURS = "prognosis"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one candidate for the whole task.

    Attributes:
        seconds: One number a repeat: processor time, that of all threads, so that what else the machine does
            counts little.
        share: The part of the task that was really run, 0 to 1; `seconds` are already divided by it.
    """

    seconds: tuple[float, ...]
    share: float = 1.0

    @property
    def best(self) -> float:
        """The fastest repeat: the one least disturbed."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The repeat in the middle."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One task: who took how long.

    Attributes:
        task: What was done, with its size.
        timings: Each candidate's; ours is called `OURS`.
        goals: For some peers, how many times faster ours is meant to be.
        equality: What was asserted about the values, in words.
    """

    task: str
    timings: Mapping[str, Timing]
    goals: Mapping[str, float]
    equality: str

    def ratio(self, peer: str) -> float:
        """How many times faster ours is than the peer, by best repeats."""
        return self.timings[peer].best / self.timings[OURS].best


def in_turn(
    candidates: Mapping[str, Callable[[], Any]], repeats: Mapping[str, int]
) -> tuple[dict[str, Timing], dict[str, Any]]:
    """Run candidates in turn, each at least once and as often as `repeats` says.

    Garbage is collected before, and not during, a run. Nobody gets a run that does not count.

    Returns:
        The timings, and what each candidate returned the last time.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    values: dict[str, Any] = {}
    for turn in range(max(repeats.get(name, 1) for name in candidates)):
        for name, run in candidates.items():
            if turn >= repeats.get(name, 1):
                continue
            values.pop(name, None)
            gc.collect()
            gc.disable()
            started = time.process_time()
            values[name] = run()
            seconds[name].append(time.process_time() - started)
            gc.enable()
    return {name: Timing(tuple(each)) for name, each in seconds.items()}, values


def scaled(timing: Timing, share: float) -> Timing:
    """The timing of a candidate that did only a share of the task, as if it had done all of it.

    Args:
        timing: As measured.
        share: The part done, above 0 and at most 1; the cost must be proportional to it.
    """
    return Timing(tuple(seconds / share for seconds in timing.seconds), share)
