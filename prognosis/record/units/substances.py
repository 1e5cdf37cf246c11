"""What a mole of a laboratory's analyte weighs, and its charge, by LOINC code.

The code says what was weighed: of urea nitrogen (LOINC 3094-0) it is the two atoms of nitrogen of a urea, of
urea (3091-6) the whole molecule. Masses are sums over the formula of the abridged standard atomic weights
(IUPAC, Prohaska et al., Pure Appl. Chem. 94, 2022); triglycerides are counted as triolein and haemoglobin by
its subunit with one haem (16,114 g/mol), as clinical laboratories convert them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

LOINC = "http://loinc.org"


@dataclass(frozen=True, slots=True)
class Substance:
    """What is counted.

    Attributes:
        name: In words.
        grams_per_mole: Of what the code's mass is a mass of; None where it is reported in no mass.
        charge: Elementary charges of an ion, so many equivalents in a mole; None where it is no ion.
        formula: What is weighed; "" where the mass is a convention.
    """

    name: str
    grams_per_mole: float | None
    charge: int | None = None
    formula: str = ""


_SUBSTANCES: Mapping[Substance, str] = {
    Substance("creatinine", 113.120, formula="C4H7N3O"): "2160-0 14682-9 38483-4",
    Substance("glucose", 180.156, formula="C6H12O6"): "2345-7 14749-6 2339-0 15074-8",
    Substance("urea nitrogen", 28.014, formula="N2"): "3094-0 6299-2 14937-7",
    Substance("urea", 60.056, formula="CH4N2O"): "3091-6 22664-7",
    Substance("cholesterol", 386.664, formula="C27H46O"): (
        "2093-3 14647-2 2085-9 14646-4 13457-7 18262-6 39469-2 22748-8"
    ),
    Substance("triglyceride, as triolein", 885.453, formula="C57H104O6"): "2571-8 14927-8",
    Substance("bilirubin", 584.673, formula="C33H36N4O6"): "1975-2 14631-6 1968-7 14629-0",
    Substance("urate", 168.112, formula="C5H4N4O3"): "3084-1 14933-6",
    Substance("lactate, as lactic acid", 90.078, formula="C3H6O3"): "2524-7 32693-4 14118-4",
    Substance("calcium", 40.078, 2, "Ca"): "17861-6 2000-8 1994-3 1995-0",
    Substance("magnesium", 24.305, 2, "Mg"): "19123-9 2601-3",
    Substance("sodium", 22.990, 1, "Na"): "2951-2 2947-0",
    Substance("potassium", 39.098, 1, "K"): "2823-3 6298-4",
    Substance("chloride", 35.45, 1, "Cl"): "2075-0 2069-3",
    Substance("bicarbonate", None, 1): "1963-8 2028-9",
    Substance("phosphate, as phosphorus", 30.974, formula="P"): "2777-1 14879-1",
    Substance("iron", 55.845, formula="Fe"): "2498-4 14798-3",
    Substance("haemoglobin, by subunit", 16114.0): "718-7 59260-0",
}
SUBSTANCES: Mapping[str, Substance] = MappingProxyType(
    {f"{LOINC}|{code}": substance for substance, codes in _SUBSTANCES.items() for code in codes.split()}
)
"""Substances by "system|value"; one that is not here is never converted between mass and amount."""


def substance_of(code: str) -> Substance | None:
    """What a code measures; None where it is not known, and never guessed from a name."""
    return SUBSTANCES.get(code)
