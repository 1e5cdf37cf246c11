"""Whether the change of a zone's evidence between two films has the sign of the lesions' growth there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prognosis.cohort import Case
from prognosis.evaluation.localisation import mean_interval
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.series import DatedEvidence, change_between, evidence_series
from prognosis.simulate.film import Lesion
from prognosis.simulate.films import FilmRecipe, SimulatedFilms
from prognosis.survival.bootstrap import Interval

SIZES_MM = ((2.0, 3.0), (3.0, 5.0), (5.0, np.inf))


@dataclass(frozen=True, slots=True)
class Change:
    """One lesion between two films of a patient, and its zone's change in evidence.

    Attributes:
        patient: Whose.
        growth_mm: Later diameter less the earlier one, in the order in which the pair was shown.
        evidence: Later evidence of the zone less the earlier, likewise.
    """

    patient: str
    growth_mm: float
    evidence: float

    @property
    def sign_found(self) -> bool:
        """True when both have one sign."""
        return self.growth_mm * self.evidence > 0.0


@dataclass(frozen=True, slots=True)
class GrowthFound:
    """Shares of lesions whose sign of change was found, with intervals over patients.

    Attributes:
        lesions: Number that changed by 2 mm or more.
        found: Of them.
        grew: Of those shown as growing.
        shrank: Of those shown as shrinking: the same films in reverse order.
        by_size: Of those that changed by 2 to 3, 3 to 5 and 5 mm or more.
        zones_without: Share of zones without a lesion whose evidence rose: one half where nothing misleads.
    """

    lesions: int
    found: Interval
    grew: Interval
    shrank: Interval
    by_size: dict[str, Interval]
    zones_without: Interval

    def named(self) -> dict[str, Interval]:
        """Each share and what it is."""
        return {
            f"sign of change found, {self.lesions} lesions of >= 2 mm": self.found,
            "  shown as growing": self.grew,
            "  shown as shrinking": self.shrank,
            **{f"  changed by {size}": share for size, share in self.by_size.items()},
            "zones without lesions: evidence rose": self.zones_without,
        }


def growth_found(
    imaging: ImagingEvidence, cases: Sequence[Case], replicates: int, seed: int, *, aligned: bool
) -> GrowthFound:
    """The first and the latest film of every case that has two, every second pair in reverse order.

    Args:
        imaging: The model.
        cases: Of patients that did not train it.
        replicates: Bootstrap samples.
        seed: Of the bootstrap.
        aligned: Whether films are aligned before they are compared, as a report does; else as they lie.
    """
    changes, still = [], []
    for number, case in enumerate(cases):
        series = evidence_series(imaging, case)
        if len(series) < 2:
            continue
        pair = [series[0], series[-1]][:: -1 if number % 2 else 1]
        own, empty = changes_of(imaging, case, pair, aligned=aligned)
        changes += own
        still += empty
    return summary(changes, still, replicates, seed)


def changes_of(
    imaging: ImagingEvidence, case: Case, pair: Sequence[DatedEvidence], *, aligned: bool
) -> tuple[list[Change], list[Change]]:
    """Every lesion's change from the first film of a pair to the second, and that of zones without any."""
    first, second = ({_place(lesion): lesion for lesion in recipe(case, dated).lesions} for dated in pair)
    before, after = pair
    as_they_lie = after.regions[0] - before.regions[0]
    by_region = change_between(imaging, before.film, after.film).regions[0] if aligned else as_they_lie
    moved = dict(zip(imaging.config.layout.names, by_region, strict=True))
    changes = [
        Change(case.patient, _diameter(second.get(place)) - _diameter(first.get(place)), moved[place[0]])
        for place in first.keys() | second.keys()
    ]
    held = {place[0] for place in first.keys() | second.keys()}
    return changes, [Change(case.patient, 0.0, moved[zone]) for zone in moved if zone not in held]


def summary(changes: Sequence[Change], empty: Sequence[Change], replicates: int, seed: int) -> GrowthFound:
    """The shares over lesions."""
    large = [each for each in changes if abs(each.growth_mm) >= SIZES_MM[0][0]]

    def share(those: Sequence[Change]) -> Interval:
        return _share([each.sign_found for each in those], those, replicates, seed)

    return GrowthFound(
        lesions=len(large),
        found=share(large),
        grew=share([each for each in large if each.growth_mm > 0.0]),
        shrank=share([each for each in large if each.growth_mm < 0.0]),
        by_size={
            f"{_size(low, high)} ({len(those)})": share(those)
            for low, high in SIZES_MM
            for those in [[each for each in large if low <= abs(each.growth_mm) < high]]
        },
        zones_without=_share([each.evidence > 0.0 for each in empty], empty, replicates, seed),
    )


def _size(low: float, high: float) -> str:
    return f"{low:g} to {high:g} mm" if np.isfinite(high) else f"{low:g} mm or more"


def recipe(case: Case, dated: DatedEvidence) -> FilmRecipe:
    """What a film was drawn from."""
    uid = dated.film.source.removeprefix("ImagingStudy/")
    study = next(study for study in case.record.studies if study.study_uid == uid)
    if not isinstance(study.store, SimulatedFilms):
        raise SystemExit("the cohort is not simulated")
    return study.store.recipes[uid]


def _share(found: Sequence[bool], those: Sequence[Change], replicates: int, seed: int) -> Interval:
    patients = np.array([each.patient for each in those])
    return mean_interval(np.array(found, dtype=np.float64), patients, replicates, seed)


def _place(lesion: Lesion) -> tuple[str, float, float]:
    """Where a lesion lies: the same on every film of a patient."""
    return lesion.zone, lesion.across, lesion.down


def _diameter(lesion: Lesion | None) -> float:
    return 0.0 if lesion is None else lesion.diameter_mm
