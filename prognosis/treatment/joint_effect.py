"""What every arm would do to one patient, all arms together, so that no two numbers contradict each other.

The doubly robust scores are regressed on covariates by ridge, as in `linear_effect`, but as a level (the mean
over arms) and the arms' departures from it. Departures share one penalty, so that nothing depends on which
arm is named first; the level has its own. One direction is hardly shrunk: that in which prognosis changes.
Who hardly risks the event cannot gain many days by being spared it, so that an effect in days differs with
risk where its hazard ratio does not (risk modelling: Kent et al., Ann Intern Med 2020;172:35).

Means, differences and ratios come from one vector and one covariance: sampling, the cases of a patient moving
together, plus what shrinking may have taken (Nychka, J Am Stat Assoc 1988;83:1134). The interval is that of
the mean over patients whose covariates are these: two of them may still fare differently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from prognosis.treatment.effects import ArmValues

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PENALTIES_PER_CASE = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Of the ridge, over the number of cases; the largest lets hardly anything differ between patients."""
RISK_PENALTY_PER_CASE = 0.1
_WIDER = 3.0
"""Effects may vary by so much more (in variance) than the chosen penalty supposes, which is uncertain. With
it 90 in a hundred intervals and more held true effects, weakly planted ones too; without it 85."""
_WITHIN = 0.001  # of the possible range, that a worth keeps from its ends: nothing is certain


@dataclass(frozen=True, slots=True)
class JointEffect:
    """worth under arm a (x) = sum over parts q of mixing[a, q] * (1, z @ risk, z) @ coefficients[q].

    z is (x - means) / scales.

    Attributes:
        arms: Names of the A arms.
        means: (p,) of the covariates.
        scales: (p,) their standard deviations.
        risk: (p,) direction in which prognosis changes, one standard deviation long.
        coefficients: (A, p + 2) of the level and of the A - 1 departures.
        covariance: (A (p + 2), A (p + 2)) of these, part by part.
        penalties: (A,) of the ridges, over the number of cases.
        highest: See `ArmValues`.
        level: Coverage of intervals.
    """

    arms: tuple[str, ...]
    means: Floats
    scales: Floats
    risk: Floats
    coefficients: Floats
    covariance: Floats
    penalties: Floats
    highest: float | None
    level: float

    @property
    def mixing(self) -> Floats:
        """(A, A) from level and departures to arms."""
        return mixing_of(len(self.arms))

    @property
    def alike(self) -> bool:
        """True where patients did not speak for differences that vary otherwise than with prognosis."""
        return bool(self.penalties[1] >= PENALTIES_PER_CASE[-1])

    def worth(self, covariates: Floats, levels: Floats | None = None) -> Floats:
        """(n, A) worth of each case under each arm; differences are not bounded, levels are moved to fit.

        Args:
            covariates: (n, p).
            levels: (n,) mean over arms, by models that stay within what is possible; None for the ridge's.
        """
        parts = self._design(covariates) @ self.coefficients.T
        if levels is not None:
            parts[:, 0] = levels
        return self._bounded(parts @ self.mixing.T)

    def of(self, covariates: Floats, level: float | None = None) -> ArmValues:
        """The worth of one case, of `covariates` (p,), with its covariance; `level` as in `worth`."""
        one = self._design(covariates[None, :])[0]
        parts = len(self.arms)
        by_part = self.covariance.reshape(parts, len(one), parts, len(one))
        between = np.einsum("qirj,i,j->qr", by_part, one, one)
        value = self.worth(covariates[None, :], None if level is None else np.array([level]))[0]
        return ArmValues(self.arms, value, self.mixing @ between @ self.mixing.T, self.highest, self.level)

    def improving(self, covariates: Floats, on: int) -> Ints:
        """(n,) the arm that each case would most gain by beside arm number `on`, of those that surely gain.

        An arm surely gains where the interval of its difference lies above 0; where none does it is `on`.
        """
        design, width = self._design(covariates), self.coefficients.shape[1]
        by_part = self.covariance.reshape(len(self.arms), width, len(self.arms), width)
        gain = np.zeros((len(design), len(self.arms)))
        sure = np.zeros(gain.shape, dtype=bool)
        for arm in range(len(self.arms)):
            contrast = self.mixing[arm] - self.mixing[on]
            between = np.einsum("q,qirj,r->ij", contrast, by_part, contrast)
            error = np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", design, between, design), 0.0))
            gain[:, arm] = design @ (contrast @ self.coefficients)
            sure[:, arm] = gain[:, arm] > ndtri(0.5 + self.level / 2.0) * error
        return np.where(sure.any(axis=1), np.where(sure, gain, -np.inf).argmax(axis=1), on)

    def per_unit(self, arm: str, reference: str) -> Floats:
        """(p,) by what a unit of each covariate changes the difference of two arms."""
        each = self.coefficients[:, 2:] + self.coefficients[:, 1:2] * self.risk
        mixed = self.mixing @ each / self.scales
        return np.asarray(mixed[self.arms.index(arm)] - mixed[self.arms.index(reference)])

    def _design(self, covariates: Floats) -> Floats:
        return _design((covariates - self.means) / self.scales, self.risk)

    def _bounded(self, worth: Floats) -> Floats:
        """The same differences at a level at which every arm's worth is possible, where there is one."""
        if self.highest is None:
            return worth
        edge = _WITHIN * self.highest
        over = np.maximum(worth.max(axis=1) - (self.highest - edge), 0.0)
        under = np.maximum(edge - worth.min(axis=1), 0.0)
        return np.asarray(worth + (under - over)[:, None])


@dataclass(frozen=True, slots=True)
class ScoredCases:
    """Cases with their doubly robust scores.

    Attributes:
        covariates: (n, p).
        scores: (n, A) higher is better.
        prognosis: (n,) worth averaged over arms, as models predict it that have not seen the case.
        patients: (n,) the patient of each case.
        folds: (n,) folds by patient, for whoever fits the cases left out.
    """

    covariates: Floats
    scores: Floats
    prognosis: Floats
    patients: NDArray[np.str_]
    folds: Ints

    def take(self, rows: NDArray[np.bool_]) -> ScoredCases:
        """The cases at `rows`."""
        own = self.covariates[rows], self.scores[rows], self.prognosis[rows]
        return ScoredCases(*own, self.patients[rows], self.folds[rows])


def fit_joint_effect(
    cases: ScoredCases, arms: tuple[str, ...], highest: float | None, level: float = 0.95
) -> JointEffect:
    """Regress the scores of all arms on covariates.

    Args:
        cases: With their scores.
        arms: Names.
        highest: The largest worth there can be; the least is 0. None for a worth without bounds.
        level: Coverage of intervals.
    """
    covariates, scores = cases.covariates, cases.scores
    means, spread = covariates.mean(axis=0), covariates.std(axis=0)
    scales = np.where(spread > 1e-9 * np.maximum(np.abs(means), 1.0), spread, 1.0)
    standard = (covariates - means) / scales
    parts = scores @ np.linalg.inv(mixing_of(len(arms))).T
    risk = _risk(standard, cases.prognosis)
    design = _design(standard, risk)
    count, width = design.shape
    first, others = (choose_penalty(design, own) for own in (parts[:, :1], parts[:, 1:]))
    penalties = np.array([first, *([others] * (len(arms) - 1))])
    shrink = [np.diag(_shrinking(each, width, count)) for each in penalties]
    squares = design.T @ design
    inverses: list[Floats] = [np.asarray(np.linalg.pinv(squares + each)) for each in shrink]
    coefficients = np.stack(
        [inverse @ (design.T @ own) for inverse, own in zip(inverses, parts.T, strict=True)]
    )
    residual = parts - design @ coefficients.T
    covariance = _covariance(design, residual, inverses, shrink, cases.patients)
    return JointEffect(arms, means, scales, risk, coefficients, covariance, penalties, highest, level)


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


def choose_penalty(design: Floats, values: Floats) -> float:
    """The penalty a case under which the values are likeliest (empirical Bayes).

    A ridge is the mean of normal coefficients; their variance has the marginal likelihood

        -1/2 [ log |Z'Z + D| - log |D| + n log (y'y - y'Z (Z'Z + D)^-1 Z'y) ]

    of centred values. Scores are noisy, and errors on cases left out choose at random among penalties.

    Args:
        design: (n, p + 2) as `JointEffect` reads it.
        values: (n, q); each column has a variance of its own, and all share the penalty.
    """
    cases, width = design.shape
    free, centred = design[:, 1:] - design[:, 1:].mean(axis=0), values - values.mean(axis=0)
    squares, pull, total = free.T @ free, free.T @ centred, (centred**2).sum(axis=0)
    found = []
    for penalty in PENALTIES_PER_CASE:
        shrink = _shrinking(penalty, width, cases)[1:]
        whole = squares + np.diag(shrink)
        left = total - (pull * np.linalg.solve(whole, pull)).sum(axis=0)
        size = np.linalg.slogdet(whole)[1] - np.log(shrink).sum()
        found.append(-0.5 * float((size + cases * np.log(np.maximum(left, 1e-300))).sum()))
    return PENALTIES_PER_CASE[int(np.argmax(found))]


def _shrinking(penalty: float, width: int, cases: int) -> Floats:
    """(width,) what is added to the squares: nothing to the level's, little to the risk's."""
    each = [0.0, min(penalty, RISK_PENALTY_PER_CASE), *([penalty] * (width - 2))]
    return cases * np.array(each)


def _risk(standard: Floats, prognosis: Floats) -> Floats:
    """(p,) the direction of the covariates along which prognosis changes; zeros where it changes in none."""
    centred = prognosis - prognosis.mean()
    squares = standard.T @ standard + len(standard) * 1e-3 * np.eye(standard.shape[1])
    slope = np.linalg.solve(squares, standard.T @ centred)
    spread = float((standard @ slope).std())
    return (
        slope / spread
        if spread > 1e-9 * max(float(np.abs(prognosis).max()), 1e-300)
        else np.zeros_like(slope)
    )


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
    roots = [inverse @ np.sqrt(_WIDER * each) for inverse, each in zip(inverses, shrink, strict=True)]
    together = np.cov(residual, rowvar=False, ddof=0).reshape(parts, parts)
    taken = np.einsum("qr,qij,rkj->qirk", together, np.stack(roots), np.stack(roots))
    return np.asarray(small * reach.T @ reach + taken.reshape(parts * width, parts * width))


def _design(standard: Floats, risk: Floats) -> Floats:
    return np.column_stack([np.ones(len(standard)), standard @ risk, standard])
