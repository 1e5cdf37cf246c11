"""Numbers that cannot be: not finite, codes for missing, in two scales, far from all others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.lint.columns import Column
from prognosis.cohort.lint.finding import Finding, Thresholds

Floats = NDArray[np.float64]

# What a value is multiplied by when its unit is taken for another.
FACTORS = {
    2.2046: "kg and lb",
    2.54: "in and cm",
    7.5006: "kPa and mmHg",
    10.0: "a decimal place, g/dL and g/L, mm and cm",
    12.0: "years and months",
    17.1: "bilirubin in mg/dL and umol/L",
    18.016: "glucose in mmol/L and mg/dL",
    38.67: "cholesterol in mmol/L and mg/dL",
    88.42: "creatinine in mg/dL and umol/L",
    100.0: "two decimal places, m and cm, shares and percent",
    365.25: "years and days",
    1000.0: "three decimal places, g and mg",
}
NEARNESS = np.log(1.1)  # two sources may see people that differ by this, beside the error of medians
ERRORS = 3.0
MEDIAN_TO_MEAN = np.sqrt(np.pi / 2.0)  # standard error of a median to that of a mean, normal values
SPREADS = 3.0  # one quantity in two units has one spread, on a logarithmic scale
SEPARATION = 6.0  # Ashman's D; two normal clusters part at 2
LEAST_IN_CLUSTER = 5
GAP = 10.0
LEAST_SHARE = 0.005  # rarer than this it is a slip of the pen, not a source's habit
MAD_TO_SD = 1.4826
MISSING_CODES = frozenset({-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0, 88.0, 888.0})
REPEATS = 3
RARE = 0.05


def impossible_numbers(columns: tuple[Column, ...], limits: Thresholds) -> Iterator[Finding]:
    """Findings about the numbers of each column."""
    for column in columns:
        numbers = np.array([number for number in column.numbers if not np.isnan(number)])
        if column.not_finite:
            problem = "a number is infinite or not a number"
            yield Finding("number not finite", column.name, problem, column.not_finite, column.units.total())
        numbers = numbers[np.isfinite(numbers)]
        if len(numbers) < limits.least_cases or len(np.unique(numbers)) <= limits.few_levels:
            continue
        coded = _code_for_missing(column, numbers)
        if coded is not None:
            yield coded
            continue
        mixed = _mixed_scales(column, numbers)
        if mixed is not None:
            yield mixed
        else:
            yield from _far_from_others(column, numbers, limits)


def _code_for_missing(column: Column, numbers: Floats) -> Finding | None:
    """A repeated extreme such as -9 or 999, apart from every other value.

    A negative one counts where all else is zero or more; any counts where it is farther from the next value
    than that one is from the median.
    """
    middle = float(np.median(numbers))
    for extreme in (float(numbers.min()), float(numbers.max())):
        others = numbers[numbers != extreme]
        count = len(numbers) - len(others)
        if extreme not in MISSING_CODES or count < REPEATS or not len(others):
            continue
        following = float(others.min() if extreme < middle else others.max())
        negative = extreme < 0.0 <= following
        if negative or abs(extreme - following) > abs(following - middle):
            problem = f"the value {extreme:g} is repeated and apart from all others: a code for missing?"
            return Finding("code for missing among numbers", column.name, problem, count, len(numbers))
    return None


def _mixed_scales(column: Column, numbers: Floats) -> Finding | None:
    """One quantity in two units: two clusters of equal spread whose medians differ by a known factor.

    The logarithms are split at their widest gap. In a tail that thins out as a power (of values near zero, or
    of large ones) the gap after k values is exponential with mean 1/k, so that one of `GAP`/k has a chance of
    e^-10; the gap must also exceed the spread of both clusters. Counts and grades have no spread within a
    cluster, and are passed over; so is what may be below zero.
    """
    if (numbers < 0.0).any():
        return None
    logs = np.sort(np.log(numbers[numbers > 0.0]))
    if len(logs) < 2 * LEAST_IN_CLUSTER:
        return None
    gaps = np.diff(logs)[LEAST_IN_CLUSTER - 1 : -LEAST_IN_CLUSTER + 1]
    place = int(gaps.argmax()) + LEAST_IN_CLUSTER
    low, high = logs[:place], logs[place:]
    spreads = [_spread(cluster) for cluster in (low, high)]
    rarer, gap = min(len(low), len(high)), float(gaps.max())
    if min(spreads) == 0.0 or max(spreads) > SPREADS * min(spreads) or gap < max(spreads):
        return None
    distance = float(np.median(high) - np.median(low))
    separate = np.sqrt(2.0) * distance / np.hypot(spreads[0], spreads[1]) >= SEPARATION and rarer * gap >= GAP
    if not separate or rarer < LEAST_SHARE * len(logs):
        return None
    factor = min(FACTORS, key=lambda known: abs(np.log(known) - distance))
    error = MEDIAN_TO_MEAN * np.hypot(spreads[0] / np.sqrt(len(low)), spreads[1] / np.sqrt(len(high)))
    if abs(np.log(factor) - distance) > NEARNESS + ERRORS * error:
        return None
    problem = (
        f"values fall into two groups of one shape, {np.exp(distance):.3g} times apart, "
        f"as by a factor of {factor:g} ({FACTORS[factor]})"
    )
    return Finding("mixed scales", column.name, problem, rarer, len(numbers))


def _spread(values: Floats) -> float:
    if len(np.unique(values)) < LEAST_IN_CLUSTER:
        return 0.0
    return MAD_TO_SD * float(np.median(np.abs(values - np.median(values))))


def _far_from_others(column: Column, numbers: Floats, limits: Thresholds) -> Iterator[Finding]:
    """Few values beyond many robust standard deviations, on the raw and on a logarithmic scale alike."""
    raw = _robust_distance(numbers)
    far = raw > limits.far
    if (numbers > 0.0).all():
        far &= _robust_distance(np.log(numbers)) > limits.far
    elif (numbers >= 0.0).all():
        return  # zeros and a long tail: nothing to measure the tail by
    count = int(far.sum())
    if 0 < count <= RARE * len(numbers):
        problem = f"values lie more than {limits.far:g} robust standard deviations from the median"
        yield Finding("value far from all others", column.name, problem, count, len(numbers))


def _robust_distance(values: Floats) -> Floats:
    middle = np.median(values)
    spread = MAD_TO_SD * float(np.median(np.abs(values - middle)))
    return np.zeros(len(values)) if spread == 0.0 else np.abs(values - middle) / spread
