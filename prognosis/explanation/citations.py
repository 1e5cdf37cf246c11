"""What an attribution cites, found again: the event, the sentence's characters, the region of the image."""

from __future__ import annotations

from typing import Literal

from prognosis.cohort import Case
from prognosis.evidence.imaging.region_masks import RegionMasks
from prognosis.explanation.explanation import Attribution

Citation = Literal["found", "nothing to cite", "not found"]


def citation(attribution: Attribution, case: Case, regions: RegionMasks | None) -> Citation:
    """Whether what an attribution cites is in the record that was known at the index, and says what it says.

    A fact that is not recorded has nothing to cite. A sentence must be its span of the note's text, but for
    white space; a region must have a place on the image.

    Args:
        attribution: Of an explanation of the case.
        case: As known at its index.
        regions: `region_masks` of the case; None where it has no image that is read.
    """
    if not attribution.source:
        return "nothing to cite"
    found = {"clinical": _event, "text": _sentence}
    if attribution.modality in found:
        return "found" if found[attribution.modality](attribution, case) else "not found"
    return "found" if regions is not None and _region(attribution, regions) else "not found"


def _event(attribution: Attribution, case: Case) -> bool:
    if attribution.source == f"Patient/{case.record.patient_id}":
        return True
    return any(
        event.source == attribution.source and attribution.time in {"", event.time.isoformat()}
        for event in case.record.events
        if event.time <= case.index_time
    )


def _region(attribution: Attribution, regions: RegionMasks) -> bool:
    source, _, region = attribution.source.partition("#")
    mask = regions.masks.get(region)
    same = (source, attribution.time) == (regions.source, regions.time)
    return same and mask is not None and bool(mask.any())


def _sentence(attribution: Attribution, case: Case) -> bool:
    if attribution.span is None:
        return False
    source = attribution.source.rpartition("#")[0]
    first, last = attribution.span
    wanted = attribution.detail.split()
    return any(
        note.source == source
        and note.time.isoformat() == attribution.time
        and note.text[first:last].split() == wanted
        for note in case.record.notes
    )
