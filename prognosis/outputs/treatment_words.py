"""Numbers of a treatment's answer as people read them: with unit and interval, a difference with its sign."""

from __future__ import annotations

from collections.abc import Sequence

from prognosis.comparison.answer import DAYS, RATIO, ContrastExplanation, Number
from prognosis.explanation import Driver
from prognosis.outputs.estimate import Estimate, as_percent, signed

SAME = 1e-9
"""Below it a gain is that of a rule which gives everybody the same arm, but for rounding."""
DRIVERS_EACH_WAY = 5
"""Drivers for an arm, and as many against it, that a page tells one by one."""


def amount(number: Number) -> str:
    """A worth or a risk: "1,476 days (1,390 to 1,563)", "23% (18 to 30)", "1.04 (0.97 to 1.10)"."""
    if number.unit == DAYS:
        digits = 1 if abs(number.value) < 10.0 else 0
        value, low, high = (f"{each:,.{digits}f}" for each in (number.value, number.low, number.high))
        return f"{value} days ({low} to {high})"
    if number.unit == RATIO:
        return f"{number.value:.2f} ({number.low:.2f} to {number.high:.2f})"
    return as_percent(Estimate(number.value, number.low, number.high, number.level))


def gain(number: Number) -> str:
    """A difference: "+105 days (+17 to +194)", "+35 percentage points (+7 to +63)"."""
    if number.unit == DAYS:
        digits = 1 if abs(number.value) < 10.0 else 0
        value, low, high = (_days(each, digits) for each in (number.value, number.low, number.high))
        return f"{value} days ({low} to {high})"
    value, low, high = (signed(100.0 * each, 0) for each in (number.value, number.low, number.high))
    return f"{value} percentage points ({low} to {high})"


def policy_in_words(found: Number, constant: str) -> str:
    """What following the model gains on giving everybody one arm.

    To follow it is to give that arm, unless another is surely better for the patient.

    Args:
        found: The gain, in the cohort, on patients that the model had not seen.
        constant: The one best arm.
    """
    if max(abs(found.low), abs(found.high)) < SAME:
        return (
            f"On patients it had not seen, this model finds no arm surely better than {constant}: "
            "following it is giving everybody that arm, and gains nothing."
        )
    return (
        f"Following this model where it finds another arm surely better than {constant}, on patients it had "
        f"not seen, gains {gain(found)} on giving everybody {constant}."
    )


def share_of_gain(explanation: ContrastExplanation, contribution: float) -> str:
    """What one driver adds to a difference: "-20 days", "+3.1 points"."""
    if explanation.unit == DAYS:
        return f"{signed(contribution, 1)} days"
    return f"{signed(100.0 * contribution, 1)} points"


def drivers_shown(explanation: ContrastExplanation, drivers: Sequence[Driver]) -> tuple[Driver, ...]:
    """The first few of drivers, without those whose share would be printed as nothing.

    Args:
        explanation: Whose they are; it says the unit.
        drivers: Largest first.
    """
    least = 0.05 if explanation.unit == DAYS else 0.0005
    return tuple(each for each in drivers[:DRIVERS_EACH_WAY] if abs(each.contribution) >= least)


def _days(number: float, digits: int) -> str:
    sign = "\N{MINUS SIGN}" if round(number, digits) < 0 else "+"
    return f"{sign}{abs(number):,.{digits}f}"
