"""One pass over what is known of each case, oldest first: running sums for each concept and window.

The slope is of the least-squares line through the values of a window. Its sums are taken from the window's
first fact on, so that a span of an hour twenty years ago loses no digits. Facts of the same time are taken
in the record's order: the later in the record is the last. The change is from the last fact of an earlier
time to the last fact, over the days between them, whatever the window. A window holds the facts that are at
most so many days old, the boundary included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STATISTICS = ("count", "mean", "min", "max", "slope", "last", "days_since", "change")

# Kept for each concept and window, in this order: the number of facts; the first one's age and value; the
# sums of t, t t, v and t v, counted from the first one on; the least and the greatest value.
_SUMS = 9
_SUMS_AT_ONCE = 65_536  # half a megabyte stays in the processor's cache
_WORTH_COMPILING = 5_000  # facts; below, importing the compiler costs more than the loop takes


@dataclass(frozen=True, slots=True)
class Facts:
    """Usable facts of all cases, sorted by case, then oldest first, then in the order of the record.

    Attributes:
        case: (N,) the row of the case.
        concept: (N,) the place of the concept in the vocabulary.
        age_days: (N,) days from the fact to the index.
        number: (N,) NaN for a fact that is not a number.
        limited: (N,) True where the assay's limit cut the value off.
        category: (N,) the place of the text among the concept's; -1 where it is none.
    """

    case: Ints
    concept: Ints
    age_days: Floats
    number: Floats
    limited: NDArray[np.bool_]
    category: Ints


def fill_windows(facts: Facts, spans: Floats, place: Ints, values: Floats) -> Ints:
    """Write the statistics of each case, concept and window where the table has a column for them.

    Args:
        facts: Of n cases.
        spans: (W,) days of each window, the longest first.
        place: (concepts, W, 8) the column of each of `STATISTICS`; -1 where the table has none.
        values: (n, columns) written to; a statistic with nothing to rest on leaves its place as it is.

    Returns:
        (n, concepts) the row of each case's last fact of each concept; -1 where there is none.
    """
    cases, concepts = len(values), len(place)
    bounds = np.searchsorted(facts.case, np.arange(cases + 1))
    recent = np.full((cases, concepts, 2), -1, dtype=np.int64)
    together = max(1, _SUMS_AT_ONCE // max(1, concepts * len(spans) * _SUMS))
    sums = np.zeros(together * concepts * len(spans) * _SUMS)
    small = len(facts.case) < _WORTH_COMPILING
    add, write = (_add_facts, _write_windows) if small else (_fast_add_facts, _fast_write_windows)
    for first in range(0, cases, together):
        of = slice(first, first + together)
        own = bounds[first : first + together + 1]
        add(own, facts.concept, facts.age_days, facts.number, spans, sums, recent[of])
        write(own, facts.concept, facts.age_days, facts.number, sums, recent[of], place, values[of])
    return recent[:, :, 0]


def _add_facts(
    bounds: Ints, concept: Ints, age_days: Floats, number: Floats, spans: Floats, sums: Floats, recent: Ints
) -> None:
    """Add the facts of some cases to their sums; `bounds` says which facts are whose.

    `recent` (cases, concepts, 2) becomes the rows of the last fact and of the last of an earlier time.
    """
    for case in range(len(bounds) - 1):
        for row in range(bounds[case], bounds[case + 1]):
            age, value = age_days[row], number[row]
            last = recent[case, concept[row], 0]
            if last >= 0 and age_days[last] > age:
                recent[case, concept[row], 1] = last
            recent[case, concept[row], 0] = row
            for window in range(len(spans)):
                if age > spans[window]:
                    break
                at = ((case * recent.shape[1] + concept[row]) * len(spans) + window) * _SUMS
                if sums[at] == 0.0:
                    sums[at + 1], sums[at + 2], sums[at + 7], sums[at + 8] = age, value, value, value
                days, change = sums[at + 1] - age, value - sums[at + 2]
                sums[at] += 1.0
                sums[at + 3] += days
                sums[at + 4] += days * days
                sums[at + 5] += change
                sums[at + 6] += days * change
                sums[at + 7] = min(sums[at + 7], value)
                sums[at + 8] = max(sums[at + 8], value)


def _write_windows(
    bounds: Ints,
    concept: Ints,
    age_days: Floats,
    number: Floats,
    sums: Floats,
    recent: Ints,
    place: Ints,
    values: Floats,
) -> None:
    """Turn the sums of some cases into the table's statistics, and set them back to zero."""
    summary = np.zeros(place.shape[2])  # in the order of STATISTICS
    for case in range(len(bounds) - 1):
        for row in range(bounds[case], bounds[case + 1]):
            last, earlier = recent[case, concept[row]]
            if last != row:
                continue
            summary[7] = np.nan
            if earlier >= 0:
                summary[7] = (number[row] - number[earlier]) / (age_days[earlier] - age_days[row])
            for window in range(place.shape[1]):
                at = ((case * recent.shape[1] + concept[row]) * place.shape[1] + window) * _SUMS
                count = sums[at]
                if count == 0.0:
                    break
                mean_days = sums[at + 3] / count
                spread = sums[at + 4] - sums[at + 3] * mean_days
                together = sums[at + 6] - sums[at + 5] * mean_days
                summary[0] = count
                summary[1] = sums[at + 2] + sums[at + 5] / count
                summary[2] = sums[at + 7]
                summary[3] = sums[at + 8]
                summary[4] = together / spread if spread > 1e-6 else np.nan
                summary[5] = number[row]
                summary[6] = age_days[row]
                for field in range(_SUMS):
                    sums[at + field] = 0.0
                for statistic in range(len(summary)):
                    column = place[concept[row], window, statistic]
                    if column >= 0:
                        values[case, column] = summary[statistic]


_fast_add_facts = compiled(_add_facts)
_fast_write_windows = compiled(_write_windows)
