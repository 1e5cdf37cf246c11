"""What every arm would do to one patient, all arms together, so that no two numbers contradict each other.

The doubly robust scores are regressed on covariates by ridge, as in `linear_effect`, but as a level (the mean
over arms) and the arms' departures from it. Departures share one penalty, so that nothing depends on which
arm is named first; the level has its own. Means, differences and ratios come from one vector and one
covariance: sampling, the cases of a patient moving together, plus what shrinking may have taken (Nychka, J Am
Stat Assoc 1988;83:1134). The interval is that of the mean over patients whose covariates are these: two of
them may still fare differently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.treatment.effects import ArmValues

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PENALTIES_PER_CASE = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
"""Of the ridge, over the number of cases; the largest lets nothing differ between patients."""


@dataclass(frozen=True, slots=True)
class JointEffect:
    """worth under arm a (x) = sum over parts q of mixing[a, q] * (1, (x - means) / scales) @ coefficients[q].

    Attributes:
        arms: Names of the A arms.
        means: (p,) of the covariates.
        scales: (p,) their standard deviations.
        coefficients: (A, p + 1) of the level and of the A - 1 departures: intercept, then per standard
            deviation.
        covariance: (A (p + 1), A (p + 1)) of these, part by part.
        penalties: (A,) of the ridges.
        highest: See `ArmValues`.
        level: Coverage of intervals.
    """

    arms: tuple[str, ...]
    means: Floats
    scales: Floats
    coefficients: Floats
    covariance: Floats
    penalties: Floats
    highest: float | None
    level: float

    @property
    def mixing(self) -> Floats:
        """(A, A) from level and departures to arms."""
        return mixing_of(len(self.arms))

    def worth(self, covariates: Floats) -> Floats:
        """(n, A) worth of each case under each arm; differences are not bounded, levels are moved to fit."""
        design = _design((covariates - self.means) / self.scales)
        return self._bounded(design @ (self.mixing @ self.coefficients).T)

    def of(self, covariates: Floats) -> ArmValues:
        """The worth of one case, of `covariates` (p,), with its covariance."""
        one = _design((covariates[None, :] - self.means) / self.scales)[0]
        parts = len(self.arms)
        by_part = self.covariance.reshape(parts, len(one), parts, len(one))
        between = np.einsum("qirj,i,j->qr", by_part, one, one)
        value = self._bounded((self.mixing @ (self.coefficients @ one))[None, :])[0]
        return ArmValues(self.arms, value, self.mixing @ between @ self.mixing.T, self.highest, self.level)

    def per_unit(self, arm: str, reference: str) -> Floats:
        """(p,) by what a unit of each covariate changes the difference of two arms."""
        mixed = self.mixing @ self.coefficients[:, 1:] / self.scales
        return np.asarray(mixed[self.arms.index(arm)] - mixed[self.arms.index(reference)])

    def _bounded(self, worth: Floats) -> Floats:
        """The same differences at a level at which every arm's worth is possible, where there is one."""
        if self.highest is None:
            return worth
        over = np.maximum(worth.max(axis=1) - self.highest, 0.0)
        under = np.maximum(-worth.min(axis=1), 0.0)
        return np.asarray(worth + (under - over)[:, None])


def fit_joint_effect(
    covariates: Floats,
    scores: Floats,
    arms: tuple[str, ...],
    patients: NDArray[np.str_],
    folds: Ints,
    highest: float | None,
    level: float = 0.95,
) -> JointEffect:
    """Regress the scores of all arms on covariates.

    Args:
        covariates: (n, p).
        scores: (n, A) doubly robust, higher is better.
        arms: Names.
        patients: (n,) the patient of each case.
        folds: (n,) folds by patient, by which penalties are chosen.
        highest: The largest worth there can be; the least is 0. None for a worth without bounds.
        level: Coverage of intervals.
    """
    means, spread = covariates.mean(axis=0), covariates.std(axis=0)
    scales = np.where(spread > 1e-9 * np.maximum(np.abs(means), 1.0), spread, 1.0)
    standard = (covariates - means) / scales
    parts = scores @ np.linalg.inv(mixing_of(len(arms))).T
    first, others = (choose_penalty(standard, own, folds) for own in (parts[:, :1], parts[:, 1:]))
    penalties = np.array([first, *([others] * (len(arms) - 1))])
    design = _design(standard)
    width = design.shape[1]
    shrink = [np.diag(np.append(0.0, np.full(width - 1, each))) for each in penalties]
    inverses = [np.linalg.pinv(design.T @ design + each) for each in shrink]
    coefficients = np.stack(
        [inverse @ (design.T @ own) for inverse, own in zip(inverses, parts.T, strict=True)]
    )
    residual = parts - design @ coefficients.T
    covariance = _covariance(design, residual, inverses, shrink, patients)
    return JointEffect(arms, means, scales, coefficients, covariance, penalties, highest, level)


def mixing_of(arms: int) -> Floats:
    """(A, A) whose first column gives every arm the level, the others orthonormal departures that sum to 0.

    Helmert's contrasts: any other choice gives the same arms, since departures share one penalty.
    """
    found = np.zeros((arms, arms))
    found[:, 0] = 1.0
    for place in range(1, arms):
        found[:place, place] = -1.0
        found[place, place] = place
        found[:, place] /= np.linalg.norm(found[:, place])
    return found


def choose_penalty(standard: Floats, values: Floats, folds: Ints) -> float:
    """The penalty with the least squared error, over all columns of `values` (n, q), on cases left out."""
    cases, width = standard.shape
    grid = [cases * each for each in PENALTIES_PER_CASE]
    if not width:
        return grid[-1]
    error = np.zeros(len(grid))
    for fold in np.unique(folds):
        kept = folds != fold
        mean, level = standard[kept].mean(axis=0), values[kept].mean(axis=0)
        centred = standard[kept] - mean
        squares, pull = np.linalg.eigh(centred.T @ centred)
        turned = pull.T @ (centred.T @ (values[kept] - level))
        asked = (standard[~kept] - mean) @ pull
        for place, penalty in enumerate(grid):
            said = level + asked @ (turned / (squares + penalty)[:, None])
            error[place] += float(((values[~kept] - said) ** 2).sum())
    return float(grid[int(error.argmin())])


def _covariance(
    design: Floats,
    residual: Floats,
    inverses: list[Floats],
    shrink: list[Floats],
    patients: NDArray[np.str_],
) -> Floats:
    """(q w, q w) of the coefficients of q ridges on one design of width w."""
    names, member = np.unique(patients, return_inverse=True)
    parts, width = len(inverses), design.shape[1]
    pulls = np.zeros((len(names), parts, width))
    np.add.at(pulls, member, residual[:, :, None] * design[:, None, :])
    reach = np.concatenate([pulls[:, part] @ inverse for part, inverse in enumerate(inverses)], axis=1)
    small = len(names) / max(len(names) - width, 1)
    # What shrinking takes from one part and from another goes together as their residuals do.
    roots = [inverse @ np.sqrt(each) for inverse, each in zip(inverses, shrink, strict=True)]
    together = np.cov(residual, rowvar=False, ddof=0).reshape(parts, parts)
    taken = np.einsum("qr,qij,rkj->qirk", together, np.stack(roots), np.stack(roots))
    return np.asarray(small * reach.T @ reach + taken.reshape(parts * width, parts * width))


def _design(standard: Floats) -> Floats:
    return np.column_stack([np.ones(len(standard)), standard])
