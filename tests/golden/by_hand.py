"""The statistics once more, each as its paper writes it: loops over people, no shared code, no cleverness.

Slow on purpose. What no package computes (or not with the same conventions) is tested against these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

Curve = Callable[[int, float], float]


@dataclass(frozen=True)
class People:
    """Days and causes as plain lists, and the predicted incidence of cause 1 for a person by a day."""

    days: list[float]
    cause: list[int]
    risk: Curve

    def __len__(self) -> int:
        return len(self.days)


@cache
def _steps(days: tuple[float, ...], cause: tuple[int, ...], k: int) -> list[tuple[float, float, float]]:
    """(day, chance of no event of any cause by it, chance of cause k by it) at each day with an event."""
    free, happened, found = 1.0, 0.0, [(-math.inf, 1.0, 0.0)]
    for day in sorted({d for d, c in zip(days, cause, strict=True) if c > 0}):
        at_risk = sum(d >= day for d in days)
        happened += free * sum(d == day and c == k for d, c in zip(days, cause, strict=True)) / at_risk
        free *= 1.0 - sum(d == day and c > 0 for d, c in zip(days, cause, strict=True)) / at_risk
        found.append((day, free, happened))
    return found


@cache
def _censoring_steps(days: tuple[float, ...], cause: tuple[int, ...]) -> list[tuple[float, float]]:
    """(day, chance of not being censored by it); those with an event on a day leave before its censorings."""
    value, found = 1.0, [(-math.inf, 1.0)]
    for day in sorted({d for d, c in zip(days, cause, strict=True) if c == 0}):
        at_risk = sum(d > day or (d == day and c == 0) for d, c in zip(days, cause, strict=True))
        value *= 1.0 - sum(d == day and c == 0 for d, c in zip(days, cause, strict=True)) / at_risk
        found.append((day, value))
    return found


def event_free(days: Sequence[float], cause: Sequence[int], t: float) -> float:
    """Kaplan-Meier of "no event of any cause" at t."""
    return [free for day, free, _ in _steps(tuple(days), tuple(cause), 1) if day <= t][-1]


def incidence(days: Sequence[float], cause: Sequence[int], k: int, t: float) -> float:
    """Aalen-Johansen: the chance of getting to each day, times the hazard of cause k there."""
    return [happened for day, _, happened in _steps(tuple(days), tuple(cause), k) if day <= t][-1]


def uncensored(days: Sequence[float], cause: Sequence[int], t: float, *, before: bool) -> float:
    """Reverse Kaplan-Meier at t, or just before it."""
    steps = _censoring_steps(tuple(days), tuple(cause))
    return [value for day, value in steps if day < t or (day == t and not before)][-1]


def _compared(people: People, i: int, j: int, competing: str) -> bool:
    """Is person j known to be free of the event at person i's event?"""
    later = people.days[j] > people.days[i]
    same_day = people.days[j] == people.days[i] and people.cause[j] != 1
    never = competing == "event_free" and people.cause[j] > 1
    return later or same_day or never


def concordance(
    people: People, marker: Callable[[int, float], float], competing: str, tau: float, weight: Curve
) -> float:
    """Harrell's, Uno's or Antolini's C, by what marker(person, day) and weight(i, j) are."""
    agreed = pairs = 0.0
    for i in range(len(people)):
        if people.cause[i] != 1 or people.days[i] >= tau:
            continue
        own = marker(i, people.days[i])
        for j in range(len(people)):
            if j != i and _compared(people, i, j, competing):
                other, counted = marker(j, people.days[i]), weight(i, j)
                pairs += counted
                agreed += counted * (0.5 if math.isclose(own, other, rel_tol=1e-12) else own > other)
    return agreed / pairs


def uno_weight(people: People) -> Curve:
    """1/G(t_i-)^2, or 1/(G(t_i-) G(t_j-)) where j had another cause by then (Wolbers et al. 2014)."""
    chance = [uncensored(people.days, people.cause, day, before=True) for day in people.days]

    def weight(i: int, j: float) -> float:
        j = int(j)
        earlier_other = people.cause[j] > 1 and people.days[j] <= people.days[i]
        return 1.0 / (chance[i] * (chance[j] if earlier_other else chance[i]))

    return weight


def state_weights(people: People, t: float) -> list[float]:
    """Graf et al. 1999: 1/G(T-) after an event, 1/G(t) while free, 0 when censored before t."""
    free = uncensored(people.days, people.cause, t, before=False)
    return [
        (1.0 / uncensored(people.days, people.cause, day, before=True) if kind > 0 else 0.0)
        if day <= t
        else 1.0 / free
        for day, kind in zip(people.days, people.cause, strict=True)
    ]


def auc(people: People, t: float, competing: str) -> float | None:
    """Blanche et al. 2013: weighted share of (case by t, control at t) pairs in order; None: no pair."""
    weight = state_weights(people, t)
    agreed = pairs = 0.0
    for i in range(len(people)):
        if people.days[i] > t or people.cause[i] != 1:
            continue
        for j in range(len(people)):
            control = people.days[j] > t or (competing == "event_free" and people.cause[j] > 1)
            if control:
                own, other = people.risk(i, t), people.risk(j, t)
                pairs += weight[i] * weight[j]
                in_order = 0.5 if math.isclose(own, other, rel_tol=1e-12) else own > other
                agreed += weight[i] * weight[j] * in_order
    return agreed / pairs if pairs else None


def brier(people: People, t: float) -> float:
    """Mean over everyone of weight times squared error."""
    weight = state_weights(people, t)
    total = 0.0
    for i in range(len(people)):
        happened = people.days[i] <= t and people.cause[i] == 1
        total += weight[i] * (happened - people.risk(i, t)) ** 2
    return total / len(people)


def surprise(people: People, t: float) -> float:
    """Mean over everyone of weight times minus log of the probability given to what happened."""
    weight = state_weights(people, t)
    total = 0.0
    for i in range(len(people)):
        given = min(max(people.risk(i, t), 1e-7), 1.0 - 1e-7)
        happened = people.days[i] <= t and people.cause[i] == 1
        total -= weight[i] * (math.log(given) if happened else math.log(1.0 - given))
    return total / len(people)


def over_time(value: Callable[[float], float], times: Sequence[float]) -> float:
    """Trapezoid rule, divided by the time between the first day and the last."""
    points = [value(t) for t in times]
    steps = pairwise(zip(times, points, strict=True))
    return sum((b - a) * (p + q) / 2.0 for (a, p), (b, q) in steps) / (times[-1] - times[0])


def net_benefit(people: People, t: float, threshold: float) -> float:
    """Vickers et al. 2008, with the event rate among those acted on by Aalen-Johansen."""
    acted = [i for i in range(len(people)) if people.risk(i, t) >= threshold]
    if not acted:
        return 0.0
    rate = incidence([people.days[i] for i in acted], [people.cause[i] for i in acted], 1, t)
    true, false = rate * len(acted) / len(people), (1.0 - rate) * len(acted) / len(people)
    return true - false * threshold / (1.0 - threshold)


def d_calibration(survival: Sequence[float], event: Sequence[bool], bins: int) -> list[float]:
    """Haider et al. 2020, appendix B: people in each bin, the censored spread over theirs and those below."""
    counts = [0.0] * bins
    for s, happened in zip(survival, event, strict=True):
        own = min(int(s * bins), bins - 1)
        if happened or s == 0.0:
            counts[own] += 1.0
            continue
        counts[own] += (s - own / bins) / s
        for lower in range(own):
            counts[lower] += 1.0 / (bins * s)
    return counts


def aj_calibration(people: People, times: Sequence[float], power: float) -> float:
    """Alberge et al. 2026: the curves' distance to a power, integrated from 0, divided by the last day."""

    def distance(t: float) -> float:
        if t == 0.0:
            return 0.0
        mean = sum(people.risk(i, t) for i in range(len(people))) / len(people)
        return abs(mean - incidence(people.days, people.cause, 1, t)) ** power

    return over_time(distance, [0.0, *times])


def days_lost(days: Sequence[float], cause: Sequence[int], k: int, tau: float) -> float:
    """Area under the Aalen-Johansen steps from 0 to tau."""
    corners = [0.0, *sorted({d for d in days if d < tau}), tau]
    return sum(incidence(days, cause, k, a) * (b - a) for a, b in pairwise(corners))


def restricted_mean_variance(days: Sequence[float], event: Sequence[bool], tau: float) -> float:
    """Klein and Moeschberger 2003, eq. 4.5.2: sum of squared remaining areas over d / (Y (Y - d))."""
    kind = [int(each) for each in event]
    total = 0.0
    for day in sorted({d for d, e in zip(days, event, strict=True) if e and d < tau}):
        at_risk = sum(d >= day for d in days)
        dead = sum(d == day and e for d, e in zip(days, event, strict=True))
        if dead < at_risk:
            corners = [day, *sorted({d for d in days if day < d < tau}), tau]
            pieces = pairwise(corners)
            area = sum(event_free(days, kind, a) * (b - a) for a, b in pieces)
            total += area**2 * dead / (at_risk * (at_risk - dead))
    return total


def bins_of(people: People, t: float, groups: int) -> list[tuple[float, float, int]]:
    """Mean predicted risk, Aalen-Johansen risk and size of groups between quantiles of predicted risk."""
    predicted = [people.risk(i, t) for i in range(len(people))]
    edges = sorted({float(np.quantile(predicted, g / groups)) for g in range(1, groups)})
    found = []
    for lower, upper in zip([-math.inf, *edges], [*edges, math.inf], strict=True):
        rows = [i for i, p in enumerate(predicted) if lower < p <= upper]
        if rows:
            mean = sum(predicted[i] for i in rows) / len(rows)
            seen = incidence([people.days[i] for i in rows], [people.cause[i] for i in rows], 1, t)
            found.append((mean, seen, len(rows)))
    return found
