"""An interval as JSON."""

from __future__ import annotations

from prognosis.survival.bootstrap import Interval


def interval_json(interval: Interval) -> dict[str, float]:
    """{"value", "low", "high"}."""
    return {"value": interval.value, "low": interval.low, "high": interval.high}
