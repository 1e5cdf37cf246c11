"""What only a simulation can tell: how much of what there was to know the model found, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.evaluation.interval_json import interval_json
from prognosis.evaluation.judging import Judged
from prognosis.explanation import Explanation, explain_case
from prognosis.prediction.predictor import average_log_hazard
from prognosis.simulate import Oracle, planted_cause_of
from prognosis.survival.bootstrap import Interval, clustered_bootstrap, paired_difference
from prognosis.survival.concordance import harrell_statistic
from prognosis.survival.statistic import Statistic, ratio_of

REPLICATES = 1000
EXPLAINED = 100
DRIVERS = 5


@dataclass(frozen=True, slots=True)
class Truth:
    """Our discrimination beside the oracles', and how many drivers are planted causes.

    Attributes:
        ours: Harrell's C of the fused log-hazard for the first cause, competing events censored.
        singles: The same for each modality as a model of its own.
        observed_oracle: Of the planted log-hazard of what each record holds.
        full_oracle: Of the whole planted log-hazard.
        gain: Ours minus the best single modality's, paired by patient.
        best_single: Its name.
        planted_share: Share of the five largest drivers, over explained patients, that are planted causes.
        first_is_planted: Share of patients whose largest driver is a planted cause.
        explained: How many patients were explained.
        max_additivity_error: Largest over them.
        shown: The cases and explanations.
    """

    ours: Interval
    singles: dict[str, Interval]
    observed_oracle: Interval
    full_oracle: Interval
    gain: Interval
    best_single: str
    planted_share: float
    first_is_planted: float
    explained: int
    max_additivity_error: float
    shown: tuple[tuple[Case, Explanation], ...]

    @property
    def share_of_observed(self) -> float:
        """(ours - 0.5) / (observed oracle's - 0.5)."""
        return (self.ours.value - 0.5) / (self.observed_oracle.value - 0.5)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "our_c": interval_json(self.ours),
            "best_single": self.best_single,
            "best_single_c": interval_json(self.singles[self.best_single]),
            "single_c": {name: interval_json(found) for name, found in self.singles.items()},
            "gain_over_best_single": interval_json(self.gain),
            "observed_oracle_c": interval_json(self.observed_oracle),
            "full_oracle_c": interval_json(self.full_oracle),
            "share_of_observed_oracle": self.share_of_observed,
            "planted_share_of_top_5": self.planted_share,
            "first_driver_is_planted": self.first_is_planted,
            "explained_patients": self.explained,
            "max_additivity_error": self.max_additivity_error,
            "c_protocol": "Harrell's C for the first cause, competing events censored; 95% patient bootstrap",
        }


def compare_with_truth(fold: Judged, oracle: Oracle, seed: int) -> Truth:
    """Judge held-out simulated patients against what was planted in them."""
    target, patients = fold.target, fold.cohort.patients
    rows = oracle.rows([case.record.patient_id for case in fold.cohort.cases])

    def concordance(risk: NDArray[np.float64]) -> Statistic:
        return ratio_of(harrell_statistic(target.days, target.cause, risk, competing="censored"))

    def judged(statistic: Statistic) -> Interval:
        return clustered_bootstrap(statistic, patients, REPLICATES, seed)

    ours = concordance(average_log_hazard(fold.model, fold.inputs)[:, 0])
    singles = {
        name: concordance(fold.log_hazard_from(name).mean(axis=2)[:, 0]) for name in fold.model.modalities
    }
    intervals = {name: judged(statistic) for name, statistic in singles.items()}
    best = max(intervals, key=lambda name: intervals[name].value)
    cause = target.causes[0]
    shown = tuple((case, explain_case(fold.model, case)) for case in fold.cohort.cases[:EXPLAINED])
    hits = np.array([_planted(case, explanation, oracle) for case, explanation in shown])
    return Truth(
        ours=judged(ours),
        singles=intervals,
        observed_oracle=judged(concordance(oracle.observed(cause)[rows])),
        full_oracle=judged(concordance(oracle.full(cause)[rows])),
        gain=paired_difference(ours, singles[best], patients, REPLICATES, seed),
        best_single=best,
        planted_share=float(hits.mean()),
        first_is_planted=float(hits[:, 0].mean()),
        explained=len(shown),
        max_additivity_error=max(explanation.max_additivity_error for _, explanation in shown),
        shown=shown,
    )


def _planted(case: Case, explanation: Explanation, oracle: Oracle) -> list[bool]:
    """For each of the largest drivers, whether something was planted where it points."""
    causes = oracle.planted[int(oracle.rows([case.record.patient_id])[0])]
    found = [
        any(
            planted_cause_of(part.modality, part.source, f"{part.name} {part.detail}", case.record, causes)
            for part in driver.parts
        )
        for driver in explanation.top(DRIVERS)
    ]
    return found + [False] * (DRIVERS - len(found))
