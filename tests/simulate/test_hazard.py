"""Hazards: event times follow the log-hazard, and incidences are those of competing Weibull hazards."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.simulate.hazard import (
    SHAPES,
    FollowUp,
    HazardParts,
    cumulative_incidence,
    draw_fates,
    follow_up,
)


def drawn(
    eta: float = 1.0, patients: int = 20_000
) -> tuple[dict[str, NDArray[np.float64]], FollowUp, NDArray[np.float64]]:
    random = np.random.default_rng(1)
    log_hazard = {
        "progression": eta * random.standard_normal(patients),
        "death": eta * random.standard_normal(patients),
    }
    end = random.uniform(300.0, 1100.0, patients)
    return log_hazard, follow_up(log_hazard, end, (0.40, 0.25), draw_fates(patients, random)), end


def test_the_shares_of_censoring_and_of_death_are_those_asked_for() -> None:
    _, course, _ = drawn()
    assert np.mean(course.cause == 0) == pytest.approx(0.40, abs=0.002)
    assert np.sum(course.cause == 2) / np.sum(course.cause > 0) == pytest.approx(0.25, abs=0.002)


def test_no_one_progresses_after_death_or_is_seen_after_it() -> None:
    _, course, end = drawn()
    both = np.isfinite(course.progression_days) & np.isfinite(course.death_days)
    assert both.any()
    assert np.all(course.progression_days[both] < course.death_days[both])
    assert np.all(course.contact_days <= end)
    died = np.isfinite(course.death_days)
    assert np.array_equal(course.contact_days[died], course.death_days[died])


def test_true_incidence_agrees_with_the_share_that_had_the_event_when_no_one_is_censored() -> None:
    log_hazard, course, _ = drawn()
    random = np.random.default_rng(2)
    first = {
        cause: course.scale_days[cause]
        * (random.exponential(size=20_000) * np.exp(-log_hazard[cause])) ** (1 / SHAPES[cause])
        for cause in SHAPES
    }
    incidence = cumulative_incidence(log_hazard, course.scale_days, (180.0, 365.0))
    for cause, other in (("progression", "death"), ("death", "progression")):
        for place, horizon in enumerate((180.0, 365.0)):
            happened = (first[cause] <= horizon) & (first[cause] < first[other])
            assert incidence[cause][:, place].mean() == pytest.approx(happened.mean(), abs=0.01)


def test_incidences_rise_with_time_and_sum_to_at_most_one() -> None:
    log_hazard, course, _ = drawn(eta=2.0, patients=500)
    incidence = cumulative_incidence(log_hazard, course.scale_days, (30.0, 365.0, 5000.0))
    total = incidence["progression"] + incidence["death"]
    assert np.all(np.diff(incidence["progression"], axis=1) >= 0)
    assert total.max() <= 1.0 + 2e-3


def test_the_observed_oracle_puts_the_populations_mean_in_the_place_of_what_is_absent() -> None:
    random = np.random.default_rng(4)
    parts = HazardParts(*(random.standard_normal(50) for _ in range(7)))
    everything = np.ones(50, dtype=bool)
    assert np.allclose(parts.observed(everything, everything), parts.full())
    nothing = parts.observed(~everything, ~everything)
    assert np.allclose(nothing, parts.clinical + parts.arm)
