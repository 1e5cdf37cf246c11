"""Why a prediction is what it is: contributions that add up to it, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import shap


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
        interaction: The part of `contribution` that is owed to other modalities being present.
    """

    modality: str
    name: str
    detail: str
    source: str
    time: str
    contribution: float
    interaction: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Shapley values of the evidence tokens of one prediction.

    Attributes:
        cause: Of which cause.
        base: The answer for the average training patient on this scale.
        total: The answer for this patient: base + the sum of contributions.
        attributions: Every token's share, largest magnitude first.
        scale: "log_hazard", averaged over the time bins, or "log_odds" of a class or a finding.
        method: How the values were computed.
        max_additivity_error: |base + sum - total|, total taken from the prediction's own path.
        standard_error: 0.0 where values are exact.
        model_id: Which model.
    """

    cause: str
    base: float
    total: float
    attributions: tuple[Attribution, ...]
    scale: str
    method: str
    max_additivity_error: float
    standard_error: float
    model_id: str = ""

    def top(self, count: int = 5) -> tuple[Attribution, ...]:
        """The attributions of largest magnitude."""
        return self.attributions[:count]

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
            data=np.array([attribution.detail for attribution in self.attributions]),
            feature_names=[
                f"{attribution.modality}: {attribution.name}" for attribution in self.attributions
            ],
        )
