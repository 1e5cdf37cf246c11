"""Models of planted cohorts, each fitted once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from prognosis.cohort import Cohort
from prognosis.fusion import FusionModel, train_model
from prognosis.fusion.arms import ArmModel
from prognosis.fusion.cross_fitting import CrossFitted, cross_fit
from tests.treated import CONFIG, Plan, treated_cohort


@dataclass(frozen=True, slots=True)
class Treated:
    """A cohort, the evidence of its event, and a model of it."""

    cohort: Cohort
    evidence: CrossFitted
    model: FusionModel

    @property
    def arms(self) -> ArmModel:
        """What was learned of its arms."""
        assert isinstance(self.model.arms, ArmModel)
        return self.model.arms


def treated(plan: Plan, **treatment: object) -> Treated:
    """Draw and train."""
    cohort = treated_cohort(plan, **treatment)
    return Treated(cohort, cross_fit(cohort, CONFIG), train_model(cohort, CONFIG))


@pytest.fixture(scope="session")
def drawn() -> Treated:
    """A trial whose drug halves the hazard and more, with a third arm of thirty patients."""
    return treated(Plan(rare=30))


@pytest.fixture(scope="session")
def chosen() -> Treated:
    """An observational cohort: by a laboratory value and a sentence that every patient's note has."""
    return treated(Plan(confounding=1.2, noted=1.0, seed=1), assignment="observational")
