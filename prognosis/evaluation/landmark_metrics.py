"""What was reached at one landmark and horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prognosis.evaluation.results import Comparison, MetricSet


@dataclass(frozen=True, slots=True)
class LandmarkMetrics:
    """The metrics of the patients at risk at one landmark, for one horizon.

    Attributes:
        landmark: Days since entry; for visits, which of the patient's.
        horizon_days: Days from the landmark.
        n: Patients at risk at the landmark.
        events: Events of each cause within the horizon.
        result: "uno_c", "auc", "ibs", "brier", "observed_over_expected", with ":cause" for other causes than
            the first; empty with fewer than five events of the first cause.
        members: The same of the other methods.
        comparisons: Paired differences of C and integrated Brier score.
    """

    landmark: float
    horizon_days: float
    n: int
    events: Mapping[str, int]
    result: MetricSet
    members: Mapping[str, MetricSet] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "landmark": self.landmark,
            "horizon_days": self.horizon_days,
            "n": self.n,
            "events": dict(self.events),
            **self.result.to_json(),
            "members": {name: found.to_json() for name, found in self.members.items()},
            "comparisons": [found.to_json() for found in self.comparisons],
        }
