"""The regions that a model's evidence is told for, as a segmentation of the images that it read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import ScopeError
from prognosis.evidence.segmentation.measurements import Part
from prognosis.evidence.segmentation.zones import ZONES
from prognosis.outputs.dicom_codes import StructureTerms, region_terms, structure_terms
from prognosis.record import Segmentation, Volume

MOST_REGIONS = 254


def region_segmentation(places: NDArray[np.uint16], names: Sequence[str], volume: Volume) -> Segmentation:
    """The regions on the grid of the volume that was read.

    Args:
        places: (rows, columns) or (z, y, x) the place in `names` of each pixel's region.
        names: Of the regions.
        volume: What was read.

    Raises:
        ScopeError: There are more regions than a segmentation holds.
    """
    if len(names) > MOST_REGIONS:
        raise ScopeError(
            f"{len(names)} regions", "are more than a segmentation holds", f"use at most {MOST_REGIONS}"
        )
    labels = (places.reshape(volume.voxels.shape) + 1).astype(np.uint8)
    return Segmentation(labels, tuple(names), volume.affine, volume.source, volume.spacing_known)


def region_parts(segmentation: Segmentation) -> tuple[Part, ...]:
    """Each region that the image shows, whole: unlike a lesion's, its pieces are one thing."""
    parts = []
    for place, name in enumerate(segmentation.structures, start=1):
        inside = segmentation.labels == place
        if not inside.any():
            continue
        box = [np.flatnonzero(inside.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
        z, y, x = (slice(int(along[0]), int(along[-1]) + 1) for along in box)
        parts.append(Part(name, 1, 1, inside[z, y, x], (z.start, y.start, x.start)))
    return tuple(parts)


def terms_of_regions(*, outlined: bool) -> Callable[[str], StructureTerms]:
    """How regions are coded: zones of lungs that were outlined as what they are, anything else as a place.

    Args:
        outlined: Whether the zones follow the lungs' outline on these images.
    """

    def terms_of(region: str) -> StructureTerms:
        return structure_terms(region) if outlined and region in ZONES else region_terms(region)

    return terms_of
