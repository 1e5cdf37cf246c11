"""Settings of the clinical evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

from prognosis.evidence.clinical.boosting import TreeSettings


@dataclass(frozen=True, slots=True)
class ClinicalConfig:
    """How clinical evidence is made.

    Attributes:
        windows_days: Stretches before the index that are summarised, beside "ever".
        fewest_cases: A column needs this many cases ...
        fewest_share: ... and this share of them.
        most_categories: Texts kept for one categorical concept.
        closest: Largest correlation between two kept columns of one concept.
        directions: Most directions in which a patient's distance from the others is measured.
        interacting: Facts whose levels may interact with other modalities: those that most cases have.
        half_lives_days: Tried by cross-fitted likelihood: how fast a change or a slope comes to count for
            less, in the linear member, as its last fact grows old. That it does not is always tried.
        inner_folds: For the penalty and the number of trees.
        background_rows: Training rows that centre the trees; at most 100.
        trees: How trees are grown; None for the linear member alone.
    """

    windows_days: tuple[float, ...] = (30.0, 365.0)
    fewest_cases: int = 5
    fewest_share: float = 0.01
    most_categories: int = 20
    closest: float = 0.95
    directions: int = 8
    interacting: int = 24
    half_lives_days: tuple[float, ...] = (30.0, 90.0, 365.0)
    inner_folds: int = 3
    background_rows: int = 100
    trees: TreeSettings | None = field(default_factory=TreeSettings)

    def fewest(self, cases: int) -> int:
        """The number of cases that a column needs among `cases`."""
        return max(self.fewest_cases, round(self.fewest_share * cases))
