"""How far two markings of one film are apart, where a publisher gives a film under two patient ids.

`python -m benchmarks.marked_twice TASK --source covid-cxr:DIR [--source ..]`

Each pair of films of two patients that look the same (docs/lint.md) and are both marked was marked twice, and
not knowing it. The Dice of the two markings says how far a model that is judged by one of them can get.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prognosis.cli.loading import load_cohort
from prognosis.cohort import Task
from prognosis.cohort.lint.finding import Thresholds
from prognosis.cohort.lint.images import difference_hash, near_pairs
from prognosis.evaluation.mask_metrics import dice
from prognosis.evidence.segmentation.marked import MarkedImage, marked_images
from prognosis.record.imaging import UNMARKED


def main() -> None:
    """Find the pairs, print each one's Dice and their mean."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", type=Path)
    parser.add_argument("--source", action="append", required=True)
    stated = parser.parse_args()
    task = Task.load(stated.task)
    cohort = load_cohort(stated.source, task).cohort
    found = []
    for one, other in same_films(list(marked_images(cohort.cases, task.causes))):
        apart = [agreement(one, other, structure) for structure in task.causes]
        found.append(apart)
        shares = ", ".join(f"{name} {value:.3f}" for name, value in zip(task.causes, apart, strict=True))
        print(f"{one.case.patient} and {other.case.patient}: {shares}")
    print(f"{len(found)} films marked twice" + (f": mean Dice {np.mean(found):.3f}" if found else ""))


def same_films(images: Sequence[MarkedImage]) -> Iterator[tuple[MarkedImage, MarkedImage]]:
    """Pairs of marked films of two patients that look the same."""
    hashed = [(image, difference_hash(image.volume.voxels[0])) for image in images]
    known = [(image, code) for image, code in hashed if code is not None]
    patient = np.unique([image.case.patient for image, _ in known], return_inverse=True)[1]
    codes = np.array([code for _, code in known])
    for one, other in near_pairs(codes, patient, Thresholds().image_bits):
        yield known[one][0], known[other][0]


def agreement(one: MarkedImage, other: MarkedImage, structure: str) -> float:
    """Dice of a structure's two markings, where both were looked at, on the first film's pixels."""
    rows, columns = one.marked.labels.shape[1:]
    labels = other.marked.labels[0]
    on_first = labels[np.ix_(_places(rows, labels.shape[0]), _places(columns, labels.shape[1]))]
    seen = (one.marked.labels[0] != UNMARKED) & (on_first != UNMARKED)
    masks = [
        seen & (image == 1 + marked.structures.index(structure))
        for image, marked in ((one.marked.labels[0], one.marked), (on_first, other.marked))
    ]
    return dice(*masks)


def _places(wanted: int, own: int) -> NDArray[np.intp]:
    """The nearest of `own` pixels to each of `wanted` that cover the same length."""
    return np.asarray((np.arange(wanted) + 0.5) * own / wanted, dtype=np.intp)


if __name__ == "__main__":
    main()
