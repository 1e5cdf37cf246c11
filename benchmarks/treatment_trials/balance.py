"""Whether the arms were given to alike patients: counts, propensities, standardised differences."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.treatment_trials.findings import Table
from benchmarks.treatment_trials.tables import Trial
from prognosis.treatment import Assignment, Overlap, overlap
from prognosis.treatment.overlap import LARGEST_IMBALANCE
from prognosis.treatment.propensity import fit_propensity, propensities

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Balance:
    """How the arms came to differ.

    Attributes:
        names: Of the covariates.
        arms: Names.
        given: (n,) arm of each case.
        chance: (n, A) of each arm, out of fold, learned from the covariates also where chance alone drew: in
            a trial it should know nothing.
        found: Overlap and standardised differences, before and after weighting by that chance.
    """

    names: tuple[str, ...]
    arms: tuple[str, ...]
    given: NDArray[np.int64]
    chance: Floats
    found: Overlap


def balance_of(trial: Trial, happened: NDArray[np.bool_]) -> Balance:
    """Learn the chance of each arm as if nobody had drawn, and weigh by it.

    Args:
        trial: Its cases.
        happened: (n,) what folds are balanced over.
    """
    as_if = replace(trial.cases, assignment=Assignment.OBSERVATIONAL, allocation=None)
    folds = as_if.folds(happened, 5, 0)
    chance = propensities(as_if, folds, fit_propensity(as_if, folds))
    return Balance(trial.names, as_if.arms, as_if.arm, chance, overlap(as_if, chance))


def balance_tables(trial: Trial, own: Balance, happened: NDArray[np.bool_]) -> tuple[Table, ...]:
    """Arms with their counts, and the covariates that differ most between two arms."""
    found, cases = own.found, trial.cases
    learned = "" if not cases.randomised else ", learned as if nobody had drawn"
    rows = [
        (
            name,
            str(int(found.cases[place])),
            str(int((happened & (cases.arm == place)).sum())),
            f"{found.effective[place]:.0f}",
            f"{own.chance[:, place].min():.3f} to {own.chance[:, place].max():.3f}",
        )
        for place, name in enumerate(cases.arms)
    ]
    order = np.argsort(-found.before)[:5]
    worst = [(own.names[k], f"{found.before[k]:.3f}", f"{found.after[k]:.3f}") for k in order]
    over = [int((each > LARGEST_IMBALANCE).sum()) for each in (found.before, found.after)]
    title = (
        f"Standardised differences, the five largest of {len(own.names)}; above {LARGEST_IMBALANCE}: "
        f"{over[0]} before, {over[1]} after weighting"
    )
    header = ("arm", "cases", "events", "effective cases when weighted", f"chance of the arm{learned}")
    return (
        Table("Arms", header, tuple(rows)),
        Table(title, ("covariate", "before", "after"), tuple(worst)),
    )


def balance_numbers(own: Balance) -> dict[str, object]:
    """For the JSON."""
    found = own.found
    return {
        "cases": dict(zip(own.arms, (int(n) for n in found.cases), strict=True)),
        "effective": dict(zip(own.arms, (float(n) for n in found.effective), strict=True)),
        "outside_overlap": found.outside_share,
        "standardised_differences": {
            name: [float(before), float(after)]
            for name, before, after in zip(own.names, found.before, found.after, strict=True)
        },
    }
