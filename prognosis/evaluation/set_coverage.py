"""How often a case's set of classes holds the true one, as a dataclass."""

from __future__ import annotations

from dataclasses import dataclass

from prognosis.evaluation.interval_json import interval_json
from prognosis.survival.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class SetCoverage:
    """The coverage of the sets at one level in one group of cases.

    Attributes:
        level: The confidence stated; a coverage above it is conservative, below it too bold.
        group: What the cases are grouped by: "everyone", "true class", "sex", "modalities".
        group_level: What they share: "intensive_care", "female", "clinical+text".
        n: Number of cases.
        events: Number of them that are not of the reference class.
        coverage: Share whose set holds the true class, each patient counted once; None when `n` is too small
            to say anything.
        mean_size: Mean number of classes in a set, each patient counted once.
        empty: Share of sets that hold no class, likewise.
    """

    level: float
    group: str
    group_level: str
    n: int
    events: int
    coverage: Interval | None
    mean_size: float
    empty: float

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "level": self.level,
            "group": self.group,
            "group_level": self.group_level,
            "n": self.n,
            "events": self.events,
            "coverage": None if self.coverage is None else interval_json(self.coverage),
            "mean_size": self.mean_size,
            "empty": self.empty,
        }
