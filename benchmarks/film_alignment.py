"""Alignment of real serial films: whether two films of a patient differ less inside the lungs when aligned.

`python -m benchmarks.film_alignment --source hannover-cxr:DIR [--json]`

Every two consecutive frontal films of a patient are aligned. Where the later one's lungs are marked, the mean
absolute difference of the films inside them (each in standard deviations about its own mean there) is taken
as they lie and aligned. Intervals are 95% percentile intervals over resampled patients.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from prognosis.cli.loading import load_records
from prognosis.evaluation.localisation import mean_interval
from prognosis.evidence.imaging import ImagingConfig
from prognosis.evidence.imaging.alignment import align
from prognosis.evidence.imaging.films import Film, read_image
from prognosis.evidence.imaging.regions import along_axes, overlap
from prognosis.record import ImagingStudy, PatientRecord, Quarantine
from prognosis.record.imaging import UNMARKED
from prognosis.survival.bootstrap import Interval

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two consecutive films of a patient.

    Attributes:
        patient: Whose.
        moved: Whether the earlier one was moved.
        caution: Whether they were left as they lie because they do not agree.
        agreement: Correlation of their detail, as they lie and aligned.
        difference: Inside the later one's lungs, likewise; None where they are not marked.
    """

    patient: str
    moved: bool
    caution: bool
    agreement: tuple[float, float]
    difference: tuple[float, float] | None


def pairs(records: Sequence[PatientRecord], config: ImagingConfig) -> Iterator[Pair]:
    """Every two consecutive readable frontal films of each patient."""
    for record in records:
        read = [(study, read_image(study, record.key, config)) for study in record.studies]
        films = [(study, film) for study, film in read if isinstance(film, Film)]
        for (_, earlier), (study, later) in pairwise(films):
            found = align(earlier.square, later.square)
            lungs, aligned = marked_lungs(study, later), found.applied(earlier.square)
            yield Pair(
                record.key,
                found.moved,
                bool(found.caution),
                (found.agreement_before, found.agreement),
                None
                if lungs is None
                else (
                    difference(earlier.square, later.square, lungs),
                    difference(aligned, later.square, lungs),
                ),
            )


def marked_lungs(study: ImagingStudy, film: Film) -> Mask | None:
    """(size, size) where the film's lungs are marked, on the square; None where nobody marked them."""
    for marked in study.segmentations():
        own = (marked.labels[0] > 0) & (marked.labels[0] != UNMARKED)
        parts = []
        for axis in film.placement.axes:
            scale = axis.voxels / axis.extent
            parts.append(overlap(axis.size, axis.voxels, -axis.start * scale, axis.size * scale) / scale)
        return along_axes(own.astype(np.float64), parts) > 0.5
    return None


def difference(first: NDArray[np.float32], second: NDArray[np.float32], inside: Mask) -> float:
    """Mean absolute difference where `inside`, each film in standard deviations about its mean there."""
    one, other = (
        (each[inside] - each[inside].mean()) / max(float(each[inside].std()), 1e-6)
        for each in (first, second)
    )
    return float(np.abs(one - other).mean())


def summary(found: Sequence[Pair]) -> dict[str, Interval]:
    """Means over pairs with intervals over patients."""

    def mean(values: Sequence[float], those: Sequence[Pair]) -> Interval:
        patients = np.array([each.patient for each in those])
        return mean_interval(np.array(values, dtype=np.float64), patients, 1000, 0)

    marked = [(each, each.difference) for each in found if each.difference is not None]
    those = [each for each, _ in marked]
    return {
        f"moved, of {len(found)} pairs": mean([each.moved for each in found], found),
        "left as they lie with a caution": mean([each.caution for each in found], found),
        "agreement as they lie": mean([each.agreement[0] for each in found], found),
        "agreement aligned": mean([each.agreement[1] for each in found], found),
        f"difference in the lungs as they lie, {len(marked)} pairs": mean([d[0] for _, d in marked], those),
        "difference in the lungs aligned": mean([d[1] for _, d in marked], those),
        "difference taken away by alignment": mean([d[0] - d[1] for _, d in marked], those),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", action="append", required=True)
    parser.add_argument("--json", action="store_true")
    stated = parser.parse_args()
    found = summary(list(pairs(load_records(stated.source, None, Quarantine()), ImagingConfig())))
    if stated.json:
        print(json.dumps({name: asdict(each) for name, each in found.items()}, indent=1))
        return
    for name, each in found.items():
        print(f"{name:52} {each.value:6.3f} ({each.low:6.3f} to {each.high:6.3f})")


if __name__ == "__main__":
    main()
