"""Why a prediction is what it is: contributions that add up to it, each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import shap

Scale = Literal["log_hazard", "log_odds", "value", "log_value", "probability"]


@dataclass(frozen=True, slots=True)
class Attribution:
    """What one piece of evidence added to the answer.

    Attributes:
        modality: "clinical", "text" or "imaging".
        name: "C reactive protein", "left lower zone", the note's section.
        detail: Its value, the sentence, or which film.
        source: "Observation/..", "DocumentReference/..#3", "ImagingStudy/..#left lower zone".
        time: ISO 8601 time at which it was known, "" where it has none.
        contribution: On the explanation's scale; positive raises the risk.
        interaction: The part of `contribution` that is owed to other modalities being present; None on the
            scale of probability, whose curve makes everything depend on everything.
        subject: What it is about, the same at every date and in every explanation of the patient.
        family: What it is grouped with.
        topic: What it is one driver with; see `Token`.
        span: The sentence's first and one past its last character in the note's text; None elsewhere.
        age_days: Days from when it was known to the index.
    """

    modality: str
    name: str
    detail: str
    source: str
    time: str
    contribution: float
    interaction: float | None
    subject: str = ""
    family: str = ""
    topic: str = ""
    span: tuple[int, int] | None = None
    age_days: float = 0.0

    @property
    def key(self) -> tuple[str, str]:
        """By which attributions of two explanations are matched: modality and subject."""
        return (self.modality, self.subject or self.name)

    @property
    def driver_key(self) -> tuple[str, str]:
        """By which attributions are one driver: modality and topic."""
        return (self.modality, self.topic or self.subject or self.name)


@dataclass(frozen=True, slots=True)
class Driver:
    """What a reader takes for one thing: a concept's level and change, one statement, a region at every date.

    Its contribution is the sum of its parts'. Only modalities interact with one another, and a driver's parts
    are of one modality, so on the log-hazard (log-odds) nothing has to be shared within a driver: the sum IS
    the exact Shapley value of the game in which the parts come and go together, whether or not other drivers
    do so too. On the probability the sum is that of the parts' Owen values, which differs from it in what the
    parts do together along the curve; its standard error is at most the sum of theirs.

    Attributes:
        leading: The part that says how things stand: the latest, and of those the level before its change.
        parts: All of them, largest magnitude first, each with its own citation and date.
        contribution: On the explanation's scale; positive raises the risk.
        interaction: The part of it that is owed to other modalities being present; None on the probability.
    """

    leading: Attribution
    parts: tuple[Attribution, ...]
    contribution: float
    interaction: float | None

    @property
    def key(self) -> tuple[str, str]:
        """By which drivers of two explanations are matched: modality and topic."""
        return self.leading.driver_key


def drivers_of(attributions: Sequence[Attribution]) -> tuple[Driver, ...]:
    """The attributions by what they are of, largest sum first.

    Args:
        attributions: Of one explanation, in the order of the case's tokens: a level stands before its change.
    """
    by_topic: dict[tuple[str, str], list[Attribution]] = {}
    for each in attributions:
        by_topic.setdefault(each.driver_key, []).append(each)
    found = []
    for parts in by_topic.values():
        joint = [part.interaction for part in parts if part.interaction is not None]
        found.append(
            Driver(
                leading=min(parts, key=lambda part: (not part.time, part.age_days)),
                parts=tuple(sorted(parts, key=lambda part: -abs(part.contribution))),
                contribution=sum(part.contribution for part in parts),
                interaction=sum(joint) if joint else None,
            )
        )
    return tuple(sorted(found, key=lambda driver: -abs(driver.contribution)))


@dataclass(frozen=True, slots=True)
class GroupValue:
    """The exact Shapley value of a group of tokens: the sum of theirs.

    Attributes:
        modality: Of its tokens.
        name: Their family, or "other".
        tokens: How many.
        contribution: On the explanation's scale.
    """

    modality: str
    name: str
    tokens: int
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Shapley values of the evidence tokens of one prediction.

    Attributes:
        cause: Of which cause.
        base: The answer for the average patient with these modalities on this scale.
        total: The answer for this patient: base + the sum of contributions.
        attributions: Every token's share, largest magnitude first.
        drivers: The same by what they are of, largest sum first; they too sum to total - base.
        scale: "log_hazard", averaged over the time bins; "log_odds" of a class or a finding; "value" of a
            measurement in its unit, "log_value" its natural logarithm, on which a contribution c is a ratio
            of exp(c); "probability".
        method: How the values were computed.
        max_additivity_error: |base + sum - total|, total taken from the prediction's own path.
        standard_error: Largest of any value; 0.0 where values are exact.
        model_id: Which model.
        horizon_days: By when, on the scale of probability; None on the others and for a class.
        groups: Exact values of groups of tokens, largest magnitude first; only on the scale of probability.
        coalitions: Of groups, evaluated one and all.
        permutations: Drawn to split groups among their tokens.
    """

    cause: str
    base: float
    total: float
    attributions: tuple[Attribution, ...]
    drivers: tuple[Driver, ...]
    scale: Scale
    method: str
    max_additivity_error: float
    standard_error: float
    model_id: str = ""
    horizon_days: float | None = None
    groups: tuple[GroupValue, ...] = ()
    coalitions: int = 0
    permutations: int = 0

    def top(self, count: int = 5) -> tuple[Driver, ...]:
        """The drivers of largest magnitude."""
        return self.drivers[:count]

    def by_modality(self) -> dict[str, float]:
        """The sum of contributions of each modality."""
        sums: dict[str, float] = {}
        for attribution in self.attributions:
            sums[attribution.modality] = sums.get(attribution.modality, 0.0) + attribution.contribution
        return sums

    def values(self) -> NDArray[np.float64]:
        """(n,) the contributions in the order of `attributions`."""
        return np.array([attribution.contribution for attribution in self.attributions])

    def to_shap(self) -> shap.Explanation:
        """The same values as shap holds them, so that its plots work on them."""
        import shap

        return shap.Explanation(
            values=self.values(),
            base_values=self.base,
            data=np.array([attribution.detail for attribution in self.attributions], dtype=object),
            feature_names=[
                f"{attribution.modality}: {attribution.name}" for attribution in self.attributions
            ],
        )
