"""A number keeps its meaning from unit to unit, or is not moved at all."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prognosis.record.units import Refusal, UnitChange, is_ucum, spelled, substance_of, unit_change
from prognosis.record.units.conversion import _registry
from prognosis.record.units.spelling import SPELLINGS
from prognosis.record.units.substances import SUBSTANCES

LOINC = "http://loinc.org|"
FAMILIES = (
    ("mg/dL", "g/L", "ug/mL", "kg/m3", "ng/L", "g/dL"),
    ("mmol/L", "umol/mL", "mol/m3", "nmol/dL"),
    ("10*3/uL", "10*9/L", "/uL", "10*6/mL"),
    ("mm[Hg]", "kPa", "cm[H2O]", "Pa", "bar"),
    ("kg", "g", "[lb_av]", "[oz_av]"),
    ("cm", "m", "[in_i]", "[ft_i]"),
    ("Cel", "[degF]", "K"),
    ("m[IU]/L", "u[IU]/mL", "[IU]/mL"),
    ("U/L", "ukat/L", "mU/mL"),
    ("h", "min", "s", "d", "wk"),
    ("%", "1", "[ppm]", "10*-2"),
)
_pairs = st.sampled_from(FAMILIES).flatmap(lambda f: st.tuples(*[st.sampled_from(f)] * 3))
_numbers = st.floats(1e-6, 1e6)


def moved(unit: str | None, wanted: str, code: str = "") -> UnitChange:
    change = unit_change(unit, wanted, code)
    assert isinstance(change, UnitChange), (unit, wanted, change)
    return change


@given(units=_pairs, number=_numbers)
def test_a_number_comes_back_and_a_way_round_ends_where_the_straight_way_does(
    units: tuple[str, str, str], number: float
) -> None:
    first, second, third = units
    there, on = moved(first, second), moved(second, third)
    tolerance = 1e-9 * max(abs(number), 1e3 if first in ("Cel", "[degF]", "K") else 0.0)
    assert math.isclose(moved(second, first)(there(number)), number, rel_tol=1e-9, abs_tol=tolerance)
    straight = moved(first, third)(number)
    assert math.isclose(on(there(number)), straight, rel_tol=1e-9, abs_tol=tolerance)


@given(units=_pairs, number=_numbers)
def test_a_number_is_what_ucumvert_and_pint_say(units: tuple[str, str, str], number: float) -> None:
    first, second, _ = units
    registry = _registry()
    have, want = registry.from_ucum(first), registry.from_ucum(second)
    expected = registry.Quantity(number * have.m, have.u).to(want.u).m / want.m
    assert math.isclose(moved(first, second)(number), expected, rel_tol=1e-9, abs_tol=1e-9)


GOLDEN = [  # units, LOINC, what the first is in the second as clinical conversion tables print it
    ("mg/dL", "umol/L", "2160-0", 88.42),
    ("mg/dL", "mmol/L", "2345-7", 0.0555),
    ("mg/dL", "mmol/L", "3094-0", 0.357),
    ("mg/dL", "mmol/L", "3091-6", 0.1665),
    ("mg/dL", "mmol/L", "2093-3", 0.02586),
    ("mg/dL", "mmol/L", "2571-8", 0.01129),
    ("mg/dL", "umol/L", "1975-2", 17.10),
    ("mg/dL", "mmol/L", "17861-6", 0.2495),
    ("meq/L", "mmol/L", "17861-6", 0.5),
    ("mg/dL", "mmol/L", "19123-9", 0.4114),
    ("mg/dL", "mmol/L", "2777-1", 0.3229),
    ("mg/dL", "umol/L", "3084-1", 59.48),
    ("mg/dL", "mmol/L", "14118-4", 0.111),
    ("ug/dL", "umol/L", "2498-4", 0.179),
    ("meq/L", "mmol/L", "2951-2", 1.0),
    ("meq/L", "mmol/L", "2823-3", 1.0),
    ("mmol/L", "meq/L", "1963-8", 1.0),
    ("g/dL", "mmol/L", "718-7", 0.6206),
    ("g/dL", "g/L", "1751-7", 10.0),
    ("K/uL", "10*9/L", "6690-2", 1.0),
    ("mmHg", "kPa", "8480-6", 0.133322),
    ("lbs", "kg", "29463-7", 0.453592),
]


@pytest.mark.parametrize(("unit", "wanted", "code", "expected"), GOLDEN)
def test_one_of_a_unit_is_what_conversion_tables_print(
    unit: str, wanted: str, code: str, expected: float
) -> None:
    assert moved(unit, wanted, LOINC + code)(1.0) == pytest.approx(expected, rel=3e-3)
    assert moved(wanted, unit, LOINC + code)(expected) == pytest.approx(1.0, rel=3e-3)


def test_creatinine_and_fever_are_known_closely() -> None:
    assert moved("mg/dL", "umol/L", LOINC + "2160-0")(1.0) == pytest.approx(88.40, abs=0.005)
    assert moved("[degF]", "Cel")(98.6) == pytest.approx(37.0, abs=1e-9)
    assert moved("Cel", "[degF]")(37.0) == pytest.approx(98.6, abs=1e-9)


@pytest.mark.parametrize("substance", set(SUBSTANCES.values()), ids=lambda own: own.name)
def test_a_mole_weighs_what_its_formula_does(substance: object) -> None:
    import re

    weights = {"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "Na": 22.990, "Mg": 24.305, "P": 30.974}
    weights |= {"Cl": 35.45, "K": 39.098, "Ca": 40.078, "Fe": 55.845}
    formula = substance.formula  # type: ignore[attr-defined]
    if not formula:
        assert substance.name in ("bicarbonate", "haemoglobin, by subunit")  # type: ignore[attr-defined]
        return
    atoms = re.findall(r"([A-Z][a-z]?)(\d*)", formula)
    assert substance.grams_per_mole == pytest.approx(  # type: ignore[attr-defined]
        sum(weights[name] * int(count or 1) for name, count in atoms), abs=1e-9
    )


REFUSED = [
    ("[IU]/L", "mg/L", "1988-5"),  # an arbitrary unit has no mass
    ("[IU]/L", "/L", ""),  # nor is it a count, as pint would have it
    ("[IU]/L", "U/L", "1742-6"),
    ("mmol/mol", "%", "4548-4"),  # 48 mmol/mol of A1c are 6.5 %, not 4.8 %
    ("meq/L", "mmol/L", ""),  # without a charge
    ("mg/dL", "mmol/L", "1988-5"),  # without the weight of a mole
    ("mg/dL", "meq/L", "2345-7"),  # glucose is no ion
    ("mg/dL", "mmol/L", "1963-8"),
    ("mL/min", "mL/min/{1.73_m2}", "33914-3"),
    ("ug/mL{FEU}", "ug/mL{DDU}", ""),
    ("mg/dL", "mg", "2160-0"),
    ("mg/mmol", "mg/g", "2160-0"),
    ("[pH]", "nmol/L", "2744-1"),
    ("dB", "1", ""),
    ("milligrams", "mg", ""),
    ("", "mg/dL", "2160-0"),
    ("", "%", "4544-3"),  # a haematocrit of 42 without a unit is not 4200 %
    ("((((((((", "mg", ""),
    ("m" * 200, "mg", ""),
    ("10*99999/L", "/L", ""),
    ("m99999999999", "m", ""),
    ("\u0663mg", "mg", ""),
    ("mg/0", "mg", ""),
]


@pytest.mark.parametrize(("unit", "wanted", "code"), REFUSED)
def test_it_is_not_converted(unit: str, wanted: str, code: str) -> None:
    change = unit_change(unit, wanted, LOINC + code)
    assert isinstance(change, Refusal)
    assert unit not in change.reason.split() or not unit


@settings(max_examples=60)
@given(unit=st.text(max_size=80), wanted=st.text(max_size=10))
def test_any_text_is_a_change_or_a_refusal(unit: str, wanted: str) -> None:
    change = unit_change(unit, wanted)
    assert isinstance(change, Refusal) or math.isfinite(change(1.0))


def test_a_number_in_its_own_unit_is_left_to_the_last_bit() -> None:
    number = 0.1 + 0.2
    assert moved("any text at all", "any text at all")(number) == number
    assert moved("K/uL", "10*3/uL")(number) == number


@pytest.mark.parametrize("code", sorted(set(SPELLINGS.values())))
def test_what_a_spelling_stands_for_is_a_ucum_unit(code: str) -> None:
    assert is_ucum(code)


def test_no_spelling_is_a_unit_of_laboratories_by_itself() -> None:
    assert set(SPELLINGS) & set(SPELLINGS.values()) == set()
    differing = set()
    for each in (each for each in SPELLINGS if is_ucum(each)):
        own, stood_for = _registry().from_ucum(each), _registry().from_ucum(SPELLINGS[each])
        same_kind = own.dimensionality == stood_for.dimensionality
        if not (same_kind and own.to(stood_for.u).m == pytest.approx(stood_for.m)):
            differing.add(each)
    assert differing == KNOWN_TO_DIFFER


KNOWN_TO_DIFFER = {"K/uL", "K/mm3", "G/L", "T/L", "MG/L", "PG/ML", "u/L", "u/l"}
"""Kelvins, gauss, tesla, and atomic mass units: nothing that a laboratory gives in a volume."""


def test_a_micro_sign_is_a_u_and_other_texts_stay() -> None:
    assert [spelled(each) for each in ("\u00b5mol/L", "\u03bcg/L", "mg/dL", "junk")] == [
        "umol/L",
        "ug/L",
        "mg/dL",
        "junk",
    ]


def test_the_code_and_never_the_name_says_what_is_weighed() -> None:
    assert substance_of("http://snomed.info/sct|2160-0") is None
    assert substance_of("creatinine") is None
    assert substance_of(LOINC + "2160-0") is not None
