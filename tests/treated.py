"""A cohort of two or three arms: chosen by a laboratory value and a sentence, and it is known how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.fusion import ModelConfig
from prognosis.record import PatientRecord
from tests.cohort.builders import DEATH, INDEX, event, patient, task

CONFIG = ModelConfig.model_validate(
    {
        "modalities": ["clinical", "text"],
        "folds": 2,
        "clinical": {"trees": None},
        "text": {"encoder": "none"},
        "fusion": {"bootstrap": 4, "bins": 5},
    }
)
HORIZONS = [180, 365, 3000]
"""Nobody is followed to the last."""
USUAL, NEW, RARE = "usual care", "new drug", "rare drug"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planted.

    Attributes:
        cases: How many patients.
        effect: Log-hazard ratio of the new drug.
        modifier: What the value "modifier" adds to it, a standard deviation.
        confounding: Log-odds of the new drug a standard deviation of "sickness", and for the sentence.
        rare: Patients who get the rare drug instead, the first so many.
        noted: Share of the patients who have a note.
        seed: Of the draw.
    """

    cases: int = 360
    effect: float = -1.0
    modifier: float = 0.0
    confounding: float = 0.0
    rare: int = 0
    noted: float = 0.7
    seed: int = 0


def treated_records(plan: Plan) -> tuple[PatientRecord, ...]:
    """One record a patient, with arm, death and the end of follow-up in it."""
    rng = np.random.default_rng(plan.seed)
    sickness, modifier = rng.normal(size=plan.cases), rng.normal(size=plan.cases)
    breathless, noted = rng.random(plan.cases) < 0.5, rng.random(plan.cases) < plan.noted
    logit = plan.confounding * (sickness + (breathless & noted))
    new = rng.random(plan.cases) < expit(logit - logit.mean())
    log_hazard = 0.6 * sickness + 0.8 * breathless + new * (plan.effect + plan.modifier * modifier)
    died = rng.exponential(np.exp(-log_hazard) * 500.0)
    followed = rng.uniform(400.0, 1200.0, plan.cases)
    records = []
    for row in range(plan.cases):
        drug = "rx|rare" if row < plan.rare else "rx|new" if new[row] else ""
        facts = [event(0, "lab|sickness", float(sickness[row]), "mg/dL", "sickness")]
        facts.append(event(0, "lab|modifier", float(modifier[row]), "mg/dL", "modifier"))
        began = [event(0, drug)] if drug else []
        last = event(float(followed[row]), "prognosis|follow-up-complete")
        end = event(float(died[row]), DEATH) if died[row] < followed[row] else last
        notes = [(0.0, "Breathless at rest." if breathless[row] else "Comfortable at rest.")]
        said = notes if noted[row] else []
        records.append(patient(f"t{plan.seed}-{row:04d}", [event(0, INDEX), *facts, *began, end], said))
    return tuple(records)


def treated_task(*, assignment: str = "randomised", rare: bool = False, **changes: Any) -> Task:
    """What would the new drug change in the time to death? `changes` are of the treatment."""
    arms: list[dict[str, Any]] = [{"name": USUAL}, {"name": NEW, "codes": ["rx|new"]}]
    arms += [{"name": RARE, "codes": ["rx|rare"]}] if rare else []
    treatment = {"arms": arms, "assignment": assignment, **changes}
    outcome = {"kind": "time_to_event", "causes": {"death": [DEATH]}, "horizons_days": HORIZONS}
    return task(name="treated", treatment=treatment, outcome=outcome, question="What would the drug change?")


def treated_cohort(plan: Plan, **treatment: Any) -> Cohort:
    """The cases of the plan's records."""
    return build_cohort(treated_task(rare=plan.rare > 0, **treatment), treated_records(plan))
