"""What the mapping reads of each resource type: what may differ from line to line, and what is compared.

Every other element may hold anything that JSON allows, which is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SKIPPED, COMPARED, NAME, ABOUT, DATE, NUMBER = range(6)
"""Roles of a value: not read; read, and the same in all lines of one meaning; the resource's id; its patient;
a date; a number."""


@dataclass(frozen=True, slots=True)
class Elements:
    """Paths of one type's elements, without the places in arrays ("code.coding.system").

    Attributes:
        dates: Read as moments.
        numbers: Read as numbers.
        compared: Read otherwise; one that ends with "." stands for everything below it.
    """

    dates: frozenset[str]
    numbers: frozenset[str]
    compared: tuple[str, ...]

    def role(self, path: str) -> int:
        """What the mapping does with the value at a path."""
        if path == "id":
            return NAME
        if path == "subject.reference":
            return ABOUT
        if path in self.dates:
            return DATE
        if path in self.numbers:
            return NUMBER
        read = any(path == each or (each.endswith(".") and path.startswith(each)) for each in self.compared)
        return COMPARED if read else SKIPPED


def _concept(at: str) -> tuple[str, ...]:
    return tuple(f"{at}.coding.{name}" for name in ("system", "code", "display"))


def _quantity(at: str) -> tuple[str, ...]:
    return (*(f"{at}.{name}" for name in ("comparator", "unit", "system", "code")), f"{at}._unit.")


def _valued(at: str) -> tuple[str, ...]:
    """The elements of an Observation or a component of one."""
    texts = ("valueString", "valueDateTime", "valueTime")
    return (
        *_concept(f"{at}code"),
        *_quantity(f"{at}valueQuantity"),
        *_concept(f"{at}valueCodeableConcept"),
        f"{at}valueCodeableConcept.text",
        *(f"{at}{name}" for name in texts),
        f"{at}extension.",
    )


def _when(stem: str) -> frozenset[str]:
    names = ("DateTime", "Instant", "Period.start", "Period.end")
    return frozenset(f"{stem}{name}" for name in names)


_ANSWER = "identifier.system"
_DRUG = (*_concept("medicationCodeableConcept"), "medicationReference.reference", "contained.")
_NO_NUMBERS: frozenset[str] = frozenset()

ELEMENTS: Mapping[str, Elements] = {
    "Observation": Elements(
        _when("effective") | {"issued"},
        frozenset(
            f"{at}{name}" for at in ("", "component.") for name in ("valueQuantity.value", "valueInteger")
        ),
        ("status", _ANSWER, *_valued(""), *_valued("component.")),
    ),
    "Condition": Elements(
        _when("onset") | {"recordedDate"},
        _NO_NUMBERS,
        ("verificationStatus.coding.code", _ANSWER, *_concept("code")),
    ),
    "Encounter": Elements(
        frozenset({"period.start", "period.end"}),
        _NO_NUMBERS,
        ("status", _ANSWER, "class.code", "class.display", *_concept("type"), "extension."),
    ),
    "Procedure": Elements(_when("performed"), _NO_NUMBERS, ("status", _ANSWER, *_concept("code"))),
    "MedicationRequest": Elements(
        frozenset({"authoredOn"}), _NO_NUMBERS, ("status", "intent", _ANSWER, *_DRUG)
    ),
    "MedicationAdministration": Elements(
        _when("effective"),
        frozenset({"dosage.dose.value"}),
        ("status", _ANSWER, *_DRUG, *_quantity("dosage.dose")),
    ),
    "Patient": Elements(
        frozenset({"birthDate", "deceasedDateTime"}),
        _NO_NUMBERS,
        ("gender", "managingOrganization.reference", "managingOrganization.display", _ANSWER, "link."),
    ),
}
"""By resource type; a type that is not here is read by the mapping, one resource at a time."""
