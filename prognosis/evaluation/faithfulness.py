"""Whether an evidence map says what the model does: deletion, insertion, model randomisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evaluation.localisation import mean_interval
from prognosis.survival.bootstrap import Interval
from prognosis.survival.curves import Floats

SHARES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Of the cells deleted or inserted; close together at first, where a good order does its work."""

LARGEST_CORRELATION = 0.5
"""Rank correlation with the maps of a model of random weights above which maps do not depend on the model."""

Answer = Callable[[Floats], Floats]
"""From (n, *shape) images to (n,) answers of the model."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Areas under one image's deletion and insertion curves by one order of its cells.

    Attributes:
        deletion: Mean answer while cells are replaced by the blurred image; a good order makes it low.
        insertion: Mean answer while cells replace those of the blurred image; a good order makes it high.
    """

    deletion: float
    insertion: float


@dataclass(frozen=True, slots=True)
class Advantage:
    """How much better the map's order is than another, on the model's scale; above 0 the map's is better.

    Attributes:
        other: What the other order is.
        deletion: The other's area under the deletion curve less the map's.
        insertion: The map's area under the insertion curve less the other's.
    """

    other: str
    deletion: Interval
    insertion: Interval


@dataclass(frozen=True, slots=True)
class Randomised:
    """How alike the maps of the model and of the same model with some weights drawn anew are.

    Attributes:
        stage: Which weights were drawn anew.
        correlation: Mean rank correlation of the two maps of an image; 1 is no change.
        size: Mean of its absolute value: a map turned upside down is as alike.
    """

    stage: str
    correlation: Interval
    size: Interval

    @property
    def changed(self) -> bool:
        """True when the maps have clearly changed: what an explanation of the model must do."""
        return self.correlation.high < LARGEST_CORRELATION and self.size.high < LARGEST_CORRELATION


def perturbation_curves(
    answer: Answer, image: Floats, blurred: Floats, order: NDArray[np.intp], cells: Sequence[int]
) -> Curves:
    """Areas under the deletion and insertion curves (Petsiuk et al., BMVC 2018, section 3.3).

    The image gives way to its blurred self, cell by cell: a patch of one grey would draw edges that no image
    has, and the answer to them would be measured instead.

    Args:
        answer: The model.
        image: (*shape) as the model reads it.
        blurred: The same without detail.
        order: Every cell's number, the first to be deleted or inserted first.
        cells: Cells along each axis; they divide the shape.
    """
    steps = [round(share * len(order)) for share in SHARES]
    parts = [
        np.repeat(np.arange(count), side // count) for count, side in zip(cells, image.shape, strict=True)
    ]
    number = np.ravel_multi_index(np.ix_(*parts), tuple(cells))
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    taken = np.stack([rank[number] < step for step in steps])
    both = answer(np.concatenate([np.where(taken, blurred, image), np.where(taken, image, blurred)]))
    return Curves(*(float(np.trapezoid(half, SHARES)) for half in np.split(both, 2)))


def advantage(
    by_map: Sequence[Curves],
    by_other: Sequence[Curves],
    other: str,
    patients: NDArray[np.str_],
    replicates: int = 1000,
    seed: int = 0,
) -> Advantage:
    """The map's order against another on the same images, paired, with intervals over patients."""
    pairs = list(zip(by_map, by_other, strict=True))
    deletion = np.array([theirs.deletion - ours.deletion for ours, theirs in pairs])
    insertion = np.array([ours.insertion - theirs.insertion for ours, theirs in pairs])
    return Advantage(
        other,
        mean_interval(deletion, patients, replicates, seed),
        mean_interval(insertion, patients, replicates, seed),
    )


def randomisation(
    maps: Floats,
    of_stage: Mapping[str, Floats],
    patients: NDArray[np.str_],
    replicates: int = 1000,
    seed: int = 0,
) -> tuple[Randomised, ...]:
    """The model-randomisation check (Adebayo et al., NeurIPS 2018, section 4) of every stage.

    An explanation passes when, with all weights drawn anew, `changed` is True: maps that stay as they were
    show the image and not the model.

    Args:
        maps: (n, places) the model's evidence of each image.
        of_stage: Stage to (draws, n, places) the evidence with weights drawn anew, once a draw.
        patients: (n,) whose image each is.
        replicates: Bootstrap samples.
        seed: Of the bootstrap.
    """
    found = []
    for stage, drawn in of_stage.items():
        alike = np.stack([rank_correlation(maps, each) for each in drawn])
        found.append(
            Randomised(
                stage,
                mean_interval(alike.mean(axis=0), patients, replicates, seed),
                mean_interval(np.abs(alike).mean(axis=0), patients, replicates, seed),
            )
        )
    return tuple(found)


def rank_correlation(first: Floats, second: Floats) -> Floats:
    """(n,) Spearman's rank correlation of the (n, places) rows; 0 where one of them is constant."""
    from scipy.stats import rankdata

    ranks = [rankdata(each, axis=1) for each in (first, second)]
    centred = [each - each.mean(axis=1, keepdims=True) for each in ranks]
    spread = np.prod([np.linalg.norm(each, axis=1) for each in centred], axis=0)
    together = (centred[0] * centred[1]).sum(axis=1)
    return np.divide(together, spread, out=np.zeros(len(first)), where=spread > 0.0)
