"""What a report says of performance over the landmarks."""

from __future__ import annotations

from dataclasses import dataclass

from prognosis.outputs.estimate import Estimate


@dataclass(frozen=True, slots=True)
class LandmarkPoint:
    """One landmark and horizon.

    Attributes:
        landmark: Where on the axis: days since entry, or which visit.
        name: The landmark in words: "1 year", "visit 2".
        cases: Patients at risk there.
        events: Events of the cause within the horizon.
        estimate: The measure; None where too few events were seen to say anything.
    """

    landmark: float
    name: str
    cases: int
    events: int
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class LandmarkLine:
    """The points of one horizon, in the order of the landmarks."""

    horizon: str
    points: tuple[LandmarkPoint, ...]


@dataclass(frozen=True, slots=True)
class LandmarkCurves:
    """One measure over the landmarks.

    Attributes:
        title: "Uno's C, death".
        axis: "days since entry", or "visit".
        lines: One a horizon.
        higher_is_better: False for the Brier score.
    """

    title: str
    axis: str
    lines: tuple[LandmarkLine, ...]
    higher_is_better: bool
