"""The same film under two names, found by its pixels.

A difference hash (dHash) of a film averaged down to 16 rows of 17 cells: each of its 256 bits says whether a
cell is brighter than its left neighbour. It survives another size, encoding, window or brightness, and, as
hashes are compared with each other's negatives too, an inverted grey scale. It does not survive a crop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case, ClassLabel, Cohort
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
class HashedFilm:
    """One film: whose it is, where the source's split puts it, the class its patient has, and its hash.

    `category` is "" where the patient has no class, or has several.
    """

    patient: str
    part: str
    category: str
    code: Hashes


@dataclass(frozen=True, slots=True)
class HashedFilms:
    """The films of a cohort: those that could be opened, and how many studies there are and stayed closed."""

    films: tuple[HashedFilm, ...]
    studies: int
    closed: int


def duplicate_images(
    cohort: Cohort, limits: Thresholds, on_progress: Progress | None = None
) -> Iterator[Finding]:
    """Films of two patients that look the same, and studies that cannot be opened.

    Only the middle slice of a volume is looked at. A study listed under two patients is another finding.
    """
    hashed = hashed_films(cohort, on_progress)
    if hashed.closed:
        problem = "studies cannot be opened"
        yield Finding("image cannot be opened", "studies", problem, hashed.closed, hashed.studies)
    yield from _look_alike(hashed.films, limits)


def look_alike_patients(cohort: Cohort, on_progress: Progress | None = None) -> NDArray[np.str_]:
    """(n,) a name equal for all cases of a patient, and of patients who share a study or a film by its look.

    A model that is judged on a film which it learnt under another name is judged on what it learnt: cases of
    one name belong on one side of a split. Only the middle slice of a volume is compared.
    """
    names, patient = np.unique(cohort.patients, return_inverse=True)
    films = hashed_films(cohort, on_progress).films
    pairs = _sharing_a_study(cohort, patient)
    if films:
        owner = np.searchsorted(names, [film.patient for film in films])
        alike = near_pairs(np.array([film.code for film in films]), owner, Thresholds().image_bits)
        pairs += [(int(one), int(other)) for one, other in owner[alike]]
    group = np.arange(len(names))
    for one, other in pairs:
        group[group == group[other]] = group[one]
    return names[group[patient]]


def _sharing_a_study(cohort: Cohort, patient: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Pairs of patients in both of whose records one study stands."""
    first: dict[str, int] = {}
    listed = [
        (first.setdefault(study.study_uid, place), place)
        for case, place in zip(cohort.cases, patient.tolist(), strict=True)
        for study in case.record.studies
    ]
    return [(one, other) for one, other in listed if one != other]


def hashed_films(cohort: Cohort, on_progress: Progress | None = None) -> HashedFilms:
    """Every film with any contrast of a cohort, each study opened once."""
    categories: dict[str, set[str]] = {}
    for case in cohort.cases:
        if isinstance(case.label, ClassLabel):
            categories.setdefault(case.patient, set()).add(case.label.category)
    owner: dict[str, tuple[Case, ImagingStudy]] = {}
    for case in cohort.cases:
        for study in case.record.studies:
            if study.store is not None:
                owner.setdefault(study.study_uid, (case, study))
    films: list[HashedFilm] = []
    closed = 0
    for done, (case, study) in enumerate(owner.values(), start=1):
        if on_progress is not None:
            on_progress("comparing films", done, len(owner))
        try:
            codes = [difference_hash(volume.voxels[len(volume.voxels) // 2]) for volume in study.volumes()]
        except StudyError:
            closed += 1
            continue
        own = categories.get(case.patient, set())
        category = next(iter(own)) if len(own) == 1 else ""
        films += [HashedFilm(case.patient, case.part, category, code) for code in codes if code is not None]
    return HashedFilms(tuple(films), len(owner), closed)


def _look_alike(films: Sequence[HashedFilm], limits: Thresholds) -> Iterator[Finding]:
    """Pairs on two sides of the source's split, pairs of two classes, and all others, each a finding."""
    if not films:
        return
    patient = np.unique([film.patient for film in films], return_inverse=True)[1]
    pairs = near_pairs(np.array([film.code for film in films]), patient, limits.image_bits)
    kind_of: dict[str, list[tuple[int, int]]] = {}
    for one, other in pairs.tolist():
        kind_of.setdefault(_kind(films[one], films[other]), []).append((one, other))
    for kind, own in kind_of.items():
        problem = (
            f"films look like a film of another patient ({len(own)} pairs differ in at most "
            f"{limits.image_bits} of 256 bits)"
        )
        yield Finding(kind, "films", problem, len(np.unique(own)), len(films))


def _kind(one: HashedFilm, other: HashedFilm) -> str:
    """Which kind of finding a pair of films that look the same is."""
    if one.part != other.part:
        return "near-duplicate image across the split"
    if one.category and other.category and one.category != other.category:
        return "near-duplicate image of another class"
    return "near-duplicate image"


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
