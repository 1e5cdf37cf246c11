"""Predictions: estimates, intervals, abstention."""

from prognosis.prediction.prediction import ClassSet, ExpectedValue, LowerBound, Prediction, Risk
from prognosis.prediction.predictor import predict, predict_cases

__all__ = ["ClassSet", "ExpectedValue", "LowerBound", "Prediction", "Risk", "predict", "predict_cases"]
