"""Fitting the imaging evidence: one model a fold, each judged on the films of patients that it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.cohort.splits import patient_folds
from prognosis.cohort.target import Target
from prognosis.evidence.averaging import averaging_gain, spread_of_average
from prognosis.evidence.imaging.arrays import FilmArrays
from prognosis.evidence.imaging.combine import Combination, film_change, fit_combination
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.film_table import FilmTable, Progress
from prognosis.evidence.imaging.films import Film
from prognosis.evidence.imaging.members import FoldMembers
from prognosis.evidence.imaging.model import Centres, ImagingEvidence, case_evidence, modality_evidence
from prognosis.evidence.imaging.reading import ImagesRead, Typical, read_images
from prognosis.evidence.readout import case_weights, fit_readout
from prognosis.evidence.token import FittedEvidence, Fitting

if TYPE_CHECKING:
    from prognosis.evidence.imaging.pretrained import PretrainedEncoder
    from prognosis.evidence.segmentation.model import SegmentationModel

Array = NDArray[np.float64]

_INNER_FOLDS = 5


def fit_imaging(
    cases: Sequence[Case],
    target: Target,
    folds: NDArray[np.int64],
    config: ImagingConfig,
    seed: int,
    on_progress: Progress | None = None,
) -> FittedEvidence:
    """Read the films and fit them; see `imaging_fitting`."""
    return imaging_fitting(cases, target, folds, config, seed, on_progress)(None)


def imaging_fitting(
    cases: Sequence[Case],
    target: Target,
    folds: NDArray[np.int64],
    config: ImagingConfig,
    seed: int,
    on_progress: Progress | None = None,
    read: ImagesRead | None = None,
) -> Fitting:
    """What trains one model a fold on the other folds' films, once they are read, and averages them.

    Args:
        cases: The training cases; those without a readable film teach nothing and get zeros.
        target: What happened to each.
        folds: (n,) fold of each case; all cases of a patient share one.
        config: Settings.
        seed: Of all chance.
        on_progress: Told a description, how much of it is done, and of how much.
        read: The films, where they were read before for another target; see `read_images`.

    Raises:
        CohortError: A fold has no film to learn from.
        ConfigError: The pretrained encoder cannot be used.
        BundleError: The segmentation model cannot be read.
    """
    read = read or read_images(cases, folds, config, seed, on_progress)
    seen = _Seen(cases, target, read.table, read.films, config, read.encoder, read.segmenter)
    return partial(_fit, seen, read.typical, folds, read.film_folds, seed, on_progress)


def _fit(
    seen: _Seen,
    typical: Typical,
    folds: NDArray[np.int64],
    film_folds: NDArray[np.int64],
    seed: int,
    on_progress: Progress | None,
    offset: Array | None,
) -> FittedEvidence:
    """The models of all folds, beside evidence known from elsewhere."""
    seen = replace(seen, offset=offset)
    target, table, films, config = seen.target, seen.table, seen.films, seen.config
    number = int(folds.max()) + 1
    fitted, centres, each = [], [], []
    count = 1 + (seen.encoder is not None) + bool(config.epochs)
    held_out = np.zeros((count, len(films), len(target.causes), films.descriptors.shape[1]))
    for fold in range(number):
        members = _fit_fold(seen, folds != fold, seed + fold, _told(on_progress, fold, number))
        evidence = members.regions(films, config)
        own = film_folds == fold
        judged = table.present & ((folds == fold) if own.any() else True)
        centre = evidence[:, table.latest[judged]].mean(axis=1)
        each.append(evidence - centre[:, None])
        held_out[:, own] = each[-1][:, own]
        fitted.append(members)
        centres.append(centre)
    return _assembled(seen, folds, tuple(fitted), held_out, each, np.stack(centres), typical)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a fit has before it: the cases, what happened to them, their films, how to read them.

    `offset` is evidence (n, causes) known from elsewhere.
    """

    cases: Sequence[Case]
    target: Target
    table: FilmTable[Film]
    films: FilmArrays
    config: ImagingConfig
    encoder: PretrainedEncoder | None
    segmenter: SegmentationModel | None
    offset: Array | None = None

    def known(self, rows: NDArray[np.intp]) -> Array | None:
        """The cases' evidence known from elsewhere."""
        return None if self.offset is None else self.offset[rows]


def _assembled(
    seen: _Seen,
    folds: NDArray[np.int64],
    fitted: tuple[FoldMembers, ...],
    held_out: Array,
    each: Sequence[Array],
    centres: Array,
    typical: Typical,
) -> FittedEvidence:
    """The averaged model and the out-of-fold evidence, whose combination is learned on the other folds.

    `each` is what every fold's members say of every film, `held_out` what those say that had not seen it.
    """
    target, table = seen.target, seen.table
    level, change = (np.zeros((len(target), len(target.causes), held_out.shape[-1])) for _ in range(2))
    by_fold = []
    for fold, members in enumerate(fitted):
        own, others = folds == fold, np.flatnonzero(folds != fold)
        combination, change_centre = _combined(
            held_out, table.take(others), target.take(others), seen.known(others)
        )
        both = case_evidence(held_out, table, combination, change_centre)
        level[own], change[own] = both[0][own], both[1][own]
        own_centres = Centres(centres[fold : fold + 1], change_centre)
        by_fold.append(_evidence_model(seen, (members,), combination, own_centres, typical))
    distance = np.zeros(len(target))
    distance[table.present] = typical.distance[table.latest[table.present]]
    combination, change_centre = _combined(held_out, table, target, seen.offset)
    by_each = [np.sum(case_evidence(own, table, combination, change_centre), axis=(0, 3)) for own in each]
    gain = averaging_gain(np.stack(by_each), folds, table.present)
    combination = replace(combination, slopes=combination.slopes * gain)
    change_centre = change_centre * gain[:, None]
    model = _evidence_model(seen, fitted, combination, Centres(centres, change_centre), typical)
    left_out = modality_evidence(table, level, change, distance)
    return FittedEvidence(model, left_out, tuple(by_fold), spread_of_average(left_out, gain, model.width))


def _evidence_model(
    seen: _Seen,
    folds: tuple[FoldMembers, ...],
    combination: Combination,
    centres: Centres,
    typical: Typical,
) -> ImagingEvidence:
    return ImagingEvidence(
        config=seen.config,
        causes=seen.target.causes,
        folds=folds,
        combination=combination,
        centres=centres,
        typical=typical.films,
        gate=typical.gate,
        encoder=seen.encoder,
        segmenter=seen.segmenter,
    )


def _combined(
    held_out: Array, table: FilmTable[Film], target: Target, offset: Array | None
) -> tuple[Combination, Array]:
    """The combination, and (causes, regions) the mean change a day over cases with two films."""
    combination = fit_combination(held_out, table, target, offset)
    moved = film_change(np.einsum("mk,mfkr->fkr", combination.slopes, held_out), table)
    both = table.previous >= 0
    return combination, moved[both].mean(axis=0) if both.any() else np.zeros(moved.shape[1:])


def _fit_fold(seen: _Seen, learn: NDArray[np.bool_], seed: int, on_progress: Progress | None) -> FoldMembers:
    """The ridges and the network of the cases at `learn`."""
    rows = np.flatnonzero(learn & seen.table.present)
    own, latest = seen.target.take(rows), seen.table.latest[rows]
    patients, known = np.array([seen.cases[int(row)].patient for row in rows]), seen.known(rows)
    inner, weights = patient_folds(patients, own.cause, _INNER_FOLDS, seed), case_weights(own, patients)

    def ridge(parts: Array) -> Array:
        own_parts = parts[latest]
        features = own_parts.sum(axis=1)
        return fit_readout(features, own, inner, weights, offset=known, parts=own_parts).coefficients

    coefficients = ridge(seen.films.descriptors)
    frozen = None if seen.films.features is None else ridge(seen.films.features)
    if not seen.config.epochs:
        return FoldMembers(coefficients, None, frozen)
    from prognosis.evidence.imaging.training import train_encoder

    network = train_encoder(seen.films, latest, own, seen.config, seed, on_progress, seen.encoder, known)
    return FoldMembers(coefficients, network, frozen)


def _told(on_progress: Progress | None, fold: int, folds: int) -> Progress | None:
    if on_progress is None:
        return None
    tell = on_progress

    def told(description: str, done: int, total: int) -> None:
        tell(f"{description}, fold {fold + 1} of {folds}", done, total)

    return told
