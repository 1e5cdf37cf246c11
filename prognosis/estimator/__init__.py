"""The records' part of the model as an estimator in the form of scikit-learn."""

from prognosis.estimator.survival_stack import SurvivalStack

__all__ = ["SurvivalStack"]
