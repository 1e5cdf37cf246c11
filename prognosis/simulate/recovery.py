"""Whether what an explanation cites is what the hazard was planted in."""

from __future__ import annotations

from collections.abc import Sequence

from prognosis.record import PatientRecord
from prognosis.simulate.film import LEVELS, SIDES
from prognosis.simulate.oracle import PlantedCause

_SHORTEST_QUOTE = 12


def planted_cause_of(
    modality: str, source: str, cited: str, record: PatientRecord, causes: Sequence[PlantedCause]
) -> PlantedCause | None:
    """The planted cause that a token cites, if it cites one.

    A laboratory value, code or diagnosis counts by its code, whichever of its occurrences is cited; a
    sentence counts only in the index visit's note, where it is stated as holding; a region counts on the
    latest film only, in the zone it names.

    Args:
        modality: "clinical", "text" or "imaging".
        source: The token's source, e.g. "Observation/a-crp-2", "DocumentReference/n#3",
            "ImagingStudy/<uid>#left lower".
        cited: The token's name and detail, which hold the sentence or the zone.
        record: The patient's record, to find the code of a cited event.
        causes: The patient's planted causes, from `Oracle.planted`.

    Returns:
        The cause, or None when nothing was planted there.
    """
    resource, _, fragment = source.partition("#")
    for cause in causes:
        if cause.modality != modality:
            continue
        if modality == "clinical":
            codes = {str(event.code) for event in record.events if event.source == resource}
            found = cause.source in codes or cause.source in cited
        elif modality == "text":
            found = cause.source == resource and _quotes(cited, cause.place)
        else:
            found = cause.source == resource and _zone(cause.place) == _zone(f"{fragment} {cited}")
        if found:
            return cause
    return None


def _quotes(cited: str, sentence: str) -> bool:
    """Whether a citation holds a sentence; splitters differ about the full stop and the case."""
    wanted = _plain(sentence)
    held = _plain(cited)
    return wanted in held or (len(held) >= _SHORTEST_QUOTE and held in wanted)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace(".", " ").split())


def _zone(text: str) -> tuple[str, str] | None:
    """The first side and level that a text names."""
    words = text.lower().replace("-", " ").replace("_", " ").split()
    side = next((word for word in words if word in SIDES), None)
    level = next((word for word in words if word in LEVELS), None)
    return (side, level) if side and level else None
