"""Numbers moved between UCUM units of one kind, and between mass and amount where the substance is known.

ucumvert and pint know what a unit is made of. They do not know what must not be mixed: they hold arbitrary
units ([IU]) and moles in moles for plain numbers, and equivalents for moles. So two units are of one kind
only when, beside their dimensions, they name the same such units: [IU]/L never becomes /L or mg/L, mmol/mol
(haemoglobin A1c of the IFCC) never becomes % (of the NGSP), and meq becomes mmol only by a known charge.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from prognosis.record.units.spelling import spelled
from prognosis.record.units.substances import substance_of

if TYPE_CHECKING:
    from pint.facets.plain import PlainQuantity
    from ucumvert import PintUcumRegistry

LONGEST_UNIT = 64
"""Characters of a unit that is read at all; the longest in common use has about 20."""

_PLAIN_RATIOS = frozenset({"%", "10*", "10^", "[ppth]", "[ppm]", "[ppb]", "[pptr]"})
_SAYS_NOTHING = frozenset(
    {"{beats}", "{beat}", "{breaths}", "{score}", "{INR}", "{cells}", "{cell}", "{count}", "{#}", "{WBC}"}
)
_AMOUNTS = frozenset({"mol", "eq"})
_ROUNDING = 1e-9
_MANY = 1024.0


@dataclass(frozen=True, slots=True)
class UnitChange:
    """From one unit to another: number * scale + offset; temperatures alone have an offset."""

    scale: float
    offset: float = 0.0

    def __call__(self, number: float) -> float:
        """The number in the other unit; exactly itself where nothing changes."""
        return number if self == UNCHANGED else number * self.scale + self.offset


UNCHANGED = UnitChange(1.0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a number in a unit is not read in another."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Known:
    """A unit as pint reads it, with the atoms that must not be mixed."""

    quantity: PlainQuantity[float]
    apart: Counter[str]


def unit_change(unit: str | None, wanted: str, code: str = "") -> UnitChange | Refusal:
    """How a number of a code becomes one in the unit that is wanted.

    Args:
        unit: Of the number, in UCUM or in a spelling of the table; None or "" for a number without a unit,
            which counts as the unit 1 where nothing is changed by that: 42 is no part of 1 and 4200 %.
        wanted: A UCUM unit.
        code: "system|value" of the analyte: between mass, amount and charge only where it is in the table
            of substances.

    Returns:
        The change, or why there is none: the unit is not UCUM, or of another kind.
    """
    change = _change(unit or "1", wanted or "1", code if substance_of(code) is not None else "")
    return _NOT_STATED if not unit and isinstance(change, UnitChange) and change != UNCHANGED else change


def is_ucum(unit: str) -> bool:
    """Whether a text is a UCUM unit; spellings of the table are not."""
    return isinstance(_known(unit), _Known) if unit else False


@lru_cache(maxsize=4096)
def _change(unit: str, wanted: str, code: str) -> UnitChange | Refusal:
    first, second = spelled(unit), spelled(wanted)
    if first == second:
        return UNCHANGED
    have, want = _known(first), _known(second)
    if not isinstance(have, _Known) or not isinstance(want, _Known):
        return have if isinstance(have, Refusal) else want if isinstance(want, Refusal) else _OTHER_KIND
    factor = _between(have.apart, want.apart, code)
    if isinstance(factor, Refusal):
        return factor
    return _moved(have.quantity, want.quantity, factor)


_OTHER_KIND = Refusal("is of another kind than the unit that is wanted")
_NOT_STATED = Refusal("is not stated, and could be the one that is wanted or the unit 1")
_NOT_UCUM = Refusal("is not a UCUM unit that can be converted")


@dataclass(frozen=True, slots=True)
class _Factor:
    """What a number is multiplied by beside the units: a plain number, and grams in a mole to a power."""

    number: float = 1.0
    grams_per_mole: int = 0


def _between(have: Counter[str], want: Counter[str], code: str) -> _Factor | Refusal:
    """The factor between units that name amounts, equivalents or neither; refused where none is known."""
    mine, theirs = have - want, want - have
    if not mine and not theirs:
        return _Factor()
    if mine.total() > 1 or theirs.total() > 1 or not (mine.keys() | theirs.keys()) <= _AMOUNTS:
        return _OTHER_KIND
    substance = substance_of(code)
    if substance is None:
        return Refusal("needs the weight or charge of a mole, which is not known for the code")
    number, power = 1.0, 0
    charged = ("eq" in mine) != ("eq" in theirs)
    if charged and substance.charge is None:
        return Refusal("needs a charge, and the substance is no ion")
    if charged and substance.charge is not None:
        number = 1.0 / substance.charge if "eq" in mine else float(substance.charge)
    if not mine or not theirs:
        if substance.grams_per_mole is None:
            return Refusal("needs the weight of a mole, and the substance is reported in no mass")
        power = 1 if mine else -1
        number *= substance.grams_per_mole**power
    return _Factor(number, power)


def _moved(have: PlainQuantity[float], want: PlainQuantity[float], factor: _Factor) -> UnitChange | Refusal:
    import pint

    units = _registry()
    try:
        if factor == _Factor():
            zero, one, many = (
                units.Quantity(n * have.m, have.u).to(want.u).m / want.m for n in (0.0, 1.0, _MANY)
            )
            if not math.isclose((many - zero) / _MANY, one - zero, rel_tol=_ROUNDING):
                return _OTHER_KIND  # a logarithmic unit
            change = UnitChange(one if zero == 0.0 else (many - zero) / _MANY, zero)
        else:
            weight = units.Quantity(factor.number, "gram / mole") if factor.grams_per_mole else factor.number
            if factor.grams_per_mole < 0:
                weight = units.Quantity(factor.number, "mole / gram")
            change = UnitChange(float((have * weight).to(want.u).m / want.m))
    except (pint.errors.PintError, ArithmeticError, ValueError, TypeError):
        return _OTHER_KIND
    usable = math.isfinite(change.offset) and math.isfinite(change.scale) and change.scale > 0.0
    return change if usable else _OTHER_KIND


@lru_cache(maxsize=4096)
def _known(unit: str) -> _Known | Refusal:
    """A UCUM unit as pint reads it; refused where either of them does not know it."""
    import pint
    from lark.exceptions import LarkError
    from ucumvert import parse_ucum

    if len(unit) > LONGEST_UNIT or not unit.isascii():
        return _NOT_UCUM
    units = _registry()
    try:
        tree = parse_ucum(unit)
        read = units.from_ucum(unit)
        atoms = [str(each.children[-1]) for each in tree.find_data("simple_unit")]
        remarks = (str(each) for each in tree.scan_values(lambda token: token.type == "ANNOTATION"))
        apart = Counter(_apart(units, atom) for atom in atoms)
        apart.update(remark for remark in remarks if remark not in _SAYS_NOTHING)
    except (pint.errors.PintError, LarkError, ArithmeticError, ValueError, TypeError, RecursionError):
        return _NOT_UCUM
    del apart[""]
    quantity = read if hasattr(read, "dimensionality") else units.Quantity(1.0, "")
    return _Known(units.Quantity(float(quantity.m), quantity.u), apart)


def _apart(units: PintUcumRegistry, atom: str) -> str:
    """The name under which an atom is kept apart from others of its dimension; "" where it need not be."""
    if atom in _AMOUNTS or atom == "osm":
        return atom
    if atom in _PLAIN_RATIOS or atom.isdigit():
        return ""
    return atom if units.from_ucum(atom).dimensionless else ""


@lru_cache(maxsize=1)
def _registry() -> PintUcumRegistry:
    """The units of UCUM; made once, in about half a second."""
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()
