"""The same film under two names, found by its pixels.

A difference hash (dHash) of a film averaged down to 16 rows of 17 cells: each of its 256 bits says whether a
cell is brighter than its left neighbour. It survives another size, encoding, window or brightness, and, as
hashes are compared with each other's negatives too, an inverted grey scale. It does not survive a crop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case, Cohort
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy

Hashes = NDArray[np.uint64]
Progress = Callable[[str, int, int], None]

ROWS = 16
BITS = ROWS * ROWS
WORDS = BITS // 64
BLOCK = 512
FLAT = 1e-6  # of the brightest cell: what averaging leaves of no contrast at all


@dataclass(frozen=True, slots=True)
class _Film:
    patient: str
    part: str
    code: Hashes


def duplicate_images(
    cohort: Cohort, limits: Thresholds, on_progress: Progress | None = None
) -> Iterator[Finding]:
    """Films of two patients that look the same, and studies that cannot be opened.

    Only the middle slice of a volume is looked at. A study listed under two patients is another finding.
    """
    owner: dict[str, tuple[Case, ImagingStudy]] = {}
    for case in cohort.cases:
        for study in case.record.studies:
            if study.store is not None:
                owner.setdefault(study.study_uid, (case, study))
    films: list[_Film] = []
    closed = 0
    for done, (case, study) in enumerate(owner.values(), start=1):
        if on_progress is not None:
            on_progress("comparing films", done, len(owner))
        try:
            films.extend(_films_of(case, study))
        except StudyError:
            closed += 1
    if closed:
        problem = "studies cannot be opened"
        yield Finding("image cannot be opened", "studies", problem, closed, len(owner))
    if films:
        yield from _look_alike(films, limits)


def _films_of(case: Case, study: ImagingStudy) -> list[_Film]:
    codes = [difference_hash(volume.voxels[len(volume.voxels) // 2]) for volume in study.volumes()]
    return [_Film(case.patient, case.part, code) for code in codes if code is not None]


def _look_alike(films: list[_Film], limits: Thresholds) -> Iterator[Finding]:
    patient = np.unique([film.patient for film in films], return_inverse=True)[1]
    pairs = near_pairs(np.array([film.code for film in films]), patient, limits.image_bits)
    if not len(pairs):
        return
    across = sum(films[one].part != films[other].part for one, other in pairs)
    split = f"; {across} pairs stand on two sides of the source's split" if across else ""
    problem = (
        f"films look like a film of another patient ({len(pairs)} pairs differ in at most "
        f"{limits.image_bits} of 256 bits{split})"
    )
    yield Finding("near-duplicate image", "films", problem, len(np.unique(pairs)), len(films))


def difference_hash(film: NDArray[np.float32]) -> Hashes | None:
    """(4,) the 256 bits of a film (rows, columns); None for one without any contrast."""
    cells = _averaged(_averaged(film.astype(np.float64), ROWS).T, ROWS + 1).T
    if not np.isfinite(cells).all() or np.ptp(cells) <= FLAT * np.abs(cells).max():
        return None
    brighter = np.diff(cells, axis=1) > 0.0
    return np.packbits(brighter).view(np.uint64)


def _averaged(film: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Mean over `rows` equal bands of rows, whose edges may cut through a row."""
    below = np.concatenate([np.zeros((1, film.shape[1])), np.cumsum(film, axis=0)])
    edges = np.linspace(0.0, len(film), rows + 1)
    whole = np.minimum(edges.astype(np.int64), len(film) - 1)
    sums = below[whole] + (edges - whole)[:, None] * film[whole]
    return np.asarray(np.diff(sums, axis=0) * rows / len(film))


def near_pairs(hashes: Hashes, patient: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """(pairs, 2) places of films of two patients whose hashes agree but for at most `bits` bits.

    A hash is compared with the other and with its negative.
    """
    found = [np.empty((0, 2), dtype=np.int64)]
    for first in range(0, len(hashes), BLOCK):
        block = hashes[first : first + BLOCK]
        apart = np.zeros((len(block), len(hashes) - first), dtype=np.uint16)
        for word in range(WORDS):
            apart += np.bitwise_count(block[:, word, None] ^ hashes[None, first:, word])
        one, other = np.nonzero(np.minimum(apart, BITS - apart) <= bits)
        later = (other > one) & (patient[first + one] != patient[first + other])
        found.append(first + np.stack([one[later], other[later]], axis=1))
    return np.concatenate(found)
