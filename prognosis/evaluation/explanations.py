"""Whether a model's explanations of films hold, on patients that did not train it: every check at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prognosis.cohort import Case
from prognosis.errors import CohortError, InputError, StudyError
from prognosis.evaluation.evidence_maps import cell_maps, map_additivity_error, perturbed, randomised_maps
from prognosis.evaluation.faithfulness import Advantage, Randomised, advantage, randomisation
from prognosis.evaluation.localisation import Localisation, Localised, Mask, localisation, localise
from prognosis.evidence.imaging.films import Film
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.series import evidence_series
from prognosis.explanation import explain_case
from prognosis.fusion import FusionModel
from prognosis.record.imaging import UNMARKED

FEWEST_FILMS = 2
DRAWS = 5
FIRST_CAUSE = 0


@dataclass(frozen=True, slots=True)
class Explanations:
    """What was found of the maps of one cause, and what was not measured.

    Attributes:
        cause: Whose evidence was mapped: the first of the task.
        films: How many films were read, each the latest of its patient's case.
        marked: The maps against what the source marks on the films; None where it marks nothing.
        structures: Names of what is marked.
        advantages: Deletion and insertion by the map against other orders.
        randomised: The model-randomisation check, stage by stage.
        map_additivity_error: Largest difference between a map, its tokens and the evidence.
        answer_additivity_error: Largest |base + sum of attributions - log-hazard| of the fused model.
        left_out: Each check that was not made, with the reason.
    """

    cause: str
    films: int
    marked: Localisation | None
    structures: tuple[str, ...]
    advantages: tuple[Advantage, ...]
    randomised: tuple[Randomised, ...]
    map_additivity_error: float
    answer_additivity_error: float
    left_out: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A case and its latest readable film."""

    case: Case
    film: Film


def judge_explanations(
    model: FusionModel, cases: Sequence[Case], films: int = 60, replicates: int = 1000, seed: int = 0
) -> Explanations:
    """Every check of `evaluation.evidence_maps` and `.localisation` on the latest films of these cases.

    Args:
        model: A model that reads films.
        cases: Of patients that did not train it.
        films: The most films that are judged, drawn at random from the cases that have one.
        replicates: Bootstrap samples of patients.
        seed: Of the draw, of random orders and weights, and of the bootstrap.

    Raises:
        InputError: The model reads no single films.
        CohortError: Fewer than two of the cases have a film that is read.
    """
    imaging = model.evidence.get("imaging")
    if not isinstance(imaging, ImagingEvidence) or imaging.config.dimensions != 2:
        raise InputError(model.model_id, "reads no single films", "evaluate it without --explanations")
    random = np.random.default_rng(seed)
    shown = _latest_films(imaging, [cases[row] for row in random.permutation(len(cases))], films)
    if len(shown) < FEWEST_FILMS:
        raise CohortError(
            f"explanations of {model.model_id}",
            f"{len(shown)} of the cases have a film that is read",
            f"give a source with at least {FEWEST_FILMS} films of other patients",
        )
    whose = np.array([each.case.patient for each in shown])
    read = [each.film for each in shown]
    curves = [perturbed(imaging, film, random, FIRST_CAUSE) for film in read]
    by_map = [each.by_map for each in curves]
    orders = {
        "random": [each.by_random for each in curves],
        "contrast": [each.by_contrast for each in curves],
    }
    drawn = randomised_maps(imaging, read, DRAWS, seed, FIRST_CAUSE)
    found, names = _against_marks(imaging, shown)
    rows = sorted(found)
    return Explanations(
        cause=imaging.causes[FIRST_CAUSE],
        films=len(shown),
        marked=localisation([found[row] for row in rows], whose[rows], replicates, seed) if rows else None,
        structures=names,
        advantages=tuple(
            advantage(by_map, theirs, name, whose, replicates, seed) for name, theirs in orders.items()
        ),
        randomised=randomisation(cell_maps(imaging, read, FIRST_CAUSE), drawn, whose, replicates, seed),
        map_additivity_error=map_additivity_error(imaging, [each.case for each in shown]),
        answer_additivity_error=max(explain_case(model, each.case).max_additivity_error for each in shown),
        left_out={} if rows else {"pointing game and overlap": "the source marks nothing on these films"},
    )


def _latest_films(imaging: ImagingEvidence, cases: Sequence[Case], most: int) -> list[_Shown]:
    """Of each patient one case that has a readable film, until there are so many."""
    shown: dict[str, _Shown] = {}
    for case in cases:
        if len(shown) == most:
            break
        series = () if case.patient in shown else evidence_series(imaging, case, 1)
        if series:
            shown[case.patient] = _Shown(case, series[-1].film)
    return list(shown.values())


def _against_marks(
    imaging: ImagingEvidence, shown: Sequence[_Shown]
) -> tuple[dict[int, Localised], tuple[str, ...]]:
    """Row to the film's map against what is marked on it; a maximum one cell away counts. What is marked."""
    found, names = {}, set()
    for row, each in enumerate(shown):
        evidence = imaging.map_of(each.film).evidence[FIRST_CAUSE]
        mask, structures = _marked(each, evidence.shape)
        if mask is not None:
            cell = max(side / count for side, count in zip(evidence.shape, imaging.config.cells, strict=True))
            found[row] = localise(evidence, mask, cell)
            names |= set(structures)
    return found, tuple(sorted(names))


def _marked(shown: _Shown, shape: tuple[int, ...]) -> tuple[Mask | None, tuple[str, ...]]:
    """What somebody marked on the film, all structures together; None where nothing is marked on its grid."""
    for study in shown.case.record.studies:
        if shown.film.source != (study.source or f"ImagingStudy/{study.study_uid}"):
            continue
        try:
            marks = study.segmentations()
        except StudyError:
            return None, ()
        for each in marks:
            mask = (each.labels[0] > 0) & (each.labels[0] != UNMARKED)
            if len(each.labels) == 1 and mask.shape == shape and mask.any():
                return mask, each.structures
    return None, ()
