"""How often patients stay free of an event as long as their lower bound says, as a dataclass."""

from __future__ import annotations

from dataclasses import dataclass

from prognosis.evaluation.interval_json import interval_json
from prognosis.survival.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class BoundCoverage:
    """The coverage of one lower bound in one group of cases.

    Attributes:
        event: What the bound is about: "any event", or a cause.
        level: The confidence stated; a coverage above it is conservative, below it too bold.
        group: What the cases are grouped by: "everyone", "sex", "modalities".
        group_level: The level they share: "female", "clinical+text".
        n: Number of cases.
        events: Number of events that the bound is about.
        coverage: Share of patients free at least as long as their bound, by inverse probability of
            censoring, each patient counted once; None when `n` or `events` is too small to say anything.
        mean_days: Mean bound of the cases.
        marginal_days: The bound that the training cases' Kaplan-Meier (Aalen-Johansen) curve alone gives
            everyone.
    """

    event: str
    level: float
    group: str
    group_level: str
    n: int
    events: int
    coverage: Interval | None
    mean_days: float
    marginal_days: float

    def to_json(self) -> dict[str, object]:
        """The fields by name, and the mean bound as a multiple of the marginal one (null where that is 0)."""
        return {
            "event": self.event,
            "level": self.level,
            "group": self.group,
            "group_level": self.group_level,
            "n": self.n,
            "events": self.events,
            "coverage": None if self.coverage is None else interval_json(self.coverage),
            "mean_days": self.mean_days,
            "marginal_days": self.marginal_days,
            "relative_length": self.mean_days / self.marginal_days if self.marginal_days else None,
        }
