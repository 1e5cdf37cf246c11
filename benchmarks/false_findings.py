"""How often an effect is said to vary between patients where there is no effect at all.

`python -m benchmarks.false_findings [--cohorts 400] [--patients 1000]`

The cohorts of `benchmarks.treatment_peers` without an effect, their arms confounded and a third of them lost:
each is analysed as a model's arms are, out of fold, and the share of cohorts is told in which the interval of
the Qini coefficient or of AUTOC lies above 0, with its exact 95% interval, and the share in which following
the model departs from one arm for everybody.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from scipy.stats import binomtest

from benchmarks.treatment_peers import ARMS, LOG_RATIOS, TAU, drawn
from prognosis.treatment import (
    ArmCases,
    Assignment,
    EffectSettings,
    FollowUp,
    ranking_value,
    survival_effects,
)
from prognosis.treatment.joint_effect import ScoredCases, fit_joint_effect


def found(patients: int, seed: int) -> tuple[bool, bool, bool]:
    """Of one cohort: whether Qini and AUTOC are found above 0, and whether the rule departs for anybody."""
    known = drawn(LOG_RATIOS["none"], patients, seed)
    names = np.array([f"p{row}" for row in range(patients)])
    cases = ArmCases(known.covariates, known.arm, ARMS, Assignment.OBSERVATIONAL, names)
    seen = known.days <= known.lost
    followed = FollowUp(np.minimum(known.days, known.lost), seen.astype(np.int64))
    effects = survival_effects(cases, followed, TAU, EffectSettings(seed=seed))
    scores, prognosis = effects.mean_scores, effects.predicted_mean.mean(axis=1)
    scored = ScoredCases(known.covariates, scores, prognosis, names, effects.folds)
    worth, rule = np.zeros_like(scores), np.zeros(patients, dtype=np.int64)
    for fold in np.unique(effects.folds):
        held = effects.folds == fold
        others = scored.take(~held)
        learned = fit_joint_effect(others, ARMS, TAU)
        worth[held] = learned.worth(known.covariates[held])
        rule[held] = learned.improving(known.covariates[held], int(others.scores.mean(axis=0).argmax()))
    value = ranking_value(worth[:, 1] - worth[:, 0], scores[:, 1] - scores[:, 0], names)
    return bool(value.qini.low > 0.0), bool(value.autoc.low > 0.0), len(np.unique(rule)) > 1


def main() -> None:
    """Draw, analyse and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=int, default=400)
    parser.add_argument("--patients", type=int, default=1000)
    stated = parser.parse_args()
    every = np.array([found(stated.patients, seed) for seed in range(stated.cohorts)])
    told = {"cohorts": stated.cohorts, "patients": stated.patients}
    for name, own in zip(("qini", "autoc", "rule_departs"), every.T, strict=True):
        between = binomtest(int(own.sum()), len(own)).proportion_ci()
        told[name] = {"value": float(own.mean()), "low": between.low, "high": between.high}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
