"""The effect for one patient beside other learners: the same patients, a known truth."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks.treatment_peers import (
    LOG_RATIOS,
    NAIVE,
    OURS,
    TAU,
    drawn,
    econml_effects,
    naive_effects,
    ours,
)
from prognosis.errors import MissingDependencyError


def error_of(effect: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((effect - truth) ** 2)))


def test_the_truth_of_a_cohort_is_what_its_own_days_average_to() -> None:
    """Of patients who are alike in all that matters, arms drawn by two covariates that do not touch it."""
    known = drawn(lambda x: np.full(len(x), -0.5), 60_000, 3)
    free = np.minimum(known.days, TAU)
    x = np.column_stack([np.ones(len(free)), known.covariates[:, :2], known.covariates[:, 2] ** 2])
    fits = [np.linalg.lstsq(x[known.arm == arm], free[known.arm == arm], rcond=None)[0] for arm in (0, 1)]
    assert (x @ (fits[1] - fits[0])).mean() == pytest.approx(known.effect.mean(), abs=4.0)


def test_whoever_takes_a_censoring_for_an_event_errs_more() -> None:
    known, judged = drawn(LOG_RATIOS["constant"], 800, 0), drawn(LOG_RATIOS["constant"], 2_000, 1_000)
    own = ours(known, judged.covariates, censored=True)[OURS][0]
    naive = naive_effects(known, judged.covariates, 0)[NAIVE][0]
    assert error_of(own, judged.effect) < error_of(naive, judged.effect)


def test_econmls_learners_are_asked_the_same_question() -> None:
    pytest.importorskip("econml", reason="econml comes with the extra `causal`")
    known, judged = drawn(LOG_RATIOS["constant"], 400, 0), drawn(LOG_RATIOS["constant"], 500, 1_000)
    for effect, seconds in econml_effects(known, judged.covariates, 0).values():
        assert effect.shape == judged.effect.shape
        assert error_of(effect, judged.effect) < 60.0
        assert seconds > 0.0


def test_without_econml_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "econml", None)  # as Python marks a module that cannot be imported
    for name in ("econml.dml", "econml.dr"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    known = drawn(LOG_RATIOS["none"], 100, 0)
    with pytest.raises(MissingDependencyError, match="causal"):
        econml_effects(known, known.covariates, 0)
