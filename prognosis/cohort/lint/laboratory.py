"""Values that no living patient has, by LOINC code and UCUM unit.

Limits are wide: they part a slip of the unit or of the pen from the sickest patient, not the sick from the
well. They follow the widest ranges that laboratories and monitors report, and reported survivals: sodium
95 to 200 mmol/L, pH 6.3 to 7.9, core temperature 13.7 to 46.5 degrees Celsius.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

POSSIBLE: Mapping[tuple[str, str], tuple[float, float]] = MappingProxyType(
    {
        ("2951-2", "mmol/L"): (80.0, 220.0),  # sodium
        ("2823-3", "mmol/L"): (0.5, 20.0),  # potassium
        ("2075-0", "mmol/L"): (40.0, 180.0),  # chloride
        ("1963-8", "mmol/L"): (1.0, 70.0),  # bicarbonate
        ("3094-0", "mg/dL"): (0.5, 400.0),  # urea nitrogen
        ("2160-0", "mg/dL"): (0.05, 50.0),  # creatinine
        ("2160-0", "umol/L"): (5.0, 4500.0),
        ("14682-9", "umol/L"): (5.0, 4500.0),
        ("2345-7", "mg/dL"): (1.0, 3000.0),  # glucose
        ("2345-7", "mmol/L"): (0.05, 170.0),
        ("14749-6", "mmol/L"): (0.05, 170.0),
        ("17861-6", "mg/dL"): (2.0, 30.0),  # calcium
        ("1751-7", "g/dL"): (0.3, 10.0),  # albumin
        ("1751-7", "g/L"): (3.0, 100.0),
        ("1975-2", "mg/dL"): (0.01, 100.0),  # bilirubin
        ("1988-5", "mg/L"): (0.0, 1500.0),  # C reactive protein
        ("2524-7", "mmol/L"): (0.05, 45.0),  # lactate
        ("32693-4", "mmol/L"): (0.05, 45.0),
        ("718-7", "g/dL"): (0.5, 30.0),  # haemoglobin
        ("718-7", "g/L"): (5.0, 300.0),
        ("4544-3", "%"): (2.0, 85.0),  # haematocrit
        ("6690-2", "10*3/uL"): (0.0, 1500.0),  # leukocytes
        ("6690-2", "10*9/L"): (0.0, 1500.0),
        ("777-3", "10*3/uL"): (0.0, 6000.0),  # platelets
        ("777-3", "10*9/L"): (0.0, 6000.0),
        ("4548-4", "%"): (2.0, 30.0),  # haemoglobin A1c
        ("2744-1", "[pH]"): (6.2, 8.2),  # arterial pH
        ("2703-7", "mm[Hg]"): (5.0, 800.0),  # arterial oxygen
        ("2019-8", "mm[Hg]"): (2.0, 300.0),  # arterial carbon dioxide
        ("2708-6", "%"): (1.0, 100.0),  # arterial oxygen saturation
        ("59408-5", "%"): (1.0, 100.0),
        ("8867-4", "/min"): (0.0, 400.0),  # heart rate
        ("9279-1", "/min"): (0.0, 150.0),  # respiratory rate
        ("8480-6", "mm[Hg]"): (0.0, 400.0),  # systolic pressure
        ("8462-4", "mm[Hg]"): (0.0, 300.0),  # diastolic pressure
        ("8310-5", "Cel"): (13.0, 47.0),  # body temperature
        ("8310-5", "[degF]"): (55.0, 117.0),
        ("29463-7", "kg"): (0.2, 700.0),  # weight
        ("8302-2", "cm"): (20.0, 280.0),  # height
        ("8302-2", "m"): (0.2, 2.8),
        ("39156-5", "kg/m2"): (4.0, 220.0),  # body mass index
        ("9269-2", "{score}"): (3.0, 15.0),  # Glasgow coma score
    }
)


def possible(code: str, unit: str | None) -> tuple[float, float] | None:
    """The least and greatest value that can be, or None where no limit is kept for the code in this unit."""
    return POSSIBLE.get((code, unit or ""))
