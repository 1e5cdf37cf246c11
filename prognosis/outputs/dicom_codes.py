"""What a structure's name means in DICOM's coded terms: category, type, side and site (SNOMED CT)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prognosis.errors import ScopeError

if TYPE_CHECKING:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem
    from pydicom.sr.coding import Code


@dataclass(frozen=True, slots=True)
class Term:
    """One concept as DICOM's context groups give it: its code and its meaning, of SNOMED CT or of our own."""

    value: str
    meaning: str
    scheme: str = "SCT"

    def coded(self) -> Code:
        """The term for pydicom and highdicom."""
        from pydicom.sr.coding import Code

        return Code(self.value, self.scheme, self.meaning)


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


OWN_SCHEME = "99PROGNOSIS"
"""Designator of codes that no standard has (PS3.3 section 8.2: such begin with 99)."""

MEANING_LENGTH = 64
RELATIONAL = Term("309825002", "Spatial and Relational Concept")
IMAGE_REGION = Term("image-region", "Region of the image", OWN_SCHEME)
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


def region_terms(region: str) -> StructureTerms:
    """The coded terms of a place on the image that is no anatomy, whatever its name: a third of the film."""
    return StructureTerms(RELATIONAL, IMAGE_REGION)


def own_term(kind: str, meaning: str) -> Term:
    """A concept that no standard has a code for, always under the same code for the same meaning.

    Args:
        kind: A few letters that begin the code: "risk", "share".
        meaning: What it says, cut to what a code's meaning may hold.
    """
    digest = hashlib.sha256(meaning.encode()).hexdigest()[: 15 - len(kind)]
    return Term(f"{kind}-{digest}", meaning[:MEANING_LENGTH], OWN_SCHEME)


def own_scheme() -> CodingSchemeIdentificationItem:
    """Whose codes those of our own are (PS3.3 C.12.1.1.7)."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return CodingSchemeIdentificationItem(
        designator=OWN_SCHEME, name="Codes of prognosis", responsible_organization="prognosis"
    )
