"""What is said of a patient beside risks, in sentences: a value, time free of events, possible classes."""

from __future__ import annotations

import math

from prognosis.fusion.bounds import ANY_EVENT
from prognosis.outputs.estimate import in_days
from prognosis.prediction import ClassSet, LowerBound, Prediction

SHOWN_LEVEL = 0.8  # of the intervals of a value, the one that is told first


def value_statements(prediction: Prediction) -> tuple[str, ...]:
    """The value expected, in a sentence: with its 80% interval, or the first there is, others in brackets."""
    expected = prediction.measured
    if expected is None:
        return ()
    name, unit = expected.name.replace("_", " "), f" {expected.unit}".rstrip()
    ordered = sorted(expected.intervals, key=lambda each: (each.level != SHOWN_LEVEL, each.level))
    width = min((each.high - each.low for each in ordered), default=0.0)
    stated = f"{name} in {in_days(expected.days)}: {_told(expected.value, width)}{unit}"
    told = [
        f"{each.level:.0%} interval {_told(each.low, width)} to {_told(each.high, width)}" for each in ordered
    ]
    return (f"{stated} ({'; '.join(told)})" if told else stated,)


def _told(number: float, width: float) -> str:
    """A number with two digits at least, and with as many places as tell a width to two digits."""
    return f"{number:.{max(_decimals(number), _decimals(width))}f}"


def _decimals(number: float) -> int:
    """Places after the point that tell a number to two digits; none for 0, and from 10 upward."""
    return max(0, 1 - math.floor(math.log10(abs(number)))) if number else 0


def free_statements(prediction: Prediction) -> tuple[str, ...]:
    """The lower bounds in sentences, one an event: the middle level first, the others in brackets."""
    causes = [name.replace("_", " ") for name in prediction.cumulative_incidence]
    statements = []
    for event in dict.fromkeys(bound.event for bound in prediction.free_for):
        bounds = [bound for bound in prediction.free_for if bound.event == event]
        shown = bounds.pop(len(bounds) // 2)
        what = " or ".join(causes) if event == ANY_EVENT else event.replace("_", " ")
        others = ", ".join(f"{bound.level:.0%}: {_at_least(bound)}" for bound in bounds)
        confidence = f"With {shown.level:.0%} confidence"
        if shown.days > 0:
            stated = f"{confidence} free of {what} for at least {_at_least(shown)}"
        else:
            stated = f"{confidence} no time free of {what} above 0 days is supported"
        statements.append(f"{stated} ({others})")
    return tuple(statements)


def set_statements(prediction: Prediction) -> tuple[str, ...]:
    """The classes that cannot be ruled out, in a sentence: the middle level first, others in brackets."""
    if not prediction.one_of:
        return ()
    sets = list(prediction.one_of)
    shown = sets.pop(len(sets) // 2)
    others = ", ".join(f"{each.level:.0%}: {_either(each)}" for each in sets)
    return (f"With {shown.level:.0%} confidence {_either(shown)} ({others})",)


def _either(found: ClassSet) -> str:
    names = [name.replace("_", " ") for name in found.classes]
    return " or ".join(names) if names else "like the patients of no class"


def _at_least(bound: LowerBound) -> str:
    """The bound rounded down, which keeps it a bound."""
    whole = math.floor(bound.days)
    text = in_days(bound.days) if 0 < bound.days < 1 else f"{whole} day{'s' if whole != 1 else ''}"
    return f"{text}, the longest that enough patients were followed" if bound.limited else text
