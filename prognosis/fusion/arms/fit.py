"""Learning what each arm would do, from a cohort and the evidence that its model was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort
from prognosis.cohort.arms import ArmCohort, compared_arms
from prognosis.cohort.case import Began
from prognosis.errors import CohortError
from prognosis.evidence import EvidenceModel
from prognosis.fusion.arms.basis import Judged, basis_of
from prognosis.fusion.arms.columns import ArmInputs, Presence, assigned_columns, effect_columns
from prognosis.fusion.arms.evidence import Fitted, Reading, fit_assignment, fit_effect, out_of_fold
from prognosis.fusion.arms.model import ArmModel, ArmsRefused
from prognosis.fusion.arms.outcome import Came, horizons_of, outcome_of
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.cross_fitting import CrossFitted, Progress
from prognosis.treatment import (
    ArmCases,
    Assignment,
    EffectSettings,
    Response,
    ResponseEffects,
    SurvivalEffects,
    fit_individual_curves,
    response_effects,
    survival_effects,
)
from prognosis.treatment.joint_effect import ScoredCases, fit_joint_effect
from prognosis.treatment.response_level import ResponseLevel, fit_response_level
from prognosis.treatment.tabled_curves import TabledCurves

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95
CURVE_REPLICATES = 50


@dataclass(frozen=True, slots=True)
class ArmFit:
    """A fit with what judges it; `model` is what is kept.

    Attributes:
        model: For cases to come.
        compared: The cases.
        effects: Their scores, propensities and folds.
        worth_out_of_fold: (n, A) worth of each case under each arm, by a regression on the other folds: what
            ranking and calibration may be judged by.
        rule: (n,) the arm that following the model gives each case, by the same regression: the one that is
            best on average, unless the interval of another's gain on it, for this case, lies above 0.
    """

    model: ArmModel
    compared: ArmCohort
    effects: SurvivalEffects | ResponseEffects
    worth_out_of_fold: Floats
    rule: Ints


def fit_arms(
    cohort: Cohort, config: ModelConfig, evidence: CrossFitted, on_progress: Progress | None = None
) -> ArmFit | ArmsRefused:
    """Compare the arms of a task.

    Steps: evidence of the choice of an arm (of an observational assignment); doubly robust scores of each
    case under each arm, given prognosis and choice; evidence of each arm's effect, learned from the scores;
    a regression of the scores on prognosis and effect evidence, all of it out of fold.

    Args:
        cohort: Of a task that states `treatment`; its cases trained the evidence.
        config: How evidence is made.
        evidence: Of the event, fitted on the same cohort.
        on_progress: Told (what, done, total).

    Returns:
        The fit; or why the arms cannot be compared, which is no reason not to predict risks.
    """
    try:
        compared = compared_arms(cohort)
        came = outcome_of(compared)
        return _fit(cohort, compared, came, config, evidence, on_progress)
    except CohortError as error:
        return ArmsRefused(f"{error.reference} {error.problem}; {error.remedy}")


def _fit(
    cohort: Cohort,
    compared: ArmCohort,
    came: Came,
    config: ModelConfig,
    evidence: CrossFitted,
    on_progress: Progress | None,
) -> ArmFit:
    rows = np.flatnonzero([isinstance(case.arm, Began) for case in cohort.cases])
    prognosis, folds = evidence.inputs().take(rows), evidence.folds[rows]
    share = prognosis.present.mean(axis=0)
    presence = Presence((share > 0.0) & (share < 1.0))
    reading = Reading(prognosis.modalities, folds, config, on_progress)
    assigned = fit_assignment(compared, reading)
    inputs = ArmInputs(prognosis, out_of_fold(assigned), ())
    scored = _scored(_cases(compared, assigned_columns(inputs, presence)), came, cohort, config)
    effects, scores = scored.effects, scored.effects.mean_scores
    learned = tuple(
        fit_effect(compared, arm, scores[:, place] - scores[:, 0], reading)
        for place, arm in enumerate(compared.treatment.names)
        if place
    )
    inputs = replace(inputs, effect=tuple(out_of_fold(own) for own in learned))
    columns = effect_columns(inputs, presence)
    predicted = effects.predicted_mean.mean(axis=1)
    of_cases = ScoredCases(columns, scores, predicted, compared.clusters, effects.folds)
    unseen, rule = _unseen(of_cases, compared.treatment.names, scored.highest)
    model = ArmModel(
        event=came.event,
        treatment=compared.treatment,
        horizon_days=scored.horizon,
        unanswered=scored.unanswered,
        presence=presence,
        assigned=_kept(assigned),
        effect=tuple(_kept(own) for own in learned),
        chance=effects.propensity_model,
        worth=fit_joint_effect(of_cases, compared.treatment.names, scored.highest, LEVEL),
        level=_level(columns, effects, config.seed),
        basis=basis_of(Judged(compared, effects, rule, bool(assigned), _lacking(inputs))),
    )
    return ArmFit(model, compared, effects, unseen, rule)


@dataclass(frozen=True, slots=True)
class _Scored:
    """Scores, the horizon (None of a response), and the horizons that cannot be answered."""

    effects: SurvivalEffects | ResponseEffects
    horizon: float | None
    unanswered: Mapping[float, str]

    @property
    def highest(self) -> float:
        """The largest worth there can be."""
        return 1.0 if self.horizon is None else self.horizon


def _scored(cases: ArmCases, came: Came, cohort: Cohort, config: ModelConfig) -> _Scored:
    if isinstance(came.observed, Response):
        return _Scored(response_effects(cases, came.observed, seed=config.seed, level=LEVEL), None, {})
    found = horizons_of(cohort.task, cases, came.observed)
    settings = EffectSettings(seed=config.seed, level=LEVEL)
    effects = survival_effects(cases, came.observed, found.days, settings)
    return _Scored(effects, found.days, found.unanswered)


def _level(
    columns: Floats, effects: SurvivalEffects | ResponseEffects, seed: int
) -> TabledCurves | ResponseLevel:
    cases = replace(effects.cases, covariates=columns)
    if isinstance(effects, ResponseEffects):
        return fit_response_level(cases, effects.response, effects.folds)
    return TabledCurves.of(
        fit_individual_curves(
            cases,
            effects.followed,
            effects.tau_days,
            effects.folds,
            replicates=CURVE_REPLICATES,
            seed=seed,
            level=LEVEL,
        )
    )


def _cases(compared: ArmCohort, columns: Floats) -> ArmCases:
    """The cases with their columns; of a draw within strata, with a column a stratum."""
    if len(compared.strata) > 1:
        of_strata = compared.stratum[:, None] == np.arange(1, len(compared.strata))
        columns = np.concatenate([columns, of_strata.astype(np.float64)], axis=1)
    shares = compared.shares
    return ArmCases(
        covariates=columns,
        arm=compared.arm,
        arms=compared.treatment.names,
        assignment=Assignment(compared.treatment.assignment),
        patients=compared.clusters,
        allocation=None if shares is None else tuple(float(share) for share in shares / shares.sum()),
    )


def _unseen(cases: ScoredCases, arms: tuple[str, ...], highest: float) -> tuple[Floats, Ints]:
    """Worth and rule of cases that the regression has not seen; see `ArmFit`."""
    worth = np.zeros_like(cases.scores)
    rule = np.zeros(len(worth), dtype=np.int64)
    for fold in np.unique(cases.folds):
        held = cases.folds == fold
        seen = cases.take(~held)
        found = fit_joint_effect(seen, arms, highest, LEVEL)
        worth[held] = found.worth(cases.covariates[held])
        rule[held] = found.improving(cases.covariates[held], int(seen.scores.mean(axis=0).argmax()))
    return worth, rule


def _lacking(inputs: ArmInputs) -> dict[str, float]:
    """By modality that the choice of an arm was learned from, the share of cases without it."""
    here = inputs.assigned
    if here is None:
        return {}
    absent = 1.0 - here.present.mean(axis=0)
    return dict(zip(here.modalities, absent.tolist(), strict=True))


def _kept(fitted: Fitted) -> dict[str, EvidenceModel]:
    return {name: own.model for name, own in fitted.items()}
