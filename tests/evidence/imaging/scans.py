"""A tiny cohort of CT volumes whose truth is one nodule: its size decides the hazard."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, SurvivalLabel
from prognosis.record import ImagingStudy, PatientRecord, Series, Volume
from tests.evidence.imaging.chests import INDEX

SHAPE = (16, 24, 24)
SPACING_MM = (3.0, 2.0, 2.0)


@dataclass
class VolumeStore:
    """An image store that holds its volumes in memory."""

    held: dict[str, tuple[Volume, ...]] = field(default_factory=dict)

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        return self.held[study.study_uid]


def affine(spacing_mm: tuple[float, float, float] = SPACING_MM) -> NDArray[np.float64]:
    """An axial volume: x to the left, y to the back, z to the head; spacing along z, y, x."""
    return np.diag([spacing_mm[2], spacing_mm[1], spacing_mm[0], 1.0])


def voxels(radius_mm: float, seed: int) -> NDArray[np.float32]:
    """(z, y, x) Hounsfield units: lung within a body, and a nodule low in the patient's right lung."""
    random = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.arange(side) + 0.5 for side in SHAPE), indexing="ij")
    hounsfield = np.where(np.hypot(y - 12.0, x - 12.0) < 11.0, -800.0, -1000.0)
    hounsfield += 20.0 * random.standard_normal(SHAPE)
    centre = (4.0, 12.0, 7.0)  # z runs to the head, x to the patient's left
    offsets = zip((z, y, x), centre, SPACING_MM, strict=True)
    distance = np.sqrt(sum(((axis - at) * by) ** 2 for axis, at, by in offsets))
    return np.where(distance < radius_mm, 40.0, hounsfield).astype(np.float32)


def scan(
    store: VolumeStore, patient: str, array: NDArray[np.float32], modality: str = "CT", days: float = 1.0
) -> Case:
    """A case with one volume (or film) taken `days` before the index."""
    uid = f"{patient}.{len(store.held)}"
    store.held[uid] = (Volume(array, affine(), f"ImagingStudy/{uid}#1", modality),)
    study = ImagingStudy(
        INDEX - timedelta(days=days), uid, (Series(f"{uid}.1", modality),), f"ImagingStudy/{uid}", store
    )
    return Case(PatientRecord(patient, studies=(study,)), INDEX)


def cohort(patients: int, seed: int = 0) -> tuple[list[Case], NDArray[np.float64], VolumeStore]:
    """Labelled cases, their nodules' radii in mm (none in half of them), and the store."""
    random = np.random.default_rng(seed)
    radii = np.where(random.random(patients) < 0.5, 0.0, random.uniform(4.0, 9.0, patients))
    store, cases = VolumeStore(), []
    for row, radius in enumerate(radii):
        one = scan(store, f"p{row}", voxels(float(radius), row))
        days = float(random.exponential(200.0 * np.exp(-0.4 * radius)) + 0.5)
        label = SurvivalLabel("progression" if days < 300.0 else None, min(days, 300.0))
        cases.append(Case(one.record, one.index_time, label))
    return cases, radii, store
