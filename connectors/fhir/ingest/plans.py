"""How SQL reads each resource type: which resources it may, and the rows that they give.

A plan stages one row a resource, with `plain` saying whether SQL can decide it; what is not plain is read by
the mapping, which is the only place that refuses anything. The rules here are the mapping's, for the cases
that make up the mass of an export.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.fhir.ingest.expressions import (
    ID,
    coding_of,
    first_instant,
    is_code,
    is_quantity,
    label_of,
    last_instant,
    one_of,
    quoted,
    reference_to,
    system_of,
    unit_of,
)
from connectors.fhir.mapping_codes import ROLE_CODE
from connectors.fhir.mapping_person import PATIENT_ID

FACT = (
    *("place", "source", "patient", "medication", "happened", "ordinal", "kind", "time", "system", "value"),
    *("number", "comparator", "unit", "text", "display", "notices"),
)
"""The columns of a fact: which line stated it, whom it is about, and what `Event`, `Note` or study it is."""

NONE, EVENT, NOTE, STUDY = 0, 1, 2, 3
"""Kinds of row: of a resource that states nothing, an event, a note, an imaging study."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one resource type is read.

    Attributes:
        staged: SELECT from `lines` (the declared elements and `line`) giving `line`, `plain` and more.
        rows: SELECTs from `staged` giving fact rows, or, of Patient, the columns of a person.
        parted: SELECT from `staged` of lines that a part of the resource makes odd; "" where there is none.
    """

    staged: str
    rows: tuple[str, ...]
    parted: str = ""


def _fact(source: str, **columns: str) -> str:
    """A SELECT of fact rows; columns that are not given are NULL."""
    typed = {
        **dict.fromkeys(FACT, "CAST(NULL AS VARCHAR)"),
        "place": "line",
        "source": "source",
        "patient": "patient",
        "medication": "CAST(NULL AS VARCHAR)",
        "happened": "happened",
        "ordinal": "0",
        "kind": str(EVENT),
        "number": "CAST(NULL AS DOUBLE)",
        **columns,
    }
    typed["ordinal"] = f"CAST({typed['ordinal']} AS INTEGER)"
    typed["kind"] = f"CAST({typed['kind']} AS TINYINT)"
    return f"SELECT {', '.join(f'{typed[name]} AS {name}' for name in FACT)} FROM {source}"


_PERIOD_END = 'period."end"'


def _happened(stem: str) -> str:
    """The text of when something took place, by `happened`'s order."""
    return f'coalesce({stem}DateTime, {stem}Instant, {stem}Period.start, {stem}Period."end")'


def _source(kind: str) -> str:
    return f"CASE WHEN regexp_full_match(id, {quoted(ID)}) THEN '{kind}/' || id END AS source"


def _staged(kind: str, *, first: str, then: str, plain: str) -> str:
    """SELECT in three steps: elements, what is made of them, and whether all of it could be made."""
    about = f"{_source(kind)}, {reference_to('Patient', 'subject.reference')} AS patient"
    return (
        f"SELECT *, coalesce(source IS NOT NULL AND patient IS NOT NULL AND {plain}, FALSE) AS plain FROM ("
        f"SELECT *, {then} FROM (SELECT line, resourceType, {about}, {first} FROM lines))"
    )


def _dated(name: str, text: str) -> str:
    return f"{text} AS {name}_text, {first_instant(text)} AS {name}_first"


def _good(name: str) -> str:
    """Whether a date is absent or was read."""
    return f"({name}_text IS NULL OR {name}_first IS NOT NULL)"


def _last(name: str) -> str:
    return last_instant(f"{name}_first", f"{name}_text")


_CODE = f"{coding_of('code.coding')} AS chosen"
_CODED = {
    "system": system_of("chosen"),
    "value": "chosen.code",
    "display": "coalesce(chosen.display, '')",
}


def _valued(node: str) -> str:
    """The elements of a node that carries a value, and what is made of them."""
    at = f"{node}." if node else ""
    values = ("Quantity", "CodeableConcept", "String", "Boolean", "Integer", "DateTime", "Time")
    unread = ("Range", "Ratio", "SampledData", "Period")
    many = " + ".join(f"CAST({at}value{name} IS NOT NULL AS INTEGER)" for name in values)
    strange = " AND ".join(f"{at}value{name} IS NULL" for name in unread)
    text = (
        f"CASE WHEN {at}valueCodeableConcept IS NOT NULL THEN {label_of(f'{at}valueCodeableConcept')} "
        f"WHEN {at}valueBoolean IS NOT NULL THEN CASE WHEN {at}valueBoolean THEN 'true' ELSE 'false' END "
        f"ELSE coalesce({at}valueString, {at}valueDateTime, {at}valueTime) END"
    )
    return (
        f"{coding_of(f'{at}code.coding')} AS chosen, {many} AS values, {at}valueQuantity AS quantity, "
        f"{unit_of(f'{at}valueQuantity')} AS unit, {at}valueInteger AS whole, {text} AS words, "
        f"{at}dataAbsentReason IS NOT NULL AS absent, "
        f"({strange} AND {at}extension IS NULL) AS known"
    )


_VALUE_IS_PLAIN = (
    "known AND values <= 1 AND (values = 0 AND NOT stated OR "
    f"{is_code('chosen')} AND (values = 0 OR whole IS NOT NULL AND isfinite(whole) OR words IS NOT NULL "
    f"OR quantity IS NOT NULL AND {is_quantity('quantity', 'unit')}))"
)
_VALUE = {
    **{name: f"CASE WHEN stated THEN {made} END" for name, made in _CODED.items()},
    "kind": f"CASE WHEN stated THEN {EVENT} ELSE {NONE} END",
    "number": "CASE WHEN stated THEN coalesce(quantity.value, whole) END",
    "comparator": "CASE WHEN stated THEN quantity.comparator END",
    "unit": "CASE WHEN quantity IS NOT NULL THEN unit END",
    "text": "words",
}
_COMPONENTS = (
    f"(SELECT *, values > 0 OR NOT absent AS stated FROM (SELECT line, source, patient, happened, time, "
    f"position, {_valued('part')} FROM (SELECT line, source, patient, happened, time, "
    "unnest(component) AS part, generate_subscripts(component, 1) AS position FROM staged "
    "WHERE plain AND len(component) > 0)))"
)


def _observation() -> Plan:
    late = "issued_text IS NOT NULL AND effective_text IS NOT NULL AND issued_last < effective_first"
    notices = ", ".join(
        (
            "CASE WHEN issued_text IS NULL THEN 'Observation.effective used for issued' END",
            f"CASE WHEN {late} THEN 'Observation issued before it was made: the later time is used' END",
            "CASE WHEN NOT stated AND coalesce(len(component), 0) = 0 THEN "
            "'Observation without a value (dataAbsentReason or panel): no fact' END",
        )
    )
    staged = _staged(
        "Observation",
        first=f"status, {_dated('issued', 'issued')}, {_dated('effective', _happened('effective'))}, "
        f"component, hasMember IS NOT NULL OR coalesce(len(component), 0) > 0 AS grouped, {_valued('')}",
        then=f"{_last('issued')} AS issued_last, {_last('effective')} AS effective_last, "
        "values > 0 OR NOT (grouped OR absent) AS stated",
        plain="status IN ('registered', 'preliminary', 'final', 'amended', 'corrected', 'unknown') AND "
        f"{_good('issued')} AND {_good('effective')} AND "
        f"(issued_text IS NOT NULL OR effective_text IS NOT NULL) AND {_VALUE_IS_PLAIN}",
    )
    timed = (
        f"SELECT *, CASE WHEN issued_text IS NULL OR ({late}) THEN effective_last "
        "ELSE issued_last END AS time, "
        f"concat_ws(chr(10), {notices}) AS notices FROM ({staged})"
    )
    staged = (
        f"SELECT * REPLACE (nullif(notices, '') AS notices), coalesce(effective_first, time) AS happened "
        f"FROM ({timed})"
    )
    parent = _fact("staged WHERE plain", time="CASE WHEN stated THEN time END", notices="notices", **_VALUE)
    part = _fact(f"{_COMPONENTS} WHERE stated", time="time", **{**_VALUE, "ordinal": "position"})
    empty = f"SELECT DISTINCT line FROM {_COMPONENTS} WHERE NOT coalesce({_VALUE_IS_PLAIN}, FALSE)"
    # A panel none of whose components states anything carries a notice that only the mapping gives.
    silent = (
        f"SELECT line FROM staged WHERE plain AND NOT stated AND len(component) > 0 AND line NOT IN "
        f"(SELECT line FROM {_COMPONENTS} WHERE stated)"
    )
    return Plan(staged, (parent, part), f"{empty} UNION {silent}")


def _condition() -> Plan:
    denied = (
        "len(list_filter(verificationStatus.coding, lambda c: c.code IN ('entered-in-error', 'refuted'))) > 0"
    )
    staged = _staged(
        "Condition",
        first=f"{_CODE}, {_dated('recorded', 'recordedDate')}, {_dated('onset', _happened('onset'))}, "
        f"coalesce({denied}, FALSE) AS denied",
        then=f"coalesce({_last('recorded')}, {_last('onset')}) AS time, onset_first AS happened",
        plain=f"NOT denied AND {is_code('chosen')} AND {_good('recorded')} AND {_good('onset')} "
        "AND time IS NOT NULL",
    )
    notice = "CASE WHEN recorded_text IS NULL THEN 'Condition.onset used for recordedDate' END"
    return Plan(staged, (_fact("staged WHERE plain", time="time", notices=notice, **_CODED),))


def _procedure() -> Plan:
    staged = _staged(
        "Procedure",
        first=f"status, {_CODE}, {_dated('performed', _happened('performed'))}",
        then=f"{_last('performed')} AS time, performed_first AS happened",
        plain="status IN ('in-progress', 'on-hold', 'stopped', 'completed', 'unknown') "
        f"AND {is_code('chosen')} AND time IS NOT NULL",
    )
    return Plan(staged, (_fact("staged WHERE plain", time="time", **_CODED),))


_DRUG = (
    f"{coding_of('medicationCodeableConcept.coding')} AS chosen, "
    "medicationReference IS NOT NULL AS referred, "
    f"{reference_to('Medication', 'medicationReference.reference')} AS medication"
)
_DRUG_IS_PLAIN = f"(referred AND medication IS NOT NULL OR NOT referred AND {is_code('chosen')})"
_DRUG_CODED = {name: f"CASE WHEN NOT referred THEN {made} END" for name, made in _CODED.items()}


def _medication_request() -> Plan:
    staged = _staged(
        "MedicationRequest",
        first=f"status, intent, doNotPerform, {_DRUG}, {_dated('authored', 'authoredOn')}",
        then=f"{_last('authored')} AS time, authored_first AS happened",
        plain="status IN ('active', 'on-hold', 'completed', 'stopped', 'unknown') "
        "AND NOT coalesce(doNotPerform, FALSE) AND coalesce(intent, '') NOT IN ('proposal', 'plan') "
        f"AND {_DRUG_IS_PLAIN} AND time IS NOT NULL",
    )
    row = _fact("staged WHERE plain", time="time", medication="medication", **_DRUG_CODED)
    return Plan(staged, (row,))


def _administration() -> Plan:
    staged = _staged(
        "MedicationAdministration",
        first=f"status, {_DRUG}, {_dated('effective', _happened('effective'))}, dosage.dose AS quantity, "
        f"{unit_of('dosage.dose')} AS unit",
        then=f"{_last('effective')} AS time, effective_first AS happened",
        plain="status IN ('in-progress', 'on-hold', 'completed', 'stopped', 'unknown') "
        f"AND {_DRUG_IS_PLAIN} AND time IS NOT NULL "
        f"AND (quantity IS NULL OR {is_quantity('quantity', 'unit')})",
    )
    dose = {"number": "quantity.value", "comparator": "quantity.comparator", "unit": "unit"}
    row = _fact("staged WHERE plain", time="time", medication="medication", **_DRUG_CODED, **dose)
    return Plan(staged, (row,))


def _encounter() -> Plan:
    intensive = (
        f"list_filter(flatten(list_transform(type, lambda t: t.coding)), lambda c: "
        f"coalesce(c.system = '{ROLE_CODE}' AND c.code IN ('ICU', 'PEDICU', 'PEDNICU'), FALSE) "
        "OR coalesce(contains(lower(c.display), 'intensive care'), FALSE))[1]"
    )
    staged = _staged(
        "Encounter",
        first=f'status, "class" AS stay, extension IS NULL AS simple, {intensive} AS intensive, '
        f"{_dated('start', 'period.start')}, {_dated('end', _PERIOD_END)}",
        then=f"{_last('start')} AS start_last, {_last('end')} AS end_last, "
        "coalesce(start_first, end_first) AS happened, "
        "CASE WHEN intensive IS NOT NULL THEN 'ICU' ELSE stay.code END AS value, "
        "coalesce(CASE WHEN intensive IS NOT NULL THEN intensive.display ELSE stay.display END, '') "
        "AS display",
        plain="simple AND value IS NOT NULL AND happened IS NOT NULL AND "
        "status IN ('arrived', 'triaged', 'in-progress', 'onleave', 'finished', 'unknown') "
        f"AND {_good('start')} AND {_good('end')} "
        "AND (start_text IS NULL OR end_text IS NULL OR end_last >= start_first)",
    )
    began = (
        "CASE WHEN end_last IS NOT NULL AND length(start_text) = 10 AND start_last >= end_last "
        "THEN end_last - to_microseconds(1) ELSE start_last END"
    )
    named = {"value": "value", "display": "display"}
    start = _fact(
        "staged WHERE plain AND start_text IS NOT NULL", time=began, system="'encounter-start'", **named
    )
    end = _fact(
        "staged WHERE plain AND end_text IS NOT NULL",
        time="end_last",
        system="'encounter-end'",
        ordinal="CASE WHEN start_text IS NULL THEN 0 ELSE 1 END",
        **named,
    )
    return Plan(staged, (start, end))


PERSON = (
    *("place", "source", "patient_id", "birth_date", "sex", "died", "organization", "organization_name"),
    *("replaced_by", "replaces", "notices"),
)


def _patient() -> Plan:
    site = rf"^(?:https?://[^\s?#]+/)?([A-Z][A-Za-z]+/{ID})(?:/_history/[A-Za-z0-9\-.]+)?$"
    own = f"len(list_filter(identifier, lambda i: i.system = '{PATIENT_ID}')) > 0"
    died = last_instant("died_first", "died_text")
    staged = (
        "SELECT *, coalesce(source IS NOT NULL AND simple "
        "AND (birth_text IS NULL OR birth_first IS NOT NULL) "
        "AND (died_text IS NULL OR died_first IS NOT NULL) "
        "AND (died IS NULL OR birth_date IS NULL OR CAST(died AS DATE) >= birth_date) "
        "AND (died_text IS NOT NULL OR NOT coalesce(deceasedBoolean, FALSE)) "
        f"AND coalesce(gender, 'unknown') IN {one_of(('female', 'male', 'other', 'unknown'))} "
        "AND (referred IS NULL OR organization IS NOT NULL), FALSE) AS plain FROM ("
        f"SELECT *, {died} AS died, CAST(birth_first AS DATE) AS birth_date FROM ("
        f"SELECT line, resourceType, {_source('Patient')}, id, gender, deceasedBoolean, "
        f"{_dated('birth', 'birthDate')}, {_dated('died', 'deceasedDateTime')}, "
        f"link IS NULL AND NOT coalesce({own}, FALSE) AS simple, managingOrganization.reference AS referred, "
        f"nullif(regexp_extract(managingOrganization.reference, {quoted(site)}, 1), '') AS organization, "
        "coalesce(managingOrganization.display, '') AS organization_name FROM lines))"
    )
    row = (
        "SELECT line AS place, source, id AS patient_id, birth_date, nullif(gender, 'unknown') AS sex, died, "
        "organization, organization_name, CAST([] AS VARCHAR[]) AS replaced_by, "
        "CAST([] AS VARCHAR[]) AS replaces, CAST(NULL AS VARCHAR) AS notices FROM staged WHERE plain"
    )
    return Plan(staged, (row,))


PLANS: Mapping[str, Plan] = {
    "Observation": _observation(),
    "Condition": _condition(),
    "Encounter": _encounter(),
    "Procedure": _procedure(),
    "MedicationRequest": _medication_request(),
    "MedicationAdministration": _administration(),
    "Patient": _patient(),
}
"""By resource type, the types of `COLUMNS`."""
