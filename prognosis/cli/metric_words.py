"""Metrics in words: what each is called, which way is good, and what it means."""

from __future__ import annotations

from typing import Literal

from prognosis.outputs.estimate import in_days

Better = Literal["higher", "lower", "nearer 0", "nearer 1", "nearer its level"]

BETTER: dict[str, Better] = {
    "uno_c": "higher",
    "harrell_c": "higher",
    "antolini_c": "higher",
    "auc": "higher",
    "auroc": "higher",
    "accuracy": "higher",
    "average_precision": "higher",
    "ipa": "higher",
    "brier": "lower",
    "ibs": "lower",
    "nbll": "lower",
    "log_loss": "lower",
    "ici": "nearer 0",
    "calibration_intercept": "nearer 0",
    "calibration_slope": "nearer 1",
    "observed_over_expected": "nearer 1",
    "mae": "lower",
    "mae_in_unit": "lower",
    "rmse": "lower",
    "crps": "lower",
    "r2": "higher",
    "mean_error": "nearer 0",
    "width": "lower",
    "coverage": "nearer its level",
}
MEANING = {
    "uno_c": "chance that of two patients the one of higher risk has the event first, censoring weighed out",
    "harrell_c": "the same over all comparable pairs; who has a competing event never has this one",
    "antolini_c": "chance that a patient with an event then had a higher risk than one still free of it",
    "ibs": "squared error of the predicted risk, averaged over time",
    "nbll": "mean surprise at what happened by then, in nats; averaged over time where no day is given",
    "brier": "squared error of the predicted risk",
    "ipa": "share of the squared error of predicting everyone's average that is removed",
    "auc": "chance that a patient with the event by then has a higher risk than one without",
    "auroc": "chance that a case of the class has a higher risk than one without",
    "calibration_intercept": "above 0: probabilities too low; below 0: too high",
    "calibration_slope": "below 1: predictions too extreme; above 1: too cautious",
    "observed_over_expected": "events that happened over events predicted",
    "average_precision": "mean share of true cases among those at least as likely, over thresholds",
    "accuracy": "share of cases whose likeliest class is right",
    "log_loss": "mean surprise at what happened",
    "mae": "mean distance of the value from what was predicted, on the modelled scale",
    "mae_in_unit": "the same in the value's unit",
    "rmse": "root of the mean squared distance",
    "crps": "distance of the predicted distribution from the value; of a point forecast its absolute error",
    "r2": "share of the values' variance that is explained",
    "mean_error": "above 0: predictions too high; below 0: too low",
    "coverage": "share of values inside the interval of that level",
    "width": "mean width of the interval of that level",
}


def kind_of(metric: str) -> str:
    """The metric without its horizon and cause."""
    return metric.partition("@")[0].partition(":")[0]


def better(metric: str) -> Better:
    """Which way is good."""
    return BETTER[kind_of(metric)]


def metric_name(metric: str) -> str:
    """The metric's name for people, with its horizon and cause."""
    name, _, rest = metric.partition("@")
    words = {
        "uno_c": "Uno's C",
        "harrell_c": "Harrell's C",
        "antolini_c": "Antolini's C",
        "auc": "AUC",
        "brier": "Brier score",
        "ibs": "integrated Brier score",
        "ipa": "index of prediction accuracy",
        "nbll": "negative binomial log-likelihood",
        "auroc": "AUROC",
        "mae": "mean absolute error",
        "mae_in_unit": "mean absolute error in the unit",
        "rmse": "root mean squared error",
        "crps": "continuous ranked probability score",
        "r2": "explained share of variance (R2)",
    }
    if name in {"coverage", "width"}:
        return f"{name} of the {float(rest):.0%} interval"
    name, _, cause = name.partition(":")
    title = words.get(name, name.replace("_", " "))
    days, _, rest_cause = rest.partition(":")
    horizon = f" at {in_days(float(days))}" if days else ""
    of = cause or rest_cause
    return f"{title}{horizon}" + (f", {of}" if of else "")
