"""Evidence maps of an imaging model under test: films perturbed, weights drawn anew, sums checked."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.evaluation.faithfulness import Curves, perturbation_curves
from prognosis.evidence.imaging.arrays import film_arrays
from prognosis.evidence.imaging.films import Film
from prognosis.evidence.imaging.members import FoldMembers
from prognosis.evidence.imaging.model import Centres, ImagingEvidence
from prognosis.evidence.imaging.regions import Placed, along_axes, overlap
from prognosis.survival.curves import Floats

_BLUR = 1 / 16  # of the square's side: wider than a nodule, narrower than a lung
READ_OUTS = "read-outs"


@dataclass(frozen=True, slots=True)
class Perturbed:
    """One film's curves by each order of its cells.

    Attributes:
        by_map: Most evidence first.
        by_random: In an order drawn at random.
        by_contrast: Most contrast of the film first: what an order reaches that knows no model.
    """

    by_map: Curves
    by_random: Curves
    by_contrast: Curves


def perturbed(model: ImagingEvidence, film: Film, random: np.random.Generator, cause: int = 0) -> Perturbed:
    """A film's deletion and insertion curves; the answer is the film's evidence for one cause.

    Args:
        model: Imaging evidence of films.
        film: From a patient that did not train the model.
        random: Of the random order.
        cause: Place of the cause.
    """
    from scipy.ndimage import gaussian_filter

    cells, image = model.config.cells, film.square.astype(np.float64)
    blurred = gaussian_filter(image, _BLUR * model.config.size, mode="nearest")

    def answer(images: Floats) -> Floats:
        films = [replace(film, square=each.astype(np.float32)) for each in images]
        level = model.film_level(film_arrays(films, model.config, encoder=model.encoder))
        return np.asarray(level[:, cause].sum(axis=1))

    def curves(order: NDArray[np.intp]) -> Curves:
        return perturbation_curves(answer, image, blurred, order, cells)

    evidence = on_cells(model.map_of(film).evidence[cause], film.placement, cells)
    pixels = image.reshape(cells[0], -1, cells[1], image.shape[1] // cells[1])
    return Perturbed(
        curves(np.argsort(-evidence, axis=None, kind="stable")),
        curves(random.permutation(evidence.size)),
        curves(np.argsort(-pixels.std(axis=(1, 3)), axis=None, kind="stable")),
    )


def on_cells(evidence: Floats, placement: Placed, cells: Sequence[int]) -> Floats:
    """(*cells) a map over the image's own pixels summed over each cell of the square; 0 beyond the image."""
    parts = []
    for axis, count in zip(placement.axes, cells, strict=True):
        scale = axis.voxels / axis.extent
        parts.append(overlap(count, axis.voxels, -axis.start * scale, axis.size * scale))
    return along_axes(evidence, parts)


def randomised_maps(
    model: ImagingEvidence, films: Sequence[Film], draws: int, seed: int, cause: int = 0
) -> dict[str, Floats]:
    """Stage to (draws, films, cells) maps with weights drawn anew, cascading from the read-outs down.

    The read-outs are first (the ridges' coefficients and the network's last layer); each further stage draws
    one more part of every fold's network, from the top.

    Args:
        model: Imaging evidence of films.
        films: At least two.
        draws: Of each stage.
        seed: Of the draws.
        cause: Place of the cause.
    """
    network = model.folds[0].network
    parts = 0 if network is None else len(list(network.children())) - 1
    stages = [READ_OUTS, *(f"and {count} of {parts} layers" for count in range(1, parts + 1))]
    return {
        stage: np.stack(
            [
                cell_maps(_recentred(drawn_anew(model, depth, seed + draw), films), films, cause)
                for draw in range(draws)
            ]
        )
        for depth, stage in enumerate(stages)
    }


def cell_maps(model: ImagingEvidence, films: Sequence[Film], cause: int = 0) -> Floats:
    """(films, cells) the maps of films, by cell of the square."""
    cells = model.config.cells
    return np.stack(
        [on_cells(model.map_of(film).evidence[cause], film.placement, cells).ravel() for film in films]
    )


def drawn_anew(model: ImagingEvidence, depth: int, seed: int) -> ImagingEvidence:
    """The model with its read-outs and the last `depth` layers of its networks at random weights."""
    import torch

    random = np.random.default_rng(seed)

    def like(weights: Floats) -> Floats:
        return random.normal(size=weights.shape) * weights.std(axis=0)

    folds = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for fold in model.folds:
            network = copy.deepcopy(fold.network)
            for layer in [] if network is None else list(network.children())[-1 - depth :]:
                for part in layer.modules():
                    reset: Callable[[], None] | None = getattr(part, "reset_parameters", None)
                    if reset is not None:
                        reset()
            frozen = None if fold.frozen is None else like(fold.frozen)
            folds.append(FoldMembers(like(fold.coefficients), network, frozen))
    return replace(model, folds=tuple(folds))


def _recentred(model: ImagingEvidence, films: Sequence[Film]) -> ImagingEvidence:
    """The model with its evidence zero at the mean of these films, as a trained one's is of its own."""
    arrays = film_arrays(films, model.config, encoder=model.encoder)
    members = np.stack([fold.regions(arrays, model.config).mean(axis=1) for fold in model.folds])
    return replace(model, centres=Centres(members, model.centres.change))


def map_additivity_error(model: ImagingEvidence, cases: Sequence[Case]) -> float:
    """The largest difference, over cases and causes, between sums that must be one number.

    A film's map against its level tokens; all of a case's tokens against the evidence that is fused.
    """
    summed = model.summarise(cases).evidence.sum(axis=2)
    worst = 0.0
    for case, whole in zip(cases, summed, strict=True):
        tokens, located = model.tokens(case), model.evidence_map(case)
        if located is None:
            continue
        added = np.sum([token.evidence.sum(axis=1) for token in tokens], axis=0)
        level = np.sum([token.vector[: len(model.causes)] for token in tokens], axis=0)
        gaps = np.abs([*(added - whole), *(located.evidence.sum(axis=(1, 2)) - level)])
        worst = max(worst, float(gaps.max()))
    return worst
