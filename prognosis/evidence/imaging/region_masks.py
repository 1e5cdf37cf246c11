"""Where on a study's own pixels or voxels each region lies of which evidence is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence.imaging.films import gather_films
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.outline import outline_films


@dataclass(frozen=True, slots=True)
class RegionMasks:
    """Of the latest film or volume of a case.

    Attributes:
        source: "ImagingStudy/<uid>".
        time: ISO 8601.
        masks: Region to True where it lies, on the grid of the study's own array; a zone that an outlined
            film does not show has the whole film, over which its evidence is spread.
    """

    source: str
    time: str
    masks: Mapping[str, NDArray[np.bool_]]


def region_masks(model: ImagingEvidence, case: Case) -> RegionMasks | None:
    """The masks of every region of the image that a case's imaging tokens cite; None without one.

    A pixel on the border of two regions belongs to the one that holds the larger part of it. Where an encoder
    was trained or runs over the whole image, what a region's evidence rests on reaches beyond its mask: the
    network's receptive field.
    """
    table = outline_films(gather_films([case], model.config, gate=model.gate), model.segmenter)
    if not table.present[0]:
        return None
    film = table.films[int(table.latest[0])]
    layout = model.config.layout
    masks = {}
    for place, name in enumerate(layout.names):
        one = np.zeros(len(layout.names))
        one[place] = 1.0
        spread = film.in_own_order(film.spread_regions(one, layout))
        masks[name] = np.asarray(spread >= 0.5 * spread.max())
    return RegionMasks(film.source, film.time.isoformat(), masks)
