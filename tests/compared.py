"""The small simulated cohort again, with a model that compares the arms of its patients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.fusion import save_model
from prognosis.fusion.arms import ArmFit, fit_arms
from prognosis.fusion.cross_fitting import cross_fit
from prognosis.fusion.train import train_on
from tests.simulated import TINY, Simulated, tiny_config

TASK = Path(__file__).parents[1] / "configs" / "tasks" / "simulated_treatment.yaml"


def compared(small: Simulated, folder: Path) -> Simulated:
    """Train on three modalities; the arms are compared although the cohort is too small for it."""
    task = Task.load(TASK)
    written = build_cohort(task, small.written)
    labelled = {case.patient: case for case in written.cases}
    read = [case for case in small.cohort.cases if case.patient in labelled]
    cases = [replace(labelled[case.patient], record=case.record) for case in read]
    cohort = Cohort(task, tuple(cases))
    config = tiny_config(imaging={**TINY["imaging"], "epochs": 0}, folds=2)
    evidence = cross_fit(cohort, config)
    found = fit_arms(cohort, config, evidence)
    assert isinstance(found, ArmFit)
    arms, enough = found.model, np.full(2, 1000)
    grounds = replace(arms.basis.grounds, effective=enough.astype(float), events=enough)
    lacking = dict.fromkeys(arms.basis.lacking, 0.5)
    arms = replace(arms, basis=replace(arms.basis, grounds=grounds, lacking=lacking))
    model = replace(train_on(cohort, config, evidence), arms=arms)
    model = save_model(model, folder / "model", "# A test's model\n", {"measured": False})
    return replace(small, cohort=cohort, evidence=evidence, model=model, model_folder=folder / "model")
