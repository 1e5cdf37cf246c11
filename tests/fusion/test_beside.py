"""When evidence fitted beside the other modalities is kept, and what it is worth then."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence import FittedEvidence, Fitting
from prognosis.evidence.readout import fit_readout
from prognosis.evidence.token import ModalityEvidence
from prognosis.fusion.beside import fit_beside_others
from prognosis.fusion.likelihood import exposure_of
from tests.fusion.synthetic import exponential_target

Array = NDArray[np.float64]

CASES = 900
FOLDS = np.arange(CASES) % 3
PATIENTS = np.arange(CASES).astype(str)


def read_out(features: Array, log_rate: Array, offset: Array | None) -> FittedEvidence:
    """A ridge read-out a fold; only what it says out of fold is used."""
    target = exponential_target(log_rate)
    said = np.zeros((CASES, 1, 1))
    for fold in range(3):
        own = np.equal(FOLDS, fold)
        kept = np.flatnonzero(~own)
        known = None if offset is None else offset[kept]
        fitted = fit_readout(features[kept], target.take(kept), kept % 5, offset=known)
        said[own] = fitted.evidence(features[own])[:, :, None]
    everywhere = np.ones(CASES, dtype=bool)
    silent = np.zeros((CASES, 0))
    evidence = ModalityEvidence(everywhere, said, silent, np.zeros(CASES), ("",) * CASES)
    return FittedEvidence(model=None, out_of_fold=evidence, by_fold=(), usual=evidence)  # type: ignore[arg-type]


def fitted_both_ways(
    first: Array, second: Array, log_rate: Array
) -> tuple[Mapping[str, FittedEvidence], Mapping[str, FittedEvidence]]:
    """Two modalities fitted by themselves, and what `fit_beside_others` keeps."""
    fittings: dict[str, Fitting] = {
        name: partial(read_out, features, log_rate)
        for name, features in (("clinical", first), ("text", second))
    }
    alone = {name: fitting(None) for name, fitting in fittings.items()}
    exposure = exposure_of(exponential_target(log_rate))
    return alone, fit_beside_others(fittings, alone, exposure, FOLDS, PATIENTS, 0.3)


def test_beside_a_modality_that_knows_other_things_the_coefficients_come_out_truer() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, CASES, 12))
    truth = first[:, :4].sum(axis=1) * 0.5, second[:, :4].sum(axis=1) * 0.9
    alone, kept = fitted_both_ways(first, second, truth[0] + truth[1] - 1.0)
    errors = [
        float(np.square(fitted["clinical"].out_of_fold.evidence[:, 0, 0] - truth[0]).mean())
        for fitted in (alone, kept)
    ]
    assert errors[1] < 0.7 * errors[0]


def test_where_two_modalities_say_the_same_thing_each_is_fitted_by_itself() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(CASES, 6))
    again = features + 0.1 * rng.normal(size=features.shape)
    alone, kept = fitted_both_ways(features, again, features[:, :3].sum(axis=1) * 0.7 - 1.0)
    assert kept is alone
