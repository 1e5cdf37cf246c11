"""What parts say against one another costs a read-out, and what they say together costs it nothing more."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from prognosis.cohort.target import Target
from prognosis.evidence.parts import shrink_contradiction
from prognosis.evidence.readout import fit_readout

CASES = 600


def _moved_between_two_parts(seed: int, moved: float = 3.0) -> tuple[np.ndarray, np.ndarray, Target]:
    """(n, 2) planted burden of each part, (n, 2, 3) features, the times: a shadow lies in one or the other.

    The first feature of a part is its burden with the part's share of the shadow, the second the shadow's
    share alone, the third the burden as badly seen; of the shadow the sum of the parts is the same for all.
    """
    rng = np.random.default_rng(seed)
    burden, noise = rng.normal(size=(CASES, 2)), rng.normal(size=(CASES, 2))
    shadow = moved * rng.normal(size=CASES)
    apart = np.column_stack([shadow, -shadow]) + 0.3 * rng.normal(size=(CASES, 2))
    features = np.stack([burden + 0.3 * apart, apart, burden + 2.0 * noise], axis=2)
    days = rng.exponential(np.exp(-burden.sum(axis=1)))
    cause = np.ones(CASES, dtype=np.int64)
    return burden, features, Target(("a",), cause, days, np.array([0.0, 1.0]), survival=True)


def test_a_part_s_evidence_follows_its_own_burden_where_a_shadow_moves_between_parts() -> None:
    plain, shrunk, whole = [], [], []
    for seed in range(6):
        burden, features, target = _moved_between_two_parts(seed)
        folds = np.arange(CASES) % 3
        for parts, found in ((None, plain), (features, shrunk)):
            readout = fit_readout(features.sum(axis=1), target, folds, parts=parts)
            told = features @ readout.coefficients[:, 0]
            found.append([np.corrcoef(told[:, place], burden[:, place])[0, 1] for place in range(2)])
            whole.append(np.corrcoef(told.sum(axis=1), burden.sum(axis=1))[0, 1])
    assert np.mean(shrunk) > np.mean(plain) + 0.03
    assert np.mean(whole[1::2]) > np.mean(whole[::2]) - 0.01


@given(st.integers(0, 1000), st.integers(1, 5), st.integers(1, 6))
def test_parts_that_are_independent_are_left_alone(seed: int, parts: int, width: int) -> None:
    values = np.random.default_rng(seed).normal(size=(500, parts, width)) / np.sqrt(parts)
    np.testing.assert_allclose(shrink_contradiction(values, np.ones(500)), np.eye(width), atol=1e-9)


def test_what_cancels_is_shrunk_by_its_excess_and_nothing_across_it() -> None:
    shadow = np.random.default_rng(0).normal(size=50)
    shadow = 2.0 * (shadow - shadow.mean()) / shadow.std()
    parts = np.zeros((50, 2, 2))
    parts[:, 0, 0], parts[:, 1, 0] = shadow, -shadow  # each of variance 4, their sum of none
    found = shrink_contradiction(parts, np.ones(50))
    np.testing.assert_allclose(found, np.diag([1.0 / np.sqrt(1.0 + 10.0 * (8.0 - 1.0)), 1.0]), atol=1e-12)


def test_a_case_of_no_weight_teaches_nothing_of_what_cancels() -> None:
    rng = np.random.default_rng(3)
    parts = rng.normal(size=(40, 3, 4))
    parts[:, 1] = -2.0 * parts[:, 0]
    strange = np.concatenate([parts, 100.0 * rng.normal(size=(5, 3, 4))])
    weights = np.concatenate([np.ones(40), np.zeros(5)])
    expected = shrink_contradiction(parts, np.ones(40))
    assert expected.max() < 0.99
    np.testing.assert_allclose(shrink_contradiction(strange, weights), expected, atol=1e-9)
