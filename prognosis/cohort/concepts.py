"""Concepts that gather codes: "C reactive protein" is several LOINC codes in several units, and one feature.

A task names files of concepts in `code_lists`; what they hold becomes part of the task, so that a model
folder says by itself which codes it reads as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError, field_validator

from prognosis.cohort.outcome import Strict, Text
from prognosis.cohort.statement import read_yaml, refusal
from prognosis.errors import TaskError
from prognosis.record.codes import CodeTable, overlap
from prognosis.record.units import Refusal, UnitChange, is_ucum, substance_of, unit_change

CONCEPT = "concept"
"""The system of a concept's own code: "concept|c-reactive-protein"."""

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10")

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_Loinc = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,7}-[0-9]$")]
_Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")]
_Icd10 = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?\*?$")]
_Full = Annotated[str, StringConstraints(pattern=r"^.+\|[^|*]+$")]


class CodedConcept(Strict):
    """The codes of one concept, and the unit in which its numbers are read.

    Attributes:
        label: A name for people.
        unit: UCUM; "" for what is only present or not: a number filed under one of its codes (a dose) is then
            not read.
        other_units: By which factor a number in a unit that cannot be converted otherwise is multiplied.
        loinc: LOINC codes.
        snomed: SNOMED CT codes.
        rxnorm: RxNorm codes.
        icd10: ICD-10 and ICD-10-CM codes; one that ends in * stands for all that begin so.
        codes: Codes of other systems, "system|value".
    """

    label: Text
    unit: str = ""
    other_units: dict[str, Annotated[float, Field(gt=0.0, allow_inf_nan=False)]] = Field(default_factory=dict)
    loinc: tuple[_Loinc, ...] = ()
    snomed: tuple[_Digits, ...] = ()
    rxnorm: tuple[_Digits, ...] = ()
    icd10: tuple[_Icd10, ...] = ()
    codes: tuple[_Full, ...] = ()

    @property
    def every_code(self) -> tuple[str, ...]:
        """Its codes as "system|value", each once."""
        found = [f"{LOINC}|{each}" for each in self.loinc]
        found += [f"{SNOMED}|{each}" for each in self.snomed]
        found += [f"{RXNORM}|{each}" for each in self.rxnorm]
        found += [f"{system}|{each}" for each in self.icd10 for system in ICD10]
        return tuple(dict.fromkeys((*found, *self.codes)))

    def change(self, unit: str | None, code: str) -> UnitChange | Refusal:
        """How a number of one of its codes becomes one in its unit."""
        if unit in self.other_units:
            return UnitChange(self.other_units[unit])
        return unit_change(unit, self.unit, code)

    @field_validator("other_units")
    @classmethod
    def _has_no_own(cls, units: dict[str, float]) -> dict[str, float]:
        if "" in units:
            message = "a number without a unit has no factor"
            raise ValueError(message)
        return units


Concepts = dict[_Name, CodedConcept]


class CodeList(Strict):
    """A file of concepts."""

    concepts: Annotated[Concepts, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The concept that a code belongs to."""

    name: str
    concept: CodedConcept

    @property
    def code(self) -> str:
        """Its own code, "concept|NAME"."""
        return f"{CONCEPT}|{self.name}"


def gathering(concepts: Mapping[str, CodedConcept]) -> CodeTable[Gathered]:
    """Code, "system|value", to the concept that it belongs to."""
    pairs = ((code, Gathered(name, own)) for name, own in concepts.items() for code in own.every_code)
    return CodeTable(tuple(pairs))


def problem_of(concepts: Mapping[str, CodedConcept]) -> str:
    """What is wrong with concepts beside each other, a code of two of them or none at all; "" for nothing."""
    for name, own in concepts.items():
        if not own.every_code:
            return f"the concept {name} has no code"
    twice = overlap([code for own in concepts.values() for code in own.every_code])
    if twice is None:
        return ""
    code, stands_for = twice
    holders = [name for name, own in concepts.items() if {code, stands_for} & set(own.every_code)]
    return f"the code {code} is listed twice, in {' and in '.join(holders)}"


def load_code_list(path: Path) -> Mapping[str, CodedConcept]:
    """Read a file of concepts.

    Raises:
        TaskError: It cannot be read, states something else, holds a code twice or a unit that is not UCUM, or
            asks for a mass of what its codes weigh differently.
    """
    stated = read_yaml(path, TaskError, "a code list")
    try:
        concepts = CodeList.model_validate(stated).concepts
    except ValidationError as error:
        remedy = "see configs/codes for complete examples"
        raise refusal(CodeList, error, str(path), TaskError, remedy) from error
    problem = problem_of(concepts) or next(_wrong_units(concepts), "")
    if problem:
        raise TaskError(str(path), problem, "mend the code list")
    return concepts


def _wrong_units(concepts: Mapping[str, CodedConcept]) -> Iterator[str]:
    for name, own in concepts.items():
        if own.unit and not is_ucum(own.unit):
            yield f"the unit of {name} is not UCUM"
        if own.other_units and not own.unit:
            yield f"{name} has other_units and no unit"
        weighed = {substance_of(code) for code in own.every_code} - {None}
        by_mass = any(isinstance(unit_change("g/L", own.unit, code), UnitChange) for code in own.every_code)
        in_mass = own.unit and isinstance(unit_change("g/L", own.unit), UnitChange)
        if len(weighed) > 1 and by_mass and in_mass:
            yield f"the codes of {name} weigh different substances: give its unit in moles"


_CODE_FIELDS = frozenset(
    {
        *("codes", "visit_codes", "start_codes", "end_codes", "unknown_codes", "exclude_codes"),
        *("node_codes", "new_lesion_codes", "death_codes", "depends_on"),
    }
)


def with_code_lists(stated: object, path: Path) -> object:
    """A task's statement with the concepts of its `code_lists`, and their codes where it names a concept.

    Args:
        stated: A task as parsed.
        path: Of its file; `code_lists` are named from the folder that it is in.

    Raises:
        TaskError: A list cannot be read, two of them hold one concept, or the task names one that none has.
    """
    if not isinstance(stated, dict):
        return stated
    names = stated.get("code_lists") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TaskError(str(path), "code_lists is not a list of files", "give paths from the task's folder")
    own_concepts = stated.get("concepts") or {}
    if not isinstance(own_concepts, dict):
        raise TaskError(str(path), "concepts is not a mapping of concepts", "see configs/codes")
    concepts: dict[str, Any] = dict(own_concepts)
    for name in names:
        for concept, own in load_code_list(path.parent / name).items():
            if concept in concepts:
                raise TaskError(str(path), f"two code lists hold {concept}", "keep one of the two")
            concepts[concept] = own.model_dump(exclude_defaults=True, mode="json")
    kept = {key: value for key, value in stated.items() if key not in ("code_lists", "concepts")}
    codes = {f"{CONCEPT}|{name}": _checked(own, name, path).every_code for name, own in concepts.items()}
    return {**_named(kept, codes, str(path)), **({"concepts": concepts} if concepts else {})}


def _checked(own: object, name: str, path: Path) -> CodedConcept:
    try:
        return CodedConcept.model_validate(own)
    except ValidationError as error:
        reference = f"{path}, concepts.{name}"
        raise refusal(CodedConcept, error, reference, TaskError, "see configs/codes") from error


def _named(stated: dict[str, Any], codes: Mapping[str, Sequence[str]], reference: str) -> dict[str, Any]:
    """The statement with each concept replaced by its codes, in the fields that list codes."""
    changed: dict[str, Any] = {}
    for key, value in stated.items():
        if key == "causes" and isinstance(value, dict):
            changed[key] = {name: _codes(own, codes, reference) for name, own in value.items()}
        elif key in _CODE_FIELDS:
            changed[key] = _codes(value, codes, reference)
        elif isinstance(value, dict):
            changed[key] = _named(value, codes, reference)
        elif isinstance(value, str) or key in ("subgroup_codes", "strata"):
            changed[key] = _no_concept(value, key, reference)
        elif isinstance(value, list):
            changed[key] = [
                _named(each, codes, reference) if isinstance(each, dict) else each for each in value
            ]
        else:
            changed[key] = value
    return changed


def _no_concept(value: object, key: str, reference: str) -> object:
    """The value of a field that names one code or each by itself; refused where it names a concept."""
    if any(str(each).startswith(f"{CONCEPT}|") for each in (value if isinstance(value, list) else [value])):
        raise TaskError(reference, f"names a concept in {key}, which asks for codes", "give the code itself")
    return value


def _codes(value: object, codes: Mapping[str, Sequence[str]], reference: str) -> object:
    if not isinstance(value, list):
        return value
    found: list[object] = []
    for each in value:
        if isinstance(each, str) and each.startswith(f"{CONCEPT}|"):
            if each not in codes:
                problem = f"names {each}, which none of its code lists holds"
                raise TaskError(reference, problem, "add the list, or mend the name")
            found += codes[each]
        else:
            found.append(each)
    return found
