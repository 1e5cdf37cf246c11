"""Drawn films and volumes whose structures are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Task
from prognosis.record import Segmentation, Volume

STRUCTURES = ("right lung", "left lung")


def lungs_task() -> Task:
    return Task.from_statement(
        {
            "name": "lungs",
            "question": "Where are the lungs?",
            "index": {"at": "study", "occurrence": "each", "views": ["AP", "PA"]},
            "outcome": {"kind": "mask", "structures": list(STRUCTURES)},
        },
        "lungs.yaml",
    )


def drawn_lungs(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(rows, columns) 0, 1 in the patient's right lung (on the image's left), 2 in the left."""
    down, across = np.indices((rows, columns)) / np.array([rows, columns])[:, None, None]
    middle, half = 0.5 + rng.uniform(-0.05, 0.05, 2), rng.uniform(0.25, 0.32)
    labels = np.zeros((rows, columns), dtype=np.uint8)
    for label, place in ((1, middle[1] - 0.22), (2, middle[1] + 0.22)):
        inside = ((down - middle[0]) / half) ** 2 + ((across - place) / 0.14) ** 2 <= 1.0
        labels[inside] = label
    return labels


def film_of(labels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """A film on which lung is dark, in grey values of its own scale."""
    brightness = np.where(labels > 0, 60.0, 160.0) + rng.normal(0.0, 12.0, labels.shape)
    return (brightness * rng.uniform(0.7, 1.3)).astype(np.float32)


def marked_film(seed: int, rows: int = 40, columns: int = 48) -> tuple[Volume, Segmentation]:
    rng = np.random.default_rng(seed)
    labels = drawn_lungs(rows, columns, rng)
    volume = Volume(film_of(labels, rng)[None], np.eye(4), f"film {seed}", "DX", "PA", spacing_known=False)
    return volume, Segmentation(labels[None], STRUCTURES, np.eye(4), volume.source, spacing_known=False)


def marked_ball() -> tuple[Volume, Segmentation]:
    """A bright ball of 9 mm in a volume whose slices are 2 mm apart."""
    spacing = np.array([2.0, 1.0, 1.0])
    place = np.indices((16, 36, 36)) * spacing[:, None, None, None]
    inside = ((place - np.array([16.0, 20.0, 14.0])[:, None, None, None]) ** 2).sum(axis=0) <= 81.0
    noise = np.random.default_rng(0).normal(0.0, 40.0, inside.shape)
    voxels = (np.where(inside, 60.0, -700.0) + noise).astype(np.float32)
    affine = np.diag([*spacing[::-1], 1.0])
    volume = Volume(voxels, affine, "CT", "CT")
    return volume, Segmentation(inside.astype(np.uint8), ("lesion",), affine, "CT")
