"""Evidence of the choice of an arm, and of what an arm adds, by the machinery that reads the event's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, Target
from prognosis.cohort.arms import ArmCohort
from prognosis.cohort.target import ONE_BIN
from prognosis.errors import CohortError
from prognosis.evidence import FittedEvidence, Fitting
from prognosis.fusion.arms.model import as_assigned
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.cross_fitting import LEAST_CASES, Progress, modality_fitting
from prognosis.fusion.inputs import FusionInputs, join_modalities
from prognosis.record import ImagingStudy

if TYPE_CHECKING:
    from prognosis.evidence.imaging import ImagesRead

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Fitted = Mapping[str, FittedEvidence]


@dataclass(slots=True)
class Reading:
    """How the compared cases are read: which modalities, on which folds; films once for all targets.

    Attributes:
        names: Modalities that the event's evidence reads.
        folds: (n,) folds by patient.
        config: How evidence is made.
        on_progress: Told (what, done, total).
    """

    names: tuple[str, ...]
    folds: Ints
    config: ModelConfig
    on_progress: Progress | None
    _films: tuple[list[tuple[ImagingStudy, ...]], ImagesRead] | None = field(default=None, init=False)

    def fitted(self, cohort: Cohort, target: Target) -> Fitted:
        """Every modality that enough cases have, fitted to a target; one that says nothing is left out."""
        found = {}
        for name in self.names:
            if _cases_with(name, cohort) < LEAST_CASES:
                continue
            try:
                found[name] = self._fitting(name, cohort, target)(None)
            except CohortError:
                continue  # nothing in it differs between cases, or it cannot be read
        return found

    def _fitting(self, name: str, cohort: Cohort, target: Target) -> Fitting:
        if name != "imaging":
            return modality_fitting(name, cohort, target, self.folds, self.config, self.on_progress)
        from prognosis.evidence.imaging import imaging_fitting

        how = self.config.imaging, self.config.seed, self.on_progress
        return imaging_fitting(cohort.cases, target, self.folds, *how, self._images(cohort))

    def _images(self, cohort: Cohort) -> ImagesRead:
        from prognosis.evidence.imaging import read_images

        studies = [case.record.studies for case in cohort.cases]
        if self._films is None or not _same(self._films[0], studies):
            how = self.config.imaging, self.config.seed, self.on_progress
            self._films = studies, read_images(cohort.cases, self.folds, *how)
        return self._films[1]


def fit_assignment(compared: ArmCohort, reading: Reading) -> Fitted:
    """What each modality says of the arm that a case was given; nothing where chance alone gave it.

    The arms are classes, the first of them the reference; records hold no more than the choice may depend on.

    Args:
        compared: The cases.
        reading: How they are read.
    """
    if compared.treatment.assignment == "randomised":
        return {}
    arms = compared.treatment.names
    cases = tuple(as_assigned(case, compared.treatment) for case in compared.cohort.cases)
    target = Target(arms[1:], compared.arm, np.full(len(cases), 0.5), ONE_BIN, survival=False)
    return reading.fitted(Cohort(compared.cohort.task, cases), target)


def fit_effect(compared: ArmCohort, arm: str, difference: Floats, reading: Reading) -> Fitted:
    """What each modality says of how much an arm adds to the reference.

    The difference of a case's doubly robust scores has its effect as mean; it is learned as a measurement.

    Args:
        compared: The cases.
        arm: Whose effect.
        difference: (n,) scores under the arm less those under the reference.
        reading: How they are read.
    """
    centre, spread = float(difference.mean()), float(difference.std())
    if not spread > 0.0:
        return {}
    cases = len(difference)
    target = Target(
        (f"effect of {arm}",),
        np.ones(cases, dtype=np.int64),
        np.full(cases, 0.5),
        ONE_BIN,
        survival=False,
        values=(difference - centre) / spread,
        centre=centre,
        spread=spread,
    )
    return reading.fitted(compared.cohort, target)


def out_of_fold(fitted: Fitted) -> FusionInputs | None:
    """What the fitted modalities say of the cases that they did not see; None without one."""
    if not fitted:
        return None
    return join_modalities({name: own.out_of_fold for name, own in fitted.items()})


def _same(first: list[tuple[ImagingStudy, ...]], second: list[tuple[ImagingStudy, ...]]) -> bool:
    """Whether the very same studies stand in both, case by case."""
    return [list(map(id, own)) for own in first] == [list(map(id, own)) for own in second]


def _cases_with(name: str, cohort: Cohort) -> int:
    records = [case.record for case in cohort.cases]
    if name == "clinical":
        return sum(bool(record.events) or record.birth_date is not None for record in records)
    return sum(bool(record.notes if name == "text" else record.studies) for record in records)
