"""Models trained anew without some patients, each with the cases that it has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort, cohort_target, patient_folds
from prognosis.cohort.lint.images import look_alike_patients
from prognosis.errors import CohortError
from prognosis.evaluation.judging import Judged, held_out_fold
from prognosis.evaluation.rivals import fit_rivals
from prognosis.evaluation.singles import fit_singles
from prognosis.fusion import ModelConfig
from prognosis.fusion.challenger import ChallengerConfig
from prognosis.fusion.cross_fitting import Progress, cross_fit
from prognosis.fusion.train import train_on

MINIMUM_SITES = 2


def cross_validated_folds(
    cohort: Cohort,
    config: ModelConfig,
    folds: int,
    seed: int,
    on_progress: Progress | None = None,
    *,
    rivals: bool = False,
) -> list[Judged]:
    """Train on all but one fold of patients, in turn, and keep each model with the fold it has not seen.

    Where films are read, patients with films that look the same share a fold. Unless a value is predicted,
    each modality is fitted as a model of its own as well and, with `rivals`, what joins them otherwise.
    """
    reads_films = "imaging" in config.modalities
    groups = look_alike_patients(cohort, on_progress) if reads_films else cohort.patients
    fold = patient_folds(groups, cohort_target(cohort).cause, folds, seed)
    return [
        _trained_without(cohort, fold == n, config, on_progress, f"fold {n + 1} of {folds}", rivals=rivals)
        for n in range(folds)
    ]


def left_out_sites(
    cohort: Cohort, config: ModelConfig, on_progress: Progress | None = None, *, rivals: bool = False
) -> dict[str, Judged | CohortError]:
    """For each site, a model trained on all the others, or why none could be.

    Raises:
        CohortError: The cohort has one site.
    """
    site = np.array([case.record.site for case in cohort.cases])
    names = [str(name) for name in np.unique(site)]
    if len(names) < MINIMUM_SITES:
        raise CohortError(
            f"cohort of task {cohort.task.name}", "has one site", "give a --source for each site"
        )
    found: dict[str, Judged | CohortError] = {}
    for name in names:
        try:
            found[name] = _trained_without(
                cohort, site == name, config, on_progress, f"without {name}", rivals=rivals
            )
        except CohortError as error:
            found[name] = error
    return found


def _trained_without(
    cohort: Cohort,
    held_out: NDArray[np.bool_],
    config: ModelConfig,
    on_progress: Progress | None,
    what: str,
    *,
    rivals: bool,
) -> Judged:
    training = cohort.take(np.flatnonzero(~held_out))

    def report(step: str, done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(f"{what}: {step}", done, total)

    evidence = cross_fit(training, config, report)
    model = train_on(training, config, evidence, report)
    of_its_own = len(evidence.fitted) > 1 and cohort.task.measurement is None
    singles = fit_singles(training, evidence, config.fusion) if of_its_own else None
    challenger = ChallengerConfig(seed=config.seed)
    others = fit_rivals(training, evidence, challenger, report) if rivals else None
    return held_out_fold(model, cohort.take(np.flatnonzero(held_out)), training, singles, others)
