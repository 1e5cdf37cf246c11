"""Ridge regression that adapts: to few features that matter among many, and to what several causes share."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.regression import Regression

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MAXIMUM_RANK = 120
MOST_STEPS = 3
"""Times that features are sized by the coefficients of the ridge before."""
LEAST_GAIN = 1.0
"""Nats that cases left out must gain before a plainer fit is given up."""
_PROMINENCE = 3.0  # of the score that causes share: in spreads of a feature, so that it is hardly shrunk


@dataclass(slots=True)
class AdaptiveRidge:
    """One cause's coefficients as a function of the cases that teach them.

    The plain ridge shrinks every feature alike. Where few of many matter, a second ridge on features scaled
    by the size of their first coefficients predicts better, and a third or fourth where very few do (steps
    of the adaptive ridge: Frommlet and Nuel 2016, PLoS ONE 11:e0148620). Where causes share what raises
    them, the score of all causes together, learned from more events, is one feature more, and hardly
    shrunk. Each is taken where cases left out gain.

    Attributes:
        regression: What happened.
        standard: (n, p) standardised features.
        shared: The same of any cause's event; None where there is but one.
        penalty: Of the last ridge; set by `choose`.
    """

    regression: Regression
    standard: Floats
    shared: AdaptiveRidge | None = None
    penalty: float = field(default=np.inf, init=False)
    _steps: list[float] = field(default_factory=list, init=False)
    _sharing: bool = field(default=False, init=False)
    _sizes: dict[tuple[int, bytes], Floats] = field(default_factory=dict, init=False)
    _taught: dict[bytes, Floats] = field(default_factory=dict, init=False)

    def choose(self) -> None:
        """Choose penalties, how often features are sized, whether a score is shared, on cases left out."""
        tried: list[float] = []
        likelihood = -np.inf
        for step in range(1 + MOST_STEPS):
            self._steps = tried
            penalty, reached = self._chosen()
            if step == 0 or reached - likelihood >= LEAST_GAIN:
                kept, self.penalty, likelihood = step, penalty, reached
            tried = [*tried, penalty]
        self._steps = tried[:kept]
        if self.shared is None:
            return
        self._sharing = True
        penalty, reached = self._chosen()
        self._sharing = reached - likelihood >= LEAST_GAIN
        self.penalty = penalty if self._sharing else self.penalty

    def _chosen(self) -> tuple[float, float]:
        """The penalty that cases left out favour as things stand, and their log-likelihood."""
        return self.regression.choose(lambda kept: self._design(kept)[0])

    def coefficients(self, kept: Bools | None = None) -> Floats:
        """(p,) log-hazard (log-odds) a unit of each standardised feature, as the cases at `kept` teach it."""
        key = b"" if kept is None else kept.tobytes()
        if key not in self._taught:
            design, back = self._design(kept)
            self._taught[key] = np.asarray(back @ self.regression.fit(design, self.penalty, kept))
        return self._taught[key]

    def _design(self, kept: Bools | None) -> tuple[Floats, Floats]:
        """(n, r) design that the cases at `kept` teach, and (p, r) the way back to the features."""
        size = self._size(len(self._steps), kept)
        basis = leading(self.standard * size)
        design, back = basis.design, size[:, None] * basis.back
        if self._sharing and self.shared is not None:
            shared = self.shared.coefficients(kept)
            score = self.standard @ shared
            scale = _PROMINENCE / max(float(score.std()), 1e-12)
            design = np.column_stack([design, scale * score])
            back = np.column_stack([back, scale * shared])
        return design, back

    def _size(self, steps: int, kept: Bools | None) -> Floats:
        """(p,) size of each feature's coefficient after so many ridges, 1 on average; ones after none."""
        if not steps:
            return np.ones(self.standard.shape[1])
        key = steps, b"" if kept is None else kept.tobytes()
        if key not in self._sizes:
            before = self._size(steps - 1, kept)
            basis = leading(self.standard * before)
            taught = self.regression.fit(basis.design, self._steps[steps - 1], kept)
            found = before * np.abs(basis.back @ taught)
            self._sizes[key] = found / max(float(np.sqrt((found**2).mean())), 1e-12)
        return self._sizes[key]


@dataclass(frozen=True, slots=True)
class Basis:
    """(n, r) cases in the leading directions of their features, and (p, r) the way back to the features."""

    design: Floats
    back: Floats


def leading(features: Floats) -> Basis:
    """The features themselves, or, of more than 120, their 120 leading principal directions."""
    cases, width = features.shape
    if width <= min(MAXIMUM_RANK, cases):
        return Basis(features, np.eye(width))
    if width <= cases:
        values, vectors = np.linalg.eigh(features.T @ features)
        directions = vectors[:, ::-1][:, :MAXIMUM_RANK]
    else:
        values, own = np.linalg.eigh(features @ features.T)
        values, own = values[::-1][:MAXIMUM_RANK], own[:, ::-1][:, :MAXIMUM_RANK]
        kept = values > 1e-9 * max(float(values[0]), 1e-300)
        directions = features.T @ (own[:, kept] / np.sqrt(values[kept]))
    return Basis(features @ directions, directions)
