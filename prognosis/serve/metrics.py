"""Counts for Prometheus: routes, statuses and times; never who was asked about."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """What has been answered since the start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: Counter[tuple[str, int]] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._scores: Counter[str] = Counter()

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer.

        Args:
            route: The route's own pattern, "GET /risk/{patient}", without what stood in its place holders.
            status: Of the answer.
            seconds: It took.
        """
        with self._lock:
            self._answered[route, status] += 1
            self._seconds[route] += seconds
            for bound in BOUNDS_S:
                if seconds <= bound:
                    self._within[route, bound] += 1

    def scored(self, outcome: str) -> None:
        """Count a score that was made: "given" or "abstained"."""
        with self._lock:
            self._scores[outcome] += 1

    def text(self, gauges: Mapping[str, float]) -> str:
        """Everything in Prometheus' text format 0.0.4.

        Args:
            gauges: Values of the moment by name.
        """
        with self._lock:
            return "\n".join([*self._lines(), *_gauges(gauges)]) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# HELP prognosis_request_seconds Time to an answer."
        yield "# TYPE prognosis_request_seconds histogram"
        for route in sorted(self._seconds):
            count = sum(number for (each, _), number in self._answered.items() if each == route)
            for bound in BOUNDS_S:
                yield (
                    f'prognosis_request_seconds_bucket{{route="{route}",le="{bound}"}} '
                    f"{self._within[route, bound]}"
                )
            yield f'prognosis_request_seconds_bucket{{route="{route}",le="+Inf"}} {count}'
            yield f'prognosis_request_seconds_sum{{route="{route}"}} {self._seconds[route]:.6f}'
            yield f'prognosis_request_seconds_count{{route="{route}"}} {count}'
        yield "# HELP prognosis_requests_total Answers by route and status."
        yield "# TYPE prognosis_requests_total counter"
        for (route, status), count in sorted(self._answered.items()):
            yield f'prognosis_requests_total{{route="{route}",status="{status}"}} {count}'
        yield "# HELP prognosis_scores_total Scores made by the model."
        yield "# TYPE prognosis_scores_total counter"
        for outcome in ("abstained", "given"):
            yield f'prognosis_scores_total{{outcome="{outcome}"}} {self._scores[outcome]}'


def _gauges(gauges: Mapping[str, float]) -> Iterator[str]:
    for name, value in sorted(gauges.items()):
        yield f"# TYPE prognosis_{name} gauge"
        yield f"prognosis_{name} {value:g}"
