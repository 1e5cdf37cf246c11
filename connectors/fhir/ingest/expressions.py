"""SQL for what the mapping does to single elements: NULL wherever only the mapping can decide."""

from __future__ import annotations

from connectors.fhir.mapping_codes import COMMON_UCUM, OWN_CODE, PREFERRED, UCUM

ID = r"[A-Za-z0-9\-.]{1,64}"
_PLACE = r"^(?:https?://[^\s?#]+/)?"
_VERSION = r"(?:/_history/[A-Za-z0-9\-.]+)?$"
_INSTANT = (
    r"(1[89]\d\d|2[01]\d\d|22[0-4]\d|2250)-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
    r"(Z|[+-](0\d|1[0-4]):[0-5]\d)"
)
_DAY = r"(1[89]\d\d|2[01]\d\d|22[0-4]\d|2250)-\d\d-\d\d"
_LAST_OF_A_DAY = "to_microseconds(86399999999)"


def quoted(text: str) -> str:
    """Text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def one_of(values: frozenset[str] | tuple[str, ...] | set[str]) -> str:
    """Values as a list for IN."""
    return f"({', '.join(quoted(value) for value in sorted(values))})"


def first_instant(text: str) -> str:
    """The first instant of a time of day with an offset, or of a day."""
    return (
        f"CASE WHEN length({text}) > 10 THEN CASE WHEN regexp_full_match({text}, {quoted(_INSTANT)}) "
        f"AND {text} >= '1850' THEN make_timestamp(epoch_us(TRY_CAST({text} AS TIMESTAMPTZ))) END "
        f"WHEN regexp_full_match({text}, {quoted(_DAY)}) AND {text} >= '1850' "
        f"THEN CAST(TRY_CAST({text} AS DATE) AS TIMESTAMP) END"
    )


def last_instant(first: str, text: str) -> str:
    """The last instant that a date can mean, from its first."""
    return f"CASE WHEN length({text}) = 10 THEN {first} + {_LAST_OF_A_DAY} ELSE {first} END"


def reference_to(kind: str, text: str) -> str:
    """The "Patient/x" of a reference to one, absolute or versioned ones too; NULL for any other."""
    short = f"regexp_full_match({text}, {quoted(f'{kind}/{ID}')})"
    found = f"regexp_extract({text}, {quoted(f'{_PLACE}({kind}/{ID}){_VERSION}')}, 1)"
    return f"CASE WHEN {short} THEN {text} ELSE nullif({found}, '') END"


def coding_of(codings: str) -> str:
    """The coding that facts are filed under, by `concept_of`'s rule."""
    ranked = ", ".join(
        f"list_filter({codings}, lambda c: c.system = {quoted(system)})[1]" for system in PREFERRED
    )
    unclear = f"len(list_filter({codings}, lambda c: c.code IS NULL OR starts_with(c.system, '{OWN_CODE}')))"
    return (
        f"CASE WHEN len({codings}) = 1 THEN {codings}[1] "
        f"WHEN {codings}[1].system = {quoted(PREFERRED[0])} AND {codings}[1].code IS NOT NULL "
        f"THEN {codings}[1] WHEN {unclear} = 0 THEN coalesce({ranked}, {codings}[1]) END"
    )


def is_code(coding: str) -> str:
    """Whether a coding can be read as it stands."""
    own = f"starts_with({coding}.system, '{OWN_CODE}')"
    escaped = f"{own} AND contains(concat({coding}.system, {coding}.code), '%')"
    return f"({coding}.code IS NOT NULL AND NOT coalesce({escaped}, FALSE))"


def system_of(coding: str) -> str:
    """A coding's system, our own without its prefix; "" where it has none."""
    own = f"substr({coding}.system, {len(OWN_CODE) + 1})"
    is_own = f"starts_with({coding}.system, '{OWN_CODE}')"
    return f"CASE WHEN {is_own} THEN {own} ELSE coalesce({coding}.system, '') END"


def label_of(concept: str) -> str:
    """A concept in words, by `label_of`'s rule; NULL where it is not plain."""
    return (
        f"CASE WHEN {concept}.coding[1].display IS NOT NULL THEN {concept}.coding[1].display "
        f"WHEN coalesce(len({concept}.coding), 0) <= 1 "
        f"THEN coalesce({concept}.text, {concept}.coding[1].code) END"
    )


def unit_of(quantity: str) -> str:
    """The UCUM unit of a Quantity; NULL where it has none that is known."""
    return (
        f"CASE WHEN {quantity}.system = '{UCUM}' AND {quantity}.code IS NOT NULL THEN {quantity}.code "
        f"WHEN {quantity}.code IN {one_of(COMMON_UCUM)} THEN {quantity}.code "
        f"WHEN {quantity}.unit IN {one_of(COMMON_UCUM)} THEN {quantity}.unit END"
    )


def is_quantity(quantity: str, unit: str) -> str:
    """Whether a Quantity has a number, a comparator that is known, and a unit."""
    return (
        f"({quantity}.value IS NOT NULL AND isfinite({quantity}.value) AND {unit} IS NOT NULL "
        f"AND coalesce({quantity}.comparator, '<') IN ('<', '<=', '>=', '>'))"
    )
