"""Predictions: estimates, intervals, abstention."""

from prognosis.prediction.prediction import Prediction, Risk
from prognosis.prediction.predictor import predict, predict_cases

__all__ = ["Prediction", "Risk", "predict", "predict_cases"]
