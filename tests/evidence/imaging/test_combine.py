"""What change since the film before may count beside what the films say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evidence.imaging.combine import Combination, fit_combination
from prognosis.evidence.imaging.film_table import FilmTable

CASES = 600
GAP_DAYS = 90.0


@dataclass(frozen=True, slots=True)
class _Seen:
    time: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    caution: str = ""


def combined(told: float, rng: np.random.Generator) -> Combination:
    """Two films of each patient; risk is what the latest shows and half of what it gained since the first.

    Args:
        told: How large the member says it, of its true size.
        rng: Of the patients.
    """
    before = rng.normal(size=CASES)
    gained = rng.normal(size=CASES)
    latest = before + gained
    shown = np.concatenate([latest, before])
    days = rng.exponential(np.exp(-(latest + 0.5 * gained)) * 365.0) + 1.0
    rows = np.arange(CASES)
    table = FilmTable((_Seen(),) * (2 * CASES), rows, rows + CASES, np.full(CASES, GAP_DAYS), ("",) * CASES)
    cause: NDArray[np.int64] = np.ones(CASES, dtype=np.int64)
    target = Target(("death",), cause, days, np.array([0.0, days.max()]), survival=True)
    return fit_combination(told * shown[None, :, None, None], table, target)


def test_what_a_film_gained_counts_for_as_much_as_it_says_about_the_outcome() -> None:
    found = combined(1.0, np.random.default_rng(0))
    assert abs(found.change[0] / GAP_DAYS - 0.5) < 0.15


def test_change_counts_at_most_twice_the_level_where_the_level_is_told_at_a_hundredth_of_its_size() -> None:
    found = combined(0.01, np.random.default_rng(0))
    assert found.change[0] == 2.0 * GAP_DAYS
