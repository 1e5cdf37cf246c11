"""What a structure's name means in DICOM's coded terms: category, type, side and site (SNOMED CT)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prognosis.errors import ScopeError

if TYPE_CHECKING:
    from pydicom.sr.coding import Code


@dataclass(frozen=True, slots=True)
class Term:
    """One concept of SNOMED CT as DICOM's context groups give it: its code and its meaning."""

    value: str
    meaning: str

    def coded(self) -> Code:
        """The term for pydicom and highdicom."""
        from pydicom.sr.coding import Code

        return Code(self.value, "SCT", self.meaning)


@dataclass(frozen=True, slots=True)
class StructureTerms:
    """How a structure is coded.

    Attributes:
        category: Of CID 7150: an anatomical structure or a morphologically abnormal one.
        type: What it is.
        side: Its laterality (CID 244), None where it has none or the name does not say.
        site: Where a finding lies; None where the name does not say.
    """

    category: Term
    type: Term
    side: Term | None = None
    site: Term | None = None


ANATOMY = Term("91723000", "Anatomical Structure")
ABNORMAL = Term("49755003", "Morphologically Abnormal Structure")
RIGHT, LEFT = Term("24028007", "Right"), Term("7771000", "Left")
LUNG = Term("39607008", "Lung")
ZONES = {
    "upper": Term("281392002", "Upper zone of lung"),
    "middle": Term("281393007", "Middle zone of lung"),
    "lower": Term("281394001", "Lower zone of lung"),
}
FINDINGS = {
    "lesion": Term("52988006", "Lesion"),
    "nodule": Term("27925004", "Nodule"),
    "neoplasm": Term("108369006", "Neoplasm"),
}
SITES = {
    "lung": LUNG,
    "brain": Term("12738006", "Brain"),
    "breast": Term("76752008", "Breast"),
    "liver": Term("10200004", "Liver"),
}

STRUCTURES: dict[str, StructureTerms] = {
    "lungs": StructureTerms(ANATOMY, LUNG, site=LUNG),
    "right lung": StructureTerms(ANATOMY, LUNG, RIGHT, LUNG),
    "left lung": StructureTerms(ANATOMY, LUNG, LEFT, LUNG),
    **{
        f"{name} {level} zone": StructureTerms(ANATOMY, zone, side, zone)
        for level, zone in ZONES.items()
        for name, side in (("right", RIGHT), ("left", LEFT))
    },
    **{name: StructureTerms(ABNORMAL, finding) for name, finding in FINDINGS.items()},
    **{
        f"{place} {name}": StructureTerms(ABNORMAL, finding, site=site)
        for place, site in SITES.items()
        for name, finding in FINDINGS.items()
    },
}


def structure_terms(structure: str) -> StructureTerms:
    """The coded terms of a structure.

    Raises:
        ScopeError: No code is known for the name; none is guessed.
    """
    terms = STRUCTURES.get(structure)
    if terms is None:
        raise ScopeError(
            f"structure {structure!r}",
            "has no code, so no archive would know what it is",
            f"name the model's structures as one of: {', '.join(STRUCTURES)}",
        )
    return terms
