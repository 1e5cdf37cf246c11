"""A number and its interval: no result is ever shown without one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: The point estimate.
        low: Lower end of the interval.
        high: Upper end of the interval; low <= high.
        level: Coverage that the interval aims at, 0.95 for 95%.
    """

    value: float
    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Count:
    """How many of something: ("no follow-up after the index", 12)."""

    name: str
    count: int


def with_interval(estimate: Estimate, digits: int = 3) -> str:
    """An estimate as text: "0.812 (0.780 to 0.842)"."""
    value, low, high = (f"{number:.{digits}f}" for number in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def as_percent(estimate: Estimate) -> str:
    """A probability as text: "23% (18 to 30)", with one decimal below 10%."""
    digits = 1 if estimate.value < 0.1 else 0
    value, low, high = (
        f"{100 * number:.{digits}f}" for number in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value}% ({low} to {high})"


def signed(number: float, digits: int = 2) -> str:
    """A contribution as text with its sign, "+0.31", so that colour is never the only cue."""
    sign = "\N{MINUS SIGN}" if round(number, digits) < 0 else "+"
    return f"{sign}{abs(number):.{digits}f}"


def decimal(number: float, digits: int = 2) -> str:
    """A number as text, with a minus sign that is not a hyphen."""
    return f"{number:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def in_days(days: float) -> str:
    """A horizon as people say it: "30 days", "1 year", "6 hours"; "now" for zero."""
    if days == 0:
        return "now"
    if days >= 365 and abs(days / 365.25 - round(days / 365.25)) < 0.01:
        years = round(days / 365.25)
        return "1 year" if years == 1 else f"{years} years"
    if days < 1:
        return f"{24 * days:.3g} hours"
    return "1 day" if days == 1 else f"{days:.4g} days"
