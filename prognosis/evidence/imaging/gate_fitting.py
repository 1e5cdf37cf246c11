"""Learning the quality gate: from good films and altered copies of them, judged on other patients' films."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.faults import FAULTS, Fault
from prognosis.evidence.imaging.films import Film, FilmQuality
from prognosis.evidence.imaging.gate import Detector, FilmGate
from prognosis.evidence.imaging.kind import TrainingKinds
from prognosis.evidence.imaging.reduced import SIDES, on_side
from prognosis.evidence.imaging.statistics import film_statistics
from prognosis.evidence.imaging.typical import TypicalFilms

Array = NDArray[np.float64]

FEWEST_FILMS = 20  # fewer teach no limit: only what is wrong with any film is refused
_MOST_ALTERED = 100  # films; more would cost time and tell little more
_SHRINKAGE = 0.5  # of the covariance within good and altered films toward none
_CAUTION_SPREADS = 3.0  # standard deviations of good films' values above their mean
_REFUSE_SPREADS = 4.0
_UNLIKE_SPREADS = 3.0  # of the logarithm of the distance
_FARTHEST = 4.0  # times the 99th percentile, beyond which no film is read whatever the training films taught
_REACH = 3.0  # times the 99th percentile of altered films' distance from their mean
_LEAST_TOLD = 0.5  # share of altered films above the caution without which there is no detector


def learn_gate(
    films: Sequence[Film], folds: NDArray[np.int64], seed: int
) -> tuple[FilmGate, NDArray[np.float64]]:
    """The gate that these films teach, and (n,) each film's distance from those of the other folds.

    Args:
        films: The training films.
        folds: (n,) fold of each film; those of one patient share one.
        seed: Of which films are altered, and of chance in altering them.
    """
    own = [film.quality for film in films if film.quality is not None]
    side = next(side for side in SIDES if side <= np.median([len(each.reduced) for each in own]))
    statistics = np.concatenate([film_statistics(on_side(each.reduced, side)[None]) for each in own])
    typical, distance = TypicalFilms.learned(statistics, folds)
    enough = len(own) >= FEWEST_FILMS and len(np.unique(folds)) > 1
    log_distance = np.log(np.maximum(distance, 1e-9))
    unlike = float(np.exp(log_distance.mean() + _UNLIKE_SPREADS * log_distance.std()))
    shorter_side = [min(axis.voxels for axis in film.placement.axes) for film in films]
    gate = FilmGate(
        side=side,
        typical=typical,
        unlike=min(max(unlike, 1.0), _FARTHEST) if enough else _FARTHEST,
        detectors=_detectors(own, side, typical.standardised(statistics), typical, folds, seed)
        if enough
        else (),
        fewest_pixels=int(np.quantile(shorter_side, 0.01)) // 2,
        kinds=TrainingKinds.of(each.series for each in own),
    )
    return gate, distance


def _detectors(
    films: Sequence[FilmQuality],
    side: int,
    good: Array,
    typical: TypicalFilms,
    folds: NDArray[np.int64],
    seed: int,
) -> tuple[Detector, ...]:
    """A detector of each fault that can be told on films of other patients."""
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(films))[:_MOST_ALTERED]
    squares = np.stack([on_side(films[number].reduced, side) for number in chosen])
    detectors = []
    for fault in FAULTS:
        altered = film_statistics(np.ascontiguousarray(fault.alter(squares, random)))
        detectors.append(_detector(fault, good, folds, typical, typical.standardised(altered), folds[chosen]))
    return tuple(each for each in detectors if each is not None)


def _detector(
    fault: Fault,
    good: Array,
    folds: NDArray[np.int64],
    typical: TypicalFilms,
    altered: Array,
    altered_folds: NDArray[np.int64],
) -> Detector | None:
    """A detector of the fault with limits from films of the patients that it was not learned on.

    A caution begins three standard deviations above the mean of good films. A film is refused half-way from
    there to the fifth altered film of a hundred where the two are apart, and four above otherwise.
    """
    of_good, of_altered = np.zeros(len(good)), np.zeros(len(altered))
    for fold in np.unique(folds):
        own, own_altered = folds == fold, altered_folds == fold
        weights, offset = _discriminant(good[~own], altered[~own_altered])
        of_good[own] = good[own] @ weights + offset
        of_altered[own_altered] = altered[own_altered] @ weights + offset
    mean, spread = of_good.mean(), of_good.std()
    caution = float(mean + _CAUTION_SPREADS * spread)
    if (of_altered > caution).mean() < _LEAST_TOLD and fault.refuses:
        return None
    halfway = 0.5 * (caution + float(np.quantile(of_altered, 0.05)))
    refuse = max(float(mean + _REFUSE_SPREADS * spread), halfway)
    weights, offset = _discriminant(good, altered)
    centre = altered.mean(axis=0)
    away = np.einsum("ni,ij,nj->n", altered - centre, typical.precision, altered - centre) / typical.limit
    reach = _REACH * float(np.quantile(away, 0.99))
    return Detector(fault.name, weights, offset, caution, refuse, centre, max(reach, 1.0))


def _discriminant(good: Array, altered: Array) -> tuple[Array, float]:
    """Fisher's linear discriminant with a shrunk covariance, scaled: 0 at the good mean, 1 at the altered."""
    within = 0.5 * (np.cov(good.T) + np.cov(altered.T))
    shrunk = (1.0 - _SHRINKAGE) * within + _SHRINKAGE * np.eye(len(within))
    apart = altered.mean(axis=0) - good.mean(axis=0)
    weights = np.linalg.solve(shrunk, apart)
    weights /= max(float(weights @ apart), 1e-12)
    return weights, -float(good.mean(axis=0) @ weights)
