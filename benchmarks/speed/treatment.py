"""Three arms compared on 10,000 patients of 50 covariates: ours with censoring and a competing event."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.timing import OURS, Comparison, in_turn
from prognosis.treatment import (
    ArmCases,
    Assignment,
    FollowUp,
    SurvivalEffects,
    effect_out_of_fold,
    fit_corrected_effect,
    fit_individual_curves,
    survival_effects,
)

PACKAGES = ("econml", "numpy", "scikit-learn", "scipy")

_TAU = 730.0
_ARMS = ("usual", "new", "other")
_PEER = "econml DRLearner, nobody censored"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Known:
    """Patients, what was seen of them, and the days that each arm truly leaves them within the horizon."""

    cases: ArmCases
    followed: FollowUp
    free: Floats
    kept: Floats


def _known(patients: int, covariates: int, seed: int = 7) -> _Known:
    random = np.random.default_rng(seed)
    x = random.normal(size=(patients, covariates))
    arm = (0.4 * x[:, :3] + random.gumbel(size=(patients, 3))).argmax(axis=1)
    effects = np.stack([np.zeros(patients), np.full(patients, -0.3), -0.2 * (1.0 + x[:, 5])], axis=1)
    own = np.exp(0.4 * x[:, :1] + 0.3 * x[:, 4:5] + effects) / 500.0
    other = np.exp(0.3 * x[:, 7]) / 2_000.0
    rate = own[np.arange(patients), arm]
    event, competing = random.exponential(1.0 / rate), random.exponential(1.0 / other)
    lost = random.exponential(1_500.0, patients)
    days = np.minimum(np.minimum(event, competing), lost)
    cause = np.where(days == event, 1, np.where(days == competing, 2, 0))
    both = own + other[:, None]
    kept = _TAU - own / both * (_TAU + np.expm1(-both * _TAU) / both)
    names = np.char.zfill(np.arange(patients).astype(str), 6)
    cases = ArmCases(x, arm, _ARMS, Assignment.OBSERVATIONAL, names)
    return _Known(cases, FollowUp(days + 1e-3, cause), np.minimum(event, _TAU), kept)


def _ours(known: _Known) -> SurvivalEffects:
    """Scores, each arm's curves with their bootstrap, effects for patients to come and out of fold."""
    found = survival_effects(known.cases, known.followed, _TAU)
    curves = fit_individual_curves(known.cases, known.followed, _TAU, found.folds)
    for arm in _ARMS[1:]:
        fit_corrected_effect(found, curves, arm, _ARMS[0])
        effect_out_of_fold(found, arm, _ARMS[0])
    return found


def _econml(known: _Known) -> Floats:
    """Effects of every patient."""
    from econml.dr import DRLearner

    learner = DRLearner(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scikit-learn's, about settings that econml gives it
        learner.fit(known.free, known.cases.arm, X=known.cases.covariates)
        return np.asarray(learner.effect(known.cases.covariates, T0=0, T1=1))


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """One fit."""
    del threads  # set for the libraries before this is imported
    patients, covariates = (1_000, 10) if quick else (10_000, 50)
    known = _known(patients, covariates)
    timings, values = in_turn({OURS: lambda: _ours(known), _PEER: lambda: _econml(known)}, {OURS: 1})
    means, truth = values[OURS].restricted_mean(), known.kept.mean(axis=0)
    for place, arm in enumerate(_ARMS[1:], start=1):
        found, true = means.difference(arm, _ARMS[0]), float(truth[place] - truth[0])
        if abs(found.value - true) > 4.0 * found.standard_error:
            message = f"{arm} gains {true:.1f} days and is said to gain {found.value:.1f}"
            raise AssertionError(message)
    yield Comparison(
        task=f"{patients:,} patients, {covariates} covariates, 3 arms: who gains how many days",
        timings=timings,
        goals={},
        equality="ours lies within four standard errors of the true mean difference of each arm",
    )
