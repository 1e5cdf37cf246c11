"""Whether the arms were given to alike patients: propensities, effective sizes, balance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment.assignment import ArmCases
from prognosis.treatment.propensity import LEAST_DIVISOR

Floats = NDArray[np.float64]

LEAST_OVERLAP = 0.05
"""A patient of whom fewer than one in twenty alike got an arm is asked about an arm that alike patients do
not get; what would come of it is extrapolated (Crump et al., Biometrika 2009;96:187, trim at 0.1)."""
LARGEST_IMBALANCE = 0.1
"""Of a standardised difference (Austin, Stat Med 2009;28:3083)."""
LEAST_COMPARED = 10
"""Cases of an arm in which a value must be known before its mean is compared with another's."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far the arms can be compared.

    Attributes:
        arms: Names.
        cases: (A,) cases given each arm.
        effective: (A,) how many unweighted cases the weighted ones are worth (Kish): (sum w)^2 / sum w^2.
        least: (A,) smallest chance of each arm over all cases.
        outside: (n,) True for a case whose chance of some arm is below `LEAST_OVERLAP`.
        before: (p,) largest standardised difference of each covariate's mean between two arms.
        after: (p,) the same after weighting by one over the propensity.
    """

    arms: tuple[str, ...]
    cases: NDArray[np.int64]
    effective: Floats
    least: Floats
    outside: NDArray[np.bool_]
    before: Floats
    after: Floats

    @property
    def outside_share(self) -> float:
        """Share of cases outside the overlap, 0 to 1."""
        return float(self.outside.mean())

    @property
    def positive(self) -> bool:
        """True when no case is outside the overlap."""
        return not bool(self.outside.any())

    @property
    def unbalanced(self) -> NDArray[np.intp]:
        """Covariates that still differ between arms after weighting."""
        return np.flatnonzero(self.after > LARGEST_IMBALANCE)


def overlap(cases: ArmCases, propensity: Floats) -> Overlap:
    """Look at the arms' overlap.

    Args:
        cases: Who was given which arm.
        propensity: (n, A) chance of each arm, out of fold.
    """
    rows = np.arange(len(cases))
    weights = 1.0 / np.maximum(propensity[rows, cases.arm], LEAST_DIVISOR)
    given = cases.arm[:, None] == np.arange(len(cases.arms))
    weighed = given * weights[:, None]
    return Overlap(
        arms=cases.arms,
        cases=given.sum(axis=0),
        effective=weighed.sum(axis=0) ** 2 / (weighed**2).sum(axis=0),
        least=propensity.min(axis=0),
        outside=np.asarray((propensity < LEAST_OVERLAP).any(axis=1)),
        before=standardised_differences(cases.covariates, given.astype(np.float64)),
        after=standardised_differences(cases.covariates, weighed),
    )


def standardised_differences(covariates: Floats, weights: Floats) -> Floats:
    """(p,) largest difference of two arms' means, over the standard deviation within arms before weighting.

    Args:
        covariates: (n, p).
        weights: (n, A) of each case in each arm; 0 outside it.
    """
    means = (weights / weights.sum(axis=0)).T @ covariates
    given = weights > 0
    variances = [covariates[own].var(axis=0) for own in given.T]
    spread = np.sqrt(np.mean(variances, axis=0))
    gap = means.max(axis=0) - means.min(axis=0)
    return np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0)


def differences_from_reference(values: Floats, arm: NDArray[np.int64], arms: int) -> Floats:
    """(p, A - 1) standardised difference of each arm's mean from the reference's, in the order of the arms.

    A difference is signed, above 0 where the arm's mean is higher, and over the root of the mean of both
    variances (Austin 2009). It is NaN where the value is known in fewer than `LEAST_COMPARED` cases of either
    arm, or where it does not vary within them.

    Args:
        values: (n, p) NaN where not known; a level as 0 and 1.
        arm: (n,) number of the arm; 0 is the reference.
        arms: How many.
    """
    found = np.full((values.shape[1], arms - 1), np.nan)
    for column in range(values.shape[1]):
        each = [values[arm == number, column] for number in range(arms)]
        known = [own[~np.isnan(own)] for own in each]
        for place, own in enumerate(known[1:]):
            if min(len(own), len(known[0])) < LEAST_COMPARED:
                continue
            spread = float(np.sqrt((own.var() + known[0].var()) / 2.0))
            if spread > 0.0:
                found[column, place] = (own.mean() - known[0].mean()) / spread
    return found
