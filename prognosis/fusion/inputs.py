"""What the fusion reads: every modality's summed evidence, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence import ModalityEvidence


@dataclass(frozen=True, slots=True)
class FusionInputs:
    """n cases, M modalities in the order of `modalities`; an absent modality's rows are exactly zero.

    Attributes:
        modalities: Names, in order.
        present: (n, M) True where a case has the modality.
        evidence: M arrays (n, causes, bins or 1) in log-hazard units.
        vectors: M arrays (n, width of the modality).
        distance: (n, M) distance from the training population; above 1 is unusual.
        withheld: per case, "modality: reason" for data that exists and was not used.
        cautions: per case, "modality: reason" for data that was used and is doubtful; empty for none at all.
    """

    modalities: tuple[str, ...]
    present: NDArray[np.bool_]
    evidence: tuple[NDArray[np.float64], ...]
    vectors: tuple[NDArray[np.float64], ...]
    distance: NDArray[np.float64]
    withheld: tuple[tuple[str, ...], ...]
    cautions: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.present)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> FusionInputs:
        """The inputs of the cases at `rows`."""
        chosen = np.arange(len(self))[rows]
        return FusionInputs(
            self.modalities,
            self.present[chosen],
            tuple(evidence[chosen] for evidence in self.evidence),
            tuple(vector[chosen] for vector in self.vectors),
            self.distance[chosen],
            tuple(self.withheld[row] for row in chosen),
            tuple(self.cautions[row] for row in chosen) if self.cautions else (),
        )

    def keeping(self, keep: Sequence[bool] | NDArray[np.bool_]) -> FusionInputs:
        """The inputs with only the modalities flagged in `keep`; the others become absent in every case."""
        keep = np.asarray(keep, dtype=bool)
        return replace(
            self,
            present=self.present & keep,
            evidence=tuple(e * float(k) for e, k in zip(self.evidence, keep, strict=True)),
            vectors=tuple(v * float(k) for v, k in zip(self.vectors, keep, strict=True)),
            distance=self.distance * keep,
        )

    def single(self, name: str) -> FusionInputs:
        """The inputs of one modality, as if there were no other."""
        place = self.modalities.index(name)
        return replace(
            self,
            modalities=(name,),
            present=self.present[:, [place]],
            evidence=(self.evidence[place],),
            vectors=(self.vectors[place],),
            distance=self.distance[:, [place]],
        )


def join_modalities(evidence: Mapping[str, ModalityEvidence]) -> FusionInputs:
    """Put the modalities' evidence side by side.

    Absent rows are set to zero here as well, whatever the modality wrote there: junk in an absent
    modality can never reach a prediction.
    """
    names = tuple(evidence)
    present = np.stack([evidence[name].present for name in names], axis=1)

    def masked(values: NDArray[np.float64], here: NDArray[np.bool_]) -> NDArray[np.float64]:
        shape = (-1,) + (1,) * (values.ndim - 1)
        return np.where(here.reshape(shape), values, 0.0)

    cases = len(present)
    return FusionInputs(
        names,
        present,
        tuple(masked(evidence[name].evidence, evidence[name].present) for name in names),
        tuple(masked(evidence[name].vector, evidence[name].present) for name in names),
        np.stack([masked(evidence[name].typical_distance, evidence[name].present) for name in names], axis=1),
        tuple(
            tuple(f"{name}: {why}" for name in names if (why := evidence[name].withheld[row]))
            for row in range(cases)
        ),
        tuple(
            tuple(f"{name}: {own[row]}" for name in names if (own := evidence[name].cautions) and own[row])
            for row in range(cases)
        ),
    )
