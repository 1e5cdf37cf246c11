"""Evidence maps and changes between films, against lesions whose place and growth are known.

`python -m benchmarks.evidence_maps MODEL [--patients 600] [--seed 0] [--films 60] [--json]`

MODEL is the folder `model` that `prognosis demo --patients 600 --seed 0` wrote. The same cohort is simulated
again, for where the lesions lie is in no file that a model reads; only patients that did not train the model
are judged, and changes between films on a cohort of the next seed. Intervals are 95% percentile intervals
over resampled patients.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.lesion_changes import GrowthFound, growth_found
from prognosis.cohort import Case, build_cohort
from prognosis.evaluation.explanations import Explanations, judge_explanations
from prognosis.evaluation.localisation import Localisation, Localised, localisation, localise
from prognosis.evidence.imaging.films import Film, read_image
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.fusion import FusionModel, load_model
from prognosis.simulate import Dials, simulate_cohort
from prognosis.simulate.film import PIXELS, lesion_mask
from prognosis.simulate.films import FilmRecipe, SimulatedFilms
from prognosis.survival.bootstrap import Interval

SIZES_MM = ((3.0, 6.0), (6.0, 9.0), (9.0, 13.0), (13.0, 20.5))
REPLICATES = 1000


@dataclass(frozen=True, slots=True)
class Positive:
    """A held-out patient with a lesion on the latest film."""

    case: Case
    film: Film
    recipe: FilmRecipe

    @property
    def largest_mm(self) -> float:
        """Diameter of the largest lesion."""
        return max(lesion.diameter_mm for lesion in self.recipe.lesions)


@dataclass(frozen=True, slots=True)
class Report:
    """All that was measured.

    Attributes:
        judged: Held-out patients with a readable film.
        positives: Of them, those with a lesion on it.
        zones: Where most of the evidence by zone lies, against the zones that hold a lesion.
        pixels: Where the map's maximum lies, against the lesions' own pixels.
        by_size: The same two, by the diameter of the largest lesion.
        explanations: Deletion, insertion, model randomisation and additivity, as `prognosis evaluate
            --explanations` judges them.
        growth: The sign of a lesion's change against that of its zone's evidence, as reports compare films
            and with the films as they lie; on the patients of another simulation.
    """

    judged: int
    positives: int
    zones: Localisation
    pixels: Localisation
    by_size: dict[str, tuple[Localisation, Localisation]]
    explanations: Explanations
    growth: dict[str, GrowthFound]


def measure(model: FusionModel, patients: int, seed: int, films: int) -> Report:
    """Simulate the model's cohort again and judge its maps on patients that it has not seen."""
    imaging = model.evidence["imaging"]
    if not isinstance(imaging, ImagingEvidence):
        raise SystemExit("the model reads no films")
    unseen, others = (
        [
            case
            for case in build_cohort(
                model.task, simulate_cohort(Dials(patients=patients), each).records
            ).cases
            if case.record.studies and not model.was_trained_on(case)
        ]
        for each in (seed, seed + 1)
    )
    found = positives(imaging, unseen)
    names = np.array([each.case.patient for each in found])
    zones = [against_zones(imaging, each) for each in found]
    pixels = [against_pixels(imaging, each) for each in found]
    largest = np.array([each.largest_mm for each in found])
    return Report(
        judged=len(unseen),
        positives=len(found),
        zones=localisation(zones, names, REPLICATES, seed),
        pixels=localisation(pixels, names, REPLICATES, seed),
        by_size={
            f"{low:g} to {high:g} mm": tuple(
                localisation([each[row] for row in rows], names[rows], REPLICATES, seed)
                for each in (zones, pixels)
            )
            for low, high in SIZES_MM
            for rows in [np.flatnonzero((largest >= low) & (largest < high))]
        },
        explanations=judge_explanations(
            model, [each.case for each in found[:films]], films, REPLICATES, seed
        ),
        growth={
            name: growth_found(imaging, others, REPLICATES, seed, aligned=aligned)
            for name, aligned in (("films aligned", True), ("films as they lie", False))
        },
    )


def positives(imaging: ImagingEvidence, cases: Sequence[Case]) -> list[Positive]:
    """The cases whose latest film is read and shows a lesion."""
    found = []
    for case in cases:
        study = case.record.studies[-1]
        film = read_image(study, case.patient, imaging.config, imaging.gate)
        recipe = recipe_of(case, -1)
        if isinstance(film, Film) and recipe.lesions:
            found.append(Positive(case, film, recipe))
    return found


def recipe_of(case: Case, place: int) -> FilmRecipe:
    """What the film of the case's study at this place was drawn from."""
    study = case.record.studies[place]
    if not isinstance(study.store, SimulatedFilms):
        raise SystemExit("the cohort is not simulated")
    return study.store.recipes[study.study_uid]


def against_zones(imaging: ImagingEvidence, positive: Positive) -> Localised:
    """The evidence by zone against the zones that hold a lesion."""
    names = imaging.config.layout.names
    level = {token.name: float(token.evidence[0, 0]) for token in imaging.tokens(positive.case)}
    held = {lesion.zone for lesion in positive.recipe.lesions}
    return localise(np.array([level[name] for name in names]), np.isin(names, list(held)), 0.0)


def against_pixels(imaging: ImagingEvidence, positive: Positive) -> Localised:
    """The map against the lesions' pixels; a maximum one cell away counts."""
    seed = positive.recipe.film_seed
    mask = np.logical_or.reduce([lesion_mask(lesion, seed) for lesion in positive.recipe.lesions])
    return localise(imaging.map_of(positive.film).evidence[0], mask, PIXELS / imaging.config.cells[0])


def shown(name: str, interval: Interval, chance: Interval | None = None) -> str:
    """One line of the table."""
    beside = "" if chance is None else f"   by chance {chance.value:.3f}"
    return f"{name:44} {interval.value:7.3f} ({interval.low:6.3f} to {interval.high:6.3f}){beside}"


def lines(report: Report) -> list[str]:
    """The report as text."""
    told = [f"{report.judged} patients that did not train the model; {report.positives} with a lesion"]
    parts = {"all": (report.zones, report.pixels)} | report.by_size
    for size, (zones, pixels) in parts.items():
        told.append(f"largest lesion {size}, {zones.images} films")
        told.append(shown("  zone of most evidence holds a lesion", zones.points, zones.points_by_chance))
        told.append(shown("  maximum within a cell of a lesion", pixels.points, pixels.points_by_chance))
        told.append(shown("  overlap at the lesions' area (IoU)", pixels.overlap))
        told.append(shown("  positive evidence inside lesions", pixels.inside, pixels.inside_by_chance))
    maps = report.explanations
    for each in maps.advantages:
        told.append(shown(f"deletion, map better than {each.other} by", each.deletion))
        told.append(shown(f"insertion, map better than {each.other} by", each.insertion))
    for stage in maps.randomised:
        told.append(shown(f"map correlation, new {stage.stage}", stage.correlation))
        told.append(shown("  its absolute value", stage.size))
    verdict = "passes" if maps.randomised[-1].changed else "FAILS"
    told.append(f"model-randomisation check: {verdict}")
    told.append(f"maps, tokens, evidence differ by at most {maps.map_additivity_error:.1e}")
    told.append(f"base + attributions and log-hazard differ by at most {maps.answer_additivity_error:.1e}")
    for how, growth in report.growth.items():
        told.append(f"change of a zone's evidence between first and latest film, {how}")
        told += [shown(f"  {name}", share) for name, share in growth.named().items()]
    return told


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--patients", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--films", type=int, default=60, help="films that are perturbed")
    parser.add_argument("--json", action="store_true")
    stated = parser.parse_args()
    report = measure(load_model(stated.model), stated.patients, stated.seed, stated.films)
    print(json.dumps(asdict(report), indent=1) if stated.json else "\n".join(lines(report)))


if __name__ == "__main__":
    main()
