"""The quality gate: whether a film is of the kind that the model was trained on, and what is wrong if not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.faults import FAULTS
from prognosis.evidence.imaging.kind import TrainingKinds
from prognosis.evidence.imaging.reduced import on_side
from prognosis.evidence.imaging.statistics import film_statistics
from prognosis.evidence.imaging.typical import TypicalFilms
from prognosis.record import Series

Array = NDArray[np.float64]

UNLIKE = "film is unlike the films that the model was trained on (another body part, view or kind of image?)"
_MOST_FAULT = 3.0  # times the mean altered film, as far as a fault is followed
FAULT = {fault.name: fault for fault in FAULTS}


@dataclass(frozen=True, slots=True)
class Detector:
    """Tells films with one fault from good ones by a weighted sum of their standardised statistics.

    Attributes:
        name: Of the fault, one of `FAULTS`.
        weights: (statistics,).
        offset: Added to the sum; the mean good training film then has 0 and the mean altered one 1.
        caution: Least value that is told with a caution.
        refuse: Least value at which the film is not read, if it is a fault that refuses.
        altered: (statistics,) mean of the altered training films, standardised.
        reach: Distance from there, over the limit of the typical ones, within which a film is of this fault.
    """

    name: str
    weights: Array
    offset: float
    caution: float
    refuse: float
    altered: Array
    reach: float

    def value(self, standard: Array) -> Array:
        """(n,) 0 for a good film, 1 for a film with the fault, of (n, statistics) standardised."""
        return standard @ self.weights + self.offset


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of one film.

    Attributes:
        refusal: Why it is not read; "" when it is.
        cautions: What is doubtful about a film that is read.
        distance: From the training films, over its 99th percentile there.
        alarm: How far the film is on its way to be refused: 1 and above is refused.
    """

    refusal: str
    cautions: tuple[str, ...]
    distance: float
    alarm: float


@dataclass(frozen=True, slots=True)
class FilmGate:
    """What the training films taught about good films and bad ones.

    Attributes:
        side: Of the reduced films that it judges.
        typical: Their statistics.
        unlike: Distance at which a film is refused as another kind of image.
        detectors: Of the faults that could be told.
        fewest_pixels: Shorter side below which a film is too small: half of the smallest in training.
        kinds: What their headers said.
    """

    side: int
    typical: TypicalFilms
    unlike: float
    detectors: tuple[Detector, ...]
    fewest_pixels: int
    kinds: TrainingKinds

    def judge(self, reduced: NDArray[np.float16], shorter_side: int, series: Series) -> Verdict:
        """The verdict on one film: its header first, for no filter reads that better; then its pixels.

        Args:
            reduced: From `reduced_film`.
            shorter_side: Of the film itself, in pixels.
            series: What its header says.
        """
        stated = self.kinds.refusal(series)
        if stated:
            return Verdict(stated, (), 0.0, np.inf)
        if shorter_side < self.fewest_pixels:
            reason = f"film is too small ({shorter_side} pixels; at least {self.fewest_pixels} are needed)"
            return Verdict(reason, (), 0.0, self.fewest_pixels / shorter_side)
        return self._judged(film_statistics(on_side(reduced, self.side)[None]), series)

    def _judged(self, statistics: Array, series: Series) -> Verdict:
        """The verdict on the pixels, from their (1, statistics)."""
        standard = self.typical.standardised(statistics)
        distance = float(self.typical.distance(statistics)[0])
        values = [(float(each.value(standard)[0]), each) for each in self.detectors]
        refusing = [(value, each) for value, each in values if FAULT[each.name].refuses]
        alarm = max([distance / self.unlike, *(value / each.refuse for value, each in refusing)])
        told = [(value, each) for value, each in refusing if value >= each.refuse]
        if told:
            return Verdict(self._named(standard, told), (), distance, alarm)
        if distance >= self.unlike:
            return Verdict(UNLIKE, (), distance, alarm)
        cautions = [FAULT[each.name].reason for value, each in values if value >= each.caution]
        return Verdict("", (*self.kinds.cautions(series), *cautions), distance, alarm)

    def _named(self, standard: Array, told: list[tuple[float, Detector]]) -> str:
        """The reason of the fault whose films this one lies nearest to; `UNLIKE` when it is near none.

        A film with more of a fault than the altered films lies further along the line from good to altered,
        and may stray as much farther from it.
        """
        near = []
        for value, each in told:
            share = min(max(value, 1.0), _MOST_FAULT)
            near.append((self._away(standard[0] - share * each.altered), share * each.reach, each.name))
        away, reach, name = min(near)
        return UNLIKE if away > reach else FAULT[name].reason

    def _away(self, difference: Array) -> float:
        """Squared length of a (statistics,) difference, over the limit of the typical distance."""
        return float(difference @ self.typical.precision @ difference) / self.typical.limit
