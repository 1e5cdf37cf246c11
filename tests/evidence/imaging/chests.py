"""A tiny cohort whose truth is one bright spot: its size decides the hazard."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Target
from prognosis.errors import StudyError
from prognosis.record import ImagingStudy, PatientRecord, Series, Volume

INDEX = datetime(2021, 3, 1, 12, tzinfo=UTC)


@dataclass
class MemoryStore:
    """An image store that holds its films in memory; a study without pixels cannot be opened."""

    voxels: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        self.opened.append(study.study_uid)
        if study.study_uid not in self.voxels:
            raise StudyError(f"ImagingStudy {study.study_uid}", "its pixels are damaged", "send it again")
        view = study.series[0].view if study.series else ""
        source = f"ImagingStudy/{study.study_uid}"
        return (Volume(self.voxels[study.study_uid], np.eye(4), source, view=view),)


def film(spot: float, seed: int, shape: tuple[int, int] = (32, 32)) -> NDArray[np.float32]:
    """(1, height, width) noise with one bright spot of this radius at the image's left, low."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    inside = np.hypot(y - 0.8 * shape[0], x - 0.25 * shape[1]) < spot
    pixels = 100.0 + 10.0 * random.standard_normal(shape) + 40.0 * y / shape[0] + 120.0 * inside
    return pixels.astype(np.float32)[None]


def study(
    store: MemoryStore, uid: str, voxels: NDArray[np.float32] | None, days: float, view: str = "PA"
) -> ImagingStudy:
    """A study taken `days` before the index; None makes one that cannot be opened."""
    if voxels is not None:
        store.voxels[uid] = voxels
    return ImagingStudy(
        INDEX - timedelta(days=days), uid, (Series(f"{uid}.1", "DX", view),), f"ImagingStudy/{uid}", store
    )


def case(patient: str, *studies: ImagingStudy) -> Case:
    """A case with these studies, oldest first."""
    ordered = tuple(sorted(studies, key=lambda each: each.time))
    return Case(PatientRecord(patient, studies=ordered), INDEX)


def cohort(patients: int, seed: int = 0) -> tuple[list[Case], Target, NDArray[np.int64], MemoryStore]:
    """Cases with two films each, in which a larger spot means an earlier event; folds; the store."""
    random = np.random.default_rng(seed)
    store, cases = MemoryStore(), []
    spots = random.uniform(0.0, 5.0, patients)
    for row, spot in enumerate(spots):
        now = study(store, f"p{row}.1", film(spot, 2 * row), 1.0)
        before = study(store, f"p{row}.0", film(spot / 2, 2 * row + 1), 11.0)
        cases.append(case(f"p{row}", before, now))
    days = random.exponential(100.0 * np.exp(-0.6 * spots)) + 0.1
    cause = np.where(random.random(patients) < 0.2, 0, 1 + (random.random(patients) < 0.3)).astype(np.int64)
    target = Target(
        ("progression", "death"), cause, days, np.array([0.0, 50.0, float(days.max()) + 1.0]), True
    )
    return cases, target, np.arange(patients, dtype=np.int64) % 2, store
