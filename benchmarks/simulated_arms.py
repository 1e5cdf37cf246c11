"""One simulated, confounded cohort whose arms are compared, with the truth beside what was said of it."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_inputs import JUDGED_SEED, PACKAGE, code_of
from prognosis.cli.demo import packaged
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.evidence import MODALITIES
from prognosis.fusion import ModelConfig
from prognosis.fusion.arms import ArmFit, fit_arms
from prognosis.fusion.arms.columns import effect_columns
from prognosis.fusion.arms.outcome import outcome_of
from prognosis.fusion.cross_fitting import CrossFitted, cross_fit
from prognosis.fusion.inputs import join_modalities
from prognosis.simulate import Dials, Oracle, simulate_cohort
from prognosis.simulate.standard import CAUSES
from prognosis.treatment import EffectSettings, overlap, survival_effects

Floats = NDArray[np.float64]

ARM, REFERENCE = "intensified", "standard"
METHODS = {"joined": MODALITIES, "clinical values alone": ("clinical",)}
"""What is read; the second adjusts for what the chart holds and for nothing in films or notes."""

EFFECTS = {
    "none": {"arm_effect": 0.0},
    "constant": {"arm_effect": -1.2},
    "by image": {"arm_effect": -1.2, "arm_by_imaging": 1.1},
    "by note": {"arm_effect": -1.2, "arm_by_text": 1.1},
}
CONFOUNDED = {
    "missing_informative": 0.0,  # else what is absent would depend on the hazard
    "laboratory_noise": 0.0,  # the choice goes by the true values: the record has to hold them
    "results_absent": 0.0,
    "confounding": 0.3,
    "confounding_by_imaging": 0.3,
    "confounding_by_text": 0.3,
}
SETTINGS = (
    "imaging.epochs=0",  # films by fixed descriptors, without a trained network
    "text.encoder=none",  # notes by their terms, without a sentence encoder
    "clinical.trees=null",  # clinical facts by the linear member alone
    "fusion.beside_others=false",
)
"""What keeps a fit cheap; stated settings come after these."""


@dataclass(frozen=True, slots=True)
class ArmRun:
    """What one method said of one cohort; days are those of the horizon that progression does not take.

    Attributes:
        scores: (n, 2) doubly robust scores under the reference and the arm.
        worth: (n, 2) worth out of fold.
        rule: (n,) arm, by number, that following the model gives each case.
        propensity: (n,) chance of the arm, out of fold.
        truth: (n, 2) true days under the reference and the arm.
        patients: (n,) names, unique over seeds.
        naive: Difference of the arms as they are, and its interval.
        average: The adjusted difference, and its interval.
        by_oracle: The same by the same estimate from what the oracle knows: each patient's chance of the arm
            and hazard without it. What is off here is the chance of the draw.
        judged: (m, 3) difference of each fresh patient, and its interval.
        judged_truth: (m, 2) as `truth`.
        overlap: Share of cases outside, and each arm's effective cases.
        horizon: Days.
        seconds: Of the fit.
    """

    scores: Floats
    worth: Floats
    rule: NDArray[np.int64]
    propensity: Floats
    truth: Floats
    patients: NDArray[np.str_]
    naive: Floats
    average: Floats
    by_oracle: Floats
    judged: Floats
    judged_truth: Floats
    overlap: Floats
    horizon: Floats
    seconds: Floats


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that is wanted.

    Attributes:
        patients: Of the training cohort.
        judged: Fresh patients.
        seed: At least 0 and below `JUDGED_SEED`.
        effect: One of `EFFECTS`.
        method: One of `METHODS`.
        settings: Of the model, as "section.field=value".
    """

    patients: int
    judged: int
    seed: int
    effect: str
    method: str
    settings: tuple[str, ...] = ()

    @property
    def dials(self) -> Dials:
        """Of the training cohort."""
        return Dials(patients=self.patients, **CONFOUNDED, **EFFECTS[self.effect])

    def config(self, task: Task) -> ModelConfig:
        """How the model is made."""
        own = f"modalities=[{', '.join(METHODS[self.method])}]"
        return model_config(packaged("models/default.yaml"), (*SETTINGS, *self.settings, own), task)


def arm_run(asked: Asked, cache: Path | None = None) -> ArmRun:
    """Simulate, fit and ask, or read what was kept of it."""
    task = Task.load(packaged("tasks/simulated_treatment.yaml"))
    kept = None if cache is None else cache / f"{_name(asked, task)}.npz"
    if kept is not None and kept.exists():
        with np.load(kept) as found:
            return ArmRun(**{name: found[name] for name in ArmRun.__slots__})
    sys.stderr.write(f"seed {asked.seed}, {asked.effect}, {asked.method}: {asked.patients} patients\n")
    run = _made(asked, task)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".part.npz")
        np.savez_compressed(unfinished, **{name: getattr(run, name) for name in ArmRun.__slots__})
        unfinished.replace(kept)
    return run


def _made(asked: Asked, task: Task) -> ArmRun:
    learnt = simulate_cohort(asked.dials, asked.seed)
    unseen = simulate_cohort(replace(asked.dials, patients=asked.judged), JUDGED_SEED + asked.seed)
    cohort, judged = (build_cohort(task, each.records) for each in (learnt, unseen))
    config = asked.config(task)
    begun = time.process_time()
    evidence = cross_fit(cohort, config)
    fit = fit_arms(cohort, config, evidence)
    spent = time.process_time() - begun
    if not isinstance(fit, ArmFit):
        message = f"seed {asked.seed}, {asked.effect}: the arms were not compared: {fit.because}"
        raise SystemExit(message)
    effects = fit.effects
    horizon = float(fit.model.horizon_days or 0.0)
    followed = outcome_of(fit.compared).observed  # that of the effects is cut at the horizon
    as_they_are = survival_effects(effects.cases, followed, horizon, EffectSettings(adjusted=False))
    found = overlap(effects.cases, effects.propensity)
    names = [case.record.patient_id for case in fit.compared.cohort.cases]
    return ArmRun(
        scores=effects.mean_scores,
        worth=fit.worth_out_of_fold,
        rule=fit.rule,
        propensity=effects.propensity[:, 1],
        truth=_truth(learnt.oracle, names, horizon),
        patients=np.array(names),
        naive=_three(as_they_are.restricted_mean().difference(ARM, REFERENCE)),
        average=_three(effects.restricted_mean().difference(ARM, REFERENCE)),
        by_oracle=_by_oracle(learnt.oracle, fit, horizon),
        judged=_asked_of(fit, evidence, judged),
        judged_truth=_truth(unseen.oracle, [case.record.patient_id for case in judged.cases], horizon),
        overlap=np.array([found.outside_share, *found.effective]),
        horizon=np.array([horizon]),
        seconds=np.array([spent]),
    )


def _by_oracle(oracle: Oracle, fit: ArmFit, horizon: float) -> Floats:
    rows = oracle.rows([case.record.patient_id for case in fit.compared.cohort.cases])
    chance, treated = oracle.chance_of_intensified[rows], oracle.arm[rows] == ARM
    hazards = [oracle.full(cause)[rows] - oracle.effect[cause][rows] * treated for cause in CAUSES]
    known = np.column_stack([np.log(chance / (1.0 - chance)), *hazards])
    cases = replace(fit.effects.cases, covariates=known)
    found = survival_effects(cases, outcome_of(fit.compared).observed, horizon, EffectSettings())
    return _three(found.restricted_mean().difference(ARM, REFERENCE))


def _asked_of(fit: ArmFit, evidence: CrossFitted, judged: Cohort) -> Floats:
    """(m, 3) the difference that each fresh patient is told, with its interval."""
    told = {name: each.model.summarise(judged.cases) for name, each in evidence.fitted.items()}
    inputs = fit.model.inputs(join_modalities(told), judged.cases)
    columns = effect_columns(inputs, fit.model.presence)
    return np.stack([_three(fit.model.values(own).difference(ARM, REFERENCE)) for own in columns])


def _truth(oracle: Oracle, names: Iterable[str], horizon: float) -> Floats:
    rows, at = oracle.rows(list(names)), oracle.horizons_days.index(horizon)
    return np.stack([oracle.kept_days_by_arm[arm][rows, at] for arm in (REFERENCE, ARM)], axis=1)


def _three(estimate: object) -> Floats:
    return np.array([getattr(estimate, name) for name in ("value", "low", "high")])


def _name(asked: Asked, task: Task) -> str:
    """Where a run is kept: named by all that it follows from, the code included."""
    files = sorted(
        file
        for folder in ("cohort", "evidence", "fusion", "simulate", "treatment", "survival")
        for file in (PACKAGE / folder).rglob("*.py")
    )
    source = hashlib.sha256("".join(map(code_of, files)).encode()).hexdigest()
    stated = f"{asked} {asked.dials} {task.model_dump_json()} {asked.config(task).model_dump_json()} {source}"
    digest = hashlib.sha256(stated.encode()).hexdigest()[:12]
    return f"arms-{asked.patients}-{asked.seed}-{digest}"
