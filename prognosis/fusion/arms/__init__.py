"""The arms of a task compared from records: every modality a confounder and a modifier; learned and kept."""

from prognosis.fusion.arms.fit import ArmFit, fit_arms
from prognosis.fusion.arms.model import ArmModel, ArmsRefused, CohortBasis, PairBasis

__all__ = ["ArmFit", "ArmModel", "ArmsRefused", "CohortBasis", "PairBasis", "fit_arms"]
