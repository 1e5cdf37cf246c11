"""Spellings of units that senders use instead of UCUM's, each written down here or not accepted.

UCUM knows other meanings of a few of them ("K/uL" is kelvins in a microlitre, "G/L" gauss in a litre); no
laboratory measures those, so that the spelling is read as what it stands for wherever it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_SPELLINGS = {
    "mg/dL": ("mg/dl", "mg/100mL", "mg/100 mL", "MG/DL", "mg/Dl"),
    "g/dL": ("g/dl", "gm/dL", "gm/dl", "G/DL", "g/100mL"),
    "g/L": ("g/l", "gm/L"),
    "mg/L": ("mg/l", "MG/L"),
    "ug/L": ("ug/l", "mcg/L"),
    "ug/dL": ("ug/dl", "mcg/dL"),
    "ug/mL": ("ug/ml", "mcg/mL"),
    "ng/mL": ("ng/ml", "NG/ML"),
    "ng/dL": ("ng/dl",),
    "ng/L": ("ng/l",),
    "pg/mL": ("pg/ml", "PG/ML"),
    "mmol/L": ("mmol/l", "mMol/L", "MMOL/L"),
    "umol/L": ("umol/l", "UMOL/L"),
    "nmol/L": ("nmol/l",),
    "pmol/L": ("pmol/l",),
    "meq/L": ("mEq/L", "mEq/l", "meq/l", "MEQ/L"),
    "U/L": ("U/l", "u/L", "u/l", "Units/L", "units/L", "UNIT/L"),
    "[IU]/L": ("IU/L", "IU/l"),
    "[IU]/mL": ("IU/mL", "IU/ml"),
    "m[IU]/L": ("mIU/L", "mIU/l"),
    "m[IU]/mL": ("mIU/mL", "mIU/ml"),
    "u[IU]/mL": ("uIU/mL", "uIU/ml"),
    "10*3/uL": (
        *("K/uL", "k/uL", "K/mm3", "10^3/uL", "10^3/mm3", "x10^3/uL", "x10*3/uL", "x10(3)/uL", "10E3/uL"),
        *("10e3/uL", "x10E3/uL", "X10E3/UL", "thou/uL", "Thousand/uL", "K/cumm", "10*3/ul"),
    ),
    "10*6/uL": ("M/uL", "10^6/uL", "x10^6/uL", "10E6/uL", "10e6/uL", "x10E6/uL", "Million/uL", "mil/uL"),
    "10*9/L": ("10^9/L", "10^9/l", "x10^9/L", "10E9/L", "10e9/L", "x10E9/L", "10*9/l", "G/L", "Gpt/L"),
    "10*12/L": ("10^12/L", "10^12/l", "x10^12/L", "10E12/L", "10e12/L", "10*12/l", "T/L", "Tpt/L"),
    "/uL": ("cells/uL", "/mm3", "/cumm", "cells/mm3"),
    "mm[Hg]": ("mmHg", "mm Hg", "mmhg", "MMHG"),
    "cm[H2O]": ("cmH2O", "cm H2O"),
    "Cel": ("degC", "\u00b0C", "deg C", "Celsius"),
    "[degF]": ("degF", "\u00b0F", "deg F", "Fahrenheit"),
    "[lb_av]": ("lb", "lbs", "pounds"),
    "[in_i]": ("in", "inches", "inch"),
    "kg/m2": ("kg/m^2", "kg/m\u00b2", "kg/(m^2)"),
    "{beats}/min": ("bpm", "beats/min", "beats/minute"),
    "{breaths}/min": ("breaths/min", "breaths/minute"),
    "mL/min/{1.73_m2}": (
        *("mL/min/1.73m2", "mL/min/1.73 m2", "mL/min/1.73m^2", "mL/min/1.73m*2", "ml/min/1.73m2"),
        "mL/min/1.73_m2",
    ),
    "mosm/kg": ("mOsm/kg", "mOsmol/kg", "mosmol/kg"),
    "mm/h": ("mm/hr", "mm/hour"),
    "s": ("sec", "secs", "seconds"),
    "fL": ("fl",),
    "%": ("percent", "pct"),
    "a": ("years", "yr"),
}

SPELLINGS: Mapping[str, str] = MappingProxyType(
    {spelling: code for code, spellings in _SPELLINGS.items() for spelling in spellings}
)
"""A sender's spelling to the UCUM code that it stands for."""


def spelled(unit: str) -> str:
    """The UCUM code that a unit's spelling stands for; the unit as it is where the table has none.

    A Greek mu or a micro sign is UCUM's "u".
    """
    micro = unit.replace("\u00b5", "u").replace("\u03bc", "u")
    return SPELLINGS.get(micro, micro)
