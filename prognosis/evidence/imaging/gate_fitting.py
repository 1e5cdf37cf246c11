"""Learning the quality gate: from good films and altered copies of them, judged on other patients' films.

Good are the training films and copies of them as other sites might have made them (`other_sites`). Copies
differ less than films of another hospital do: where all training films are of one site, the limits are wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.faults import FAULTS, Alter, Fault
from prognosis.evidence.imaging.films import Film
from prognosis.evidence.imaging.gate import Detector, FilmGate
from prognosis.evidence.imaging.kind import TrainingKinds
from prognosis.evidence.imaging.other_sites import other_site
from prognosis.evidence.imaging.reduced import SIDES, on_side
from prognosis.evidence.imaging.statistics import film_statistics
from prognosis.evidence.imaging.typical import TypicalFilms

Array = NDArray[np.float64]

FEWEST_FILMS = 20  # fewer teach no limit: only what is wrong with any film is refused
_MOST_LEARNED = 400  # films; more would cost time and tell little more
_COPIES = 2  # of each of them
_MOST_ALTERED = 100  # films
_AT_ONCE = 32  # films, whose statistics are taken together
_SHRINKAGE = 0.5  # of the covariance within good and altered films toward none
_TOWARD_ALTERED = 0.3  # of the way from the caution to the altered films, where a film is refused
_UNLIKE_SPREADS = 3.0  # of the logarithm of the distance
_FARTHEST = 4.0  # times the 99th percentile, beyond which no film is read whatever the training films taught
_LEAST_TOLD = 0.5  # share of altered films above the caution without which there is no detector


@dataclass(frozen=True, slots=True)
class _Limits:
    """Where a caution begins and where a refusal.

    Attributes:
        caution: Standard deviations of good films' values above their mean.
        refuse: The same.
        unlike: Least times the 99th percentile of good films' distance.
        reach: Times the 99th percentile of altered films' distance from their mean, within which a film is of
            that fault: farther ones are another kind of image.
    """

    caution: float
    refuse: float
    unlike: float
    reach: float


_ONE_SITE, _SEVERAL_SITES = _Limits(3.0, 3.75, 1.5, 2.0), _Limits(2.75, 3.25, 1.0, 1.1)


@dataclass(frozen=True, slots=True)
class _Sample:
    """(n, statistics) standardised, of good films and their copies or of altered ones, and (n,) folds."""

    standard: Array
    folds: NDArray[np.int64]


def learn_gate(
    films: Sequence[Film], folds: NDArray[np.int64], sites: Sequence[str], seed: int
) -> tuple[FilmGate, NDArray[np.float64]]:
    """The gate that these films teach, and (n,) each film's distance from those of the other folds.

    Args:
        films: The training films.
        folds: (n,) fold of each film; those of one patient share one.
        sites: (n,) site of each film's record.
        seed: Of which films are copied and altered, and of chance in it.
    """
    random = np.random.default_rng(seed)
    own = [film.quality for film in films if film.quality is not None]
    side = next(side for side in SIDES if side <= np.median([len(each.reduced) for each in own]))
    statistics = np.concatenate([film_statistics(on_side(each.reduced, side)[None]) for each in own])
    enough = len(own) >= FEWEST_FILMS and len(np.unique(folds)) > 1
    chosen = random.permutation(len(own))[: _MOST_LEARNED if enough else len(own)]
    squares = [on_side(own[number].reduced, side) for number in chosen] if enough else []
    good = [statistics[chosen], *(_statistics(squares, other_site, random) for _ in range(_COPIES * enough))]
    good_folds = np.tile(folds[chosen], len(good))
    typical, held_out = TypicalFilms.learned(np.concatenate(good), good_folds)
    log_distance = np.log(np.maximum(held_out, 1e-9))
    unlike = float(np.exp(log_distance.mean() + _UNLIKE_SPREADS * log_distance.std()))
    distance = typical.distance(statistics)
    distance[chosen] = held_out[: len(chosen)]
    limits = _SEVERAL_SITES if len(set(sites)) > 1 else _ONE_SITE
    shorter_side = [min(axis.voxels for axis in film.placement.axes) for film in films]
    gate = FilmGate(
        side=side,
        typical=typical,
        unlike=min(max(unlike, limits.unlike), _FARTHEST) if enough else _FARTHEST,
        detectors=_detectors(
            squares[:_MOST_ALTERED],
            folds[chosen][:_MOST_ALTERED],
            _Sample(typical.standardised(np.concatenate(good)), good_folds),
            typical,
            limits,
            random,
        ),
        fewest_pixels=int(np.quantile(shorter_side, 0.01)) // 2,
        kinds=TrainingKinds.of(each.series for each in own),
    )
    return gate, distance


def _statistics(squares: Sequence[NDArray[np.float32]], alter: Alter, random: np.random.Generator) -> Array:
    """(n, statistics) of altered films."""
    parts = (np.stack(squares[start : start + _AT_ONCE]) for start in range(0, len(squares), _AT_ONCE))
    return np.concatenate([film_statistics(np.ascontiguousarray(alter(part, random))) for part in parts])


def _detectors(
    squares: Sequence[NDArray[np.float32]],
    folds: NDArray[np.int64],
    good: _Sample,
    typical: TypicalFilms,
    limits: _Limits,
    random: np.random.Generator,
) -> tuple[Detector, ...]:
    """A detector of each fault that can be told on films of other patients; none without films to alter."""
    detectors = []
    for fault in FAULTS if squares else ():
        altered = typical.standardised(_statistics(squares, fault.alter, random))
        detectors.append(_detector(fault, good, typical, _Sample(altered, folds), limits))
    return tuple(each for each in detectors if each is not None)


def _detector(
    fault: Fault, good: _Sample, typical: TypicalFilms, altered: _Sample, limits: _Limits
) -> Detector | None:
    """A detector of the fault with limits from films of the patients that it was not learned on.

    A film is refused so many standard deviations above the mean of good films, or a part of the way from the
    caution to the fifth altered film of a hundred where that is farther.
    """
    of_good, of_altered = np.zeros(len(good.standard)), np.zeros(len(altered.standard))
    for fold in np.unique(good.folds):
        own, own_altered = good.folds == fold, altered.folds == fold
        weights, offset = _discriminant(good.standard[~own], altered.standard[~own_altered])
        of_good[own] = good.standard[own] @ weights + offset
        of_altered[own_altered] = altered.standard[own_altered] @ weights + offset
    mean, spread = of_good.mean(), of_good.std()
    caution = float(mean + limits.caution * spread)
    if (of_altered > caution).mean() < _LEAST_TOLD and fault.refuses:
        return None
    part_way = caution + _TOWARD_ALTERED * (float(np.quantile(of_altered, 0.05)) - caution)
    refuse = max(float(mean + limits.refuse * spread), part_way)
    weights, offset = _discriminant(good.standard, altered.standard)
    centre = altered.standard.mean(axis=0)
    apart = altered.standard - centre
    away = np.einsum("ni,ij,nj->n", apart, typical.precision, apart) / typical.limit
    reach = limits.reach * float(np.quantile(away, 0.99))
    return Detector(fault.name, weights, offset, caution, refuse, centre, max(reach, 1.0))


def _discriminant(good: Array, altered: Array) -> tuple[Array, float]:
    """Fisher's linear discriminant with a shrunk covariance, scaled: 0 at the good mean, 1 at the altered."""
    within = 0.5 * (np.cov(good.T) + np.cov(altered.T))
    shrunk = (1.0 - _SHRINKAGE) * within + _SHRINKAGE * np.eye(len(within))
    apart = altered.mean(axis=0) - good.mean(axis=0)
    weights = np.linalg.solve(shrunk, apart)
    weights /= max(float(weights @ apart), 1e-12)
    return weights, -float(good.mean(axis=0) @ weights)
