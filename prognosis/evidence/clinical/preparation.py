"""From a window table to standardised features: the columns kept, and how each is centred and scaled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.clinical.windows import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Of columns that say the same, the one that a clinician would name first is kept.
_PREFERENCE = {"last": 0, "is": 0, "mean": 1, "change": 2, "slope": 3, "max": 4, "min": 5}
_PREFERENCE |= {"limit": 6, "not_measured": 7, "days_since": 8, "count": 9}
_LEVELS = frozenset({"last", "mean", "min", "max"})
_MOVES = frozenset({"change", "slope"})
_COUNTED = frozenset({"is", "limit", "not_measured", "count"})
_TAIL = 0.005
_BEYOND = 1e12


@dataclass(frozen=True, slots=True)
class Preparation:
    """What was learned from training rows alone.

    Attributes:
        kept: (p,) places of the kept columns in the table.
        logged: (p,) True where the logarithm is taken, for a skewed positive level.
        low: (p,) smallest value used; a value beyond is moved there.
        high: (p,) largest value used.
        means: (p,) of the transformed values that are there, also put where there is none.
        scales: (p,) standard deviations.
        since: (p,) table place of the days since the last fact, for a column that tells of movement; else -1.
        half_lives: (p,) days since the last fact in which such a column comes to count half; infinite where
            it does not fade.
        unseen: Table places of category columns whose text no training row has.
    """

    kept: Ints
    logged: NDArray[np.bool_]
    low: Floats
    high: Floats
    means: Floats
    scales: Floats
    since: Ints
    half_lives: Floats
    unseen: Ints

    def raw(self, values: Floats, columns: Sequence[Column]) -> Floats:
        """(n, p) kept columns, NaN where missing; a text unseen in training counts as not measured."""
        return self._known(values, columns)[:, self.kept]

    def standardised(self, values: Floats, columns: Sequence[Column], *, far: bool = False) -> Floats:
        """(n, p) kept columns with training mean 0 and deviation 1; exactly 0 where missing.

        What fades does so toward that 0: an old change says no more than none that is known.

        Args:
            values: (n, columns) of the window table.
            columns: The table's.
            far: True to take levels as far out as they lie, not the nearest value used.
        """
        raw = self.raw(values, columns)
        places = np.flatnonzero(self.logged)
        low, high = self.low, self.high
        if far:
            level = np.array([columns[place].statistic in _LEVELS for place in self.kept], dtype=bool)
            low, high = np.where(level, _furthest(self.logged), low), np.where(level, _BEYOND, high)
        clipped = np.clip(raw, low, high)
        clipped[:, places] = np.log(clipped[:, places])
        standard = (clipped - self.means) / self.scales
        fading = np.flatnonzero(np.isfinite(self.half_lives))
        standard[:, fading] *= 2.0 ** (-values[:, self.since[fading]] / self.half_lives[fading])
        return np.where(np.isnan(standard), 0.0, standard)

    def fading(self, half_life_days: float) -> Preparation:
        """The same with that half-life for every column that tells of movement."""
        return replace(self, half_lives=np.where(self.since >= 0, half_life_days, np.inf))

    def _known(self, values: Floats, columns: Sequence[Column]) -> Floats:
        if not len(self.unseen):
            return values
        values = values.copy()
        for place in self.unseen:
            strange = values[:, place] == 1.0
            for other, column in enumerate(columns):
                if column.concept != columns[place].concept:
                    continue
                values[strange, other] = 1.0 if column.statistic == "not_measured" else np.nan
        return values


def learn_preparation(
    values: Floats,
    columns: Sequence[Column],
    fewest_cases: int,
    closest: float,
    continued: Mapping[int, bool] | None = None,
) -> Preparation:
    """Choose and scale columns on training rows.

    A column is dropped when it is constant, when fewer than `fewest_cases` rows have it (or differ from the
    rest in it), or when it says what a column of the same concept says already.

    Args:
        values: (n, columns) training rows of a window table.
        columns: Its columns.
        fewest_cases: At least 1.
        closest: Largest correlation between two kept columns of one concept.
        continued: Concepts that are the measurement itself, earlier, and whether its logarithm is modelled:
            their levels are read on that scale, however far they lie beyond those seen, for a value goes on
            from where it is.
    """
    continued = continued or {}
    seen = np.asarray(np.nan_to_num(values).any(axis=0))
    unseen = [place for place, column in enumerate(columns) if column.statistic == "is" and not seen[place]]
    candidates = [
        place for place in range(len(columns)) if _worth(values[:, place], columns[place], fewest_cases)
    ]
    scaling = [
        _scaling(values[:, place], columns[place], continued.get(columns[place].concept))
        for place in candidates
    ]
    draft = Preparation(
        kept=np.array(candidates, dtype=np.int64),
        logged=np.array([own.logged for own in scaling], dtype=bool),
        low=np.array([own.low for own in scaling], dtype=float),
        high=np.array([own.high for own in scaling], dtype=float),
        means=np.array([own.mean for own in scaling], dtype=float),
        scales=np.array([own.scale for own in scaling], dtype=float),
        since=_since(candidates, columns),
        half_lives=np.full(len(candidates), np.inf),
        unseen=np.array(unseen, dtype=np.int64),
    )
    varied = draft.scales > 1e-9 * np.maximum(np.abs(draft.means), 1e-9)
    draft = _subset(draft, np.flatnonzero(varied))
    distinct = _distinct(draft.standardised(values, columns), [columns[k] for k in draft.kept], closest)
    return _subset(draft, distinct)


def _since(candidates: Sequence[int], columns: Sequence[Column]) -> Ints:
    last = {own.concept: place for place, own in enumerate(columns) if own.statistic == "days_since"}
    moving = (columns[place] for place in candidates)
    return np.array([last[own.concept] if own.statistic in _MOVES else -1 for own in moving], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Scaling:
    logged: bool
    low: float
    high: float
    mean: float
    scale: float


def _worth(values: Floats, column: Column, fewest_cases: int) -> bool:
    there = values[~np.isnan(values)]
    if len(there) < fewest_cases:
        return False
    if column.statistic in _COUNTED:
        _, counts = np.unique(there, return_counts=True)
        return bool(len(there) - counts.max() >= fewest_cases)
    return bool(there.min() < there.max())


def _scaling(values: Floats, column: Column, logarithm: bool | None) -> _Scaling:
    """How one column is read; `logarithm` is given for a concept that is the measurement itself."""
    there = values[~np.isnan(values)]
    goes_on = logarithm is not None and column.statistic in _LEVELS
    if goes_on and logarithm:
        there = np.maximum(there, 1.0 / _BEYOND)
    low, high = float(there.min()), float(there.max())
    if column.statistic not in _COUNTED:
        low, high = (float(q) for q in np.quantile(there, [_TAIL, 1.0 - _TAIL]))
        if low == high:
            low, high = float(there.min()), float(there.max())
    clipped = np.clip(there, low, high)
    may = column.statistic in _LEVELS and low > 0.0
    skewed = may and _skew(clipped) > max(1.0, abs(_skew(np.log(clipped))))
    logged = bool(logarithm) if goes_on else skewed
    if logged:
        clipped = np.log(clipped)
    mean, scale = float(clipped.mean()), float(clipped.std())
    if goes_on:
        low, high = float(_furthest(logged)), _BEYOND
    return _Scaling(logged, low, high, mean, scale)


def _furthest(logged: NDArray[np.bool_] | bool) -> Floats:
    """The smallest level read as it is; of those that are logged just above zero."""
    return np.asarray(np.where(logged, 1.0 / _BEYOND, -_BEYOND))


def _skew(values: Floats) -> float:
    centred = values - values.mean()
    deviation = float(centred.std())
    return 0.0 if deviation == 0.0 else float((centred**3).mean()) / deviation**3


def _distinct(standard: Floats, columns: Sequence[Column], closest: float) -> Ints:
    """Places of columns that no preferred column of the same concept repeats."""
    kept: list[int] = []
    places = np.arange(len(columns))
    concept = np.array([column.concept for column in columns], dtype=np.int64)
    length = np.linalg.norm(standard, axis=0)
    for own in np.unique(concept):
        mine = sorted(places[concept == own], key=lambda k: (_PREFERENCE[columns[k].statistic], k))
        taken: list[int] = []
        for place in mine:
            if taken:
                alike = standard[:, taken].T @ standard[:, place] / (length[taken] * length[place])
                if np.abs(alike).max() > closest:
                    continue
            taken.append(int(place))
        kept += taken
    return np.array(sorted(kept), dtype=np.int64)


def _subset(preparation: Preparation, places: Ints) -> Preparation:
    return Preparation(
        kept=preparation.kept[places],
        logged=preparation.logged[places],
        low=preparation.low[places],
        high=preparation.high[places],
        means=preparation.means[places],
        scales=preparation.scales[places],
        since=preparation.since[places],
        half_lives=preparation.half_lives[places],
        unseen=preparation.unseen,
    )
