"""What a film's header says that it is, beside what the training films' headers said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prognosis.record import ImagingStudy, Series, Volume

# fmt: off
OTHER_IMAGES = frozenset((
    "CT", "MR", "US", "NM", "PT", "MG", "IO", "PX", "XA", "ES", "GM", "SM", "OP", "OPT", "OCT", "BMD",
    "IVUS", "ECG", "SEG", "RTDOSE",
))
"""DICOM modalities (PS3.3 C.7.3.1.1.1) that are no plain film. Of OT, SC and none, the pixels must tell."""

CHEST = ("CHEST", "THORAX", "LUNG", "RIB", "HEART", "TSPINE")
"""Words in BodyPartExamined under which a chest film is filed."""

OTHER_PARTS = frozenset((
    "ABDOMEN", "ANKLE", "ARM", "BREAST", "BRAIN", "CALCANEUS", "CLAVICLE", "COCCYX", "CSPINE", "ELBOW",
    "EXTREMITY", "EYE", "FACE", "FINGER", "FOOT", "FOREARM", "HAND", "HEAD", "HIP", "HUMERUS", "JAW",
    "KIDNEY", "KNEE", "LEG", "LIVER", "LSPINE", "MANDIBLE", "MAXILLA", "NECK", "ORBIT", "PATELLA", "PELVIS",
    "SACRUM", "SHOULDER", "SINUS", "SKULL", "SPINE", "STERNUM", "THIGH", "THUMB", "TOE", "TOOTH",
    "UPPERARM", "WRIST", "ZYGOMA",
))
# fmt: on
"""Defined terms of BodyPartExamined (PS3.16 annex L) under which no chest film is filed."""


@dataclass(frozen=True, slots=True)
class TrainingKinds:
    """What the headers of the training films said, without repetition; "" where one said nothing.

    Attributes:
        modalities: DICOM modalities.
        body_parts: Body parts, "CHEST" for all of its names.
    """

    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, series: Iterable[Series]) -> TrainingKinds:
        """Of the training films' series."""
        known = list(series)
        modalities = {each.modality.upper() for each in known}
        parts = {body_part(each.body_part) for each in known}
        return cls(tuple(sorted(modalities)), tuple(sorted(parts)))

    def refusal(self, series: Series) -> str:
        """Why a film with this header is not one of their kind; "" where the header does not say so."""
        modality, part = series.modality.upper(), body_part(series.body_part)
        if modality in OTHER_IMAGES and modality not in self.modalities:
            return f"its header says modality {modality}; the model was trained on {_named(self.modalities)}"
        if part in OTHER_PARTS and part not in self.body_parts and any(self.body_parts):
            return f"its header says body part {part}; the model was trained on {_named(self.body_parts)}"
        return ""

    def cautions(self, series: Series) -> tuple[str, ...]:
        """What is doubtful in a header that does not refuse: a body part of no name that is known."""
        part = body_part(series.body_part)
        if not part or part in self.body_parts or not any(self.body_parts):
            return ()
        return (f"its header says a body part that is not {_named(self.body_parts)}",)


def body_part(stated: str) -> str:
    """A body part in capitals without blanks, "CHEST" for every name of the chest."""
    part = "".join(stated.upper().split())
    return "CHEST" if any(word in part for word in CHEST) else part


def series_of(study: ImagingStudy, volume: Volume) -> Series:
    """The series that a volume was opened from; what the volume itself says where the study lists none."""
    uid = volume.source.rpartition("#")[2]
    listed = [each for each in study.series if each.series_uid == uid]
    if not listed and len(study.series) == 1:
        listed = list(study.series)
    return listed[0] if listed else Series(uid, volume.modality, volume.view)


def _named(values: tuple[str, ...]) -> str:
    return " and ".join(value or "none stated" for value in values) or "none"
