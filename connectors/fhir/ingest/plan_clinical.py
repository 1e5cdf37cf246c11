"""Condition, Procedure, Encounter and the two of medication."""

from __future__ import annotations

from connectors.fhir.ingest.expressions import (
    coding_of,
    is_code,
    is_quantity,
    reference_to,
    unit_of,
)
from connectors.fhir.ingest.plan import (
    CODE,
    CODED,
    PERIOD_END,
    Plan,
    dated,
    fact,
    happened_text,
    is_good,
    last,
    staged_sql,
)
from connectors.fhir.mapping_codes import ROLE_CODE


def condition_plan() -> Plan:
    """Conditions, by when they were recorded."""
    confirmed = (
        "verificationStatus IS NULL OR len(verificationStatus.coding) = 1 "
        "AND verificationStatus.coding[1].code IN ('unconfirmed', 'provisional', 'differential', 'confirmed')"
    )
    staged = staged_sql(
        "Condition",
        first=f"{CODE}, {dated('recorded', 'recordedDate')}, {dated('onset', happened_text('onset'))}, "
        f"coalesce({confirmed}, FALSE) AS confirmed",
        then=f"coalesce({last('recorded')}, {last('onset')}) AS time, onset_first AS happened",
        plain=f"confirmed AND {is_code('chosen')} AND {is_good('recorded')} AND {is_good('onset')} "
        "AND time IS NOT NULL",
    )
    notice = "CASE WHEN recorded_text IS NULL THEN 'Condition.onset used for recordedDate' END"
    return Plan(staged, (fact("staged WHERE plain", time="time", notices=notice, **CODED),))


def procedure_plan() -> Plan:
    """Procedures, by when they began."""
    staged = staged_sql(
        "Procedure",
        first=f"status, {CODE}, {dated('performed', happened_text('performed'))}",
        then=f"{last('performed')} AS time, performed_first AS happened",
        plain="status IN ('in-progress', 'on-hold', 'stopped', 'completed', 'unknown') "
        f"AND {is_code('chosen')} AND time IS NOT NULL",
    )
    return Plan(staged, (fact("staged WHERE plain", time="time", **CODED),))


_DRUG = (
    f"{coding_of('medicationCodeableConcept.coding')} AS chosen, "
    "medicationReference IS NOT NULL AS referred, "
    f"{reference_to('Medication', 'medicationReference.reference')} AS medication"
)
_DRUG_IS_PLAIN = f"(referred AND medication IS NOT NULL OR NOT referred AND {is_code('chosen')})"
_DRUG_CODED = {name: f"CASE WHEN NOT referred THEN {made} END" for name, made in CODED.items()}


def medication_request_plan() -> Plan:
    """Orders, by when they were written."""
    staged = staged_sql(
        "MedicationRequest",
        first=f"status, intent, doNotPerform, {_DRUG}, {dated('authored', 'authoredOn')}",
        then=f"{last('authored')} AS time, authored_first AS happened",
        plain="status IN ('active', 'on-hold', 'completed', 'stopped', 'unknown') "
        "AND NOT coalesce(doNotPerform, FALSE) AND intent IN ('order', 'original-order', 'reflex-order', "
        "'filler-order', 'instance-order') "
        f"AND {_DRUG_IS_PLAIN} AND time IS NOT NULL",
    )
    row = fact("staged WHERE plain", time="time", medication="medication", **_DRUG_CODED)
    return Plan(staged, (row,))


def administration_plan() -> Plan:
    """Doses, by when they were given."""
    staged = staged_sql(
        "MedicationAdministration",
        first=f"status, {_DRUG}, {dated('effective', happened_text('effective'))}, dosage.dose AS quantity, "
        f"{unit_of('dosage.dose')} AS unit",
        then=f"{last('effective')} AS time, effective_first AS happened",
        plain="status IN ('in-progress', 'on-hold', 'completed', 'stopped', 'unknown') "
        f"AND {_DRUG_IS_PLAIN} AND time IS NOT NULL "
        f"AND (quantity IS NULL OR {is_quantity('quantity', 'unit')})",
    )
    dose = {"number": "quantity.value", "comparator": "quantity.comparator", "unit": "unit"}
    row = fact("staged WHERE plain", time="time", medication="medication", **_DRUG_CODED, **dose)
    return Plan(staged, (row,))


def encounter_plan() -> Plan:
    """Encounters as their start and their end."""
    intensive = (
        f"list_filter(flatten(list_transform(type, lambda t: t.coding)), lambda c: "
        f"coalesce(c.system = '{ROLE_CODE}' AND c.code IN ('ICU', 'PEDICU', 'PEDNICU'), FALSE) "
        "OR coalesce(contains(lower(c.display), 'intensive care'), FALSE))[1]"
    )
    staged = staged_sql(
        "Encounter",
        first=f'status, "class" AS stay, extension IS NULL AS simple, {intensive} AS intensive, '
        f"{dated('start', 'period.start')}, {dated('end', PERIOD_END)}",
        then=f"{last('start')} AS start_last, {last('end')} AS end_last, "
        "coalesce(start_first, end_first) AS happened, "
        "CASE WHEN intensive IS NOT NULL THEN 'ICU' ELSE stay.code END AS value, "
        "coalesce(CASE WHEN intensive IS NOT NULL THEN intensive.display ELSE stay.display END, '') "
        "AS display",
        plain="simple AND value IS NOT NULL AND happened IS NOT NULL AND "
        "status IN ('arrived', 'triaged', 'in-progress', 'onleave', 'finished', 'unknown') "
        f"AND {is_good('start')} AND {is_good('end')} "
        "AND (start_text IS NULL OR end_text IS NULL OR end_last >= start_first)",
    )
    began = (
        "CASE WHEN end_last IS NOT NULL AND length(start_text) = 10 AND start_last >= end_last "
        "THEN end_last - to_microseconds(1) ELSE start_last END"
    )
    named = {"value": "value", "display": "display"}
    start = fact(
        "staged WHERE plain AND start_text IS NOT NULL", time=began, system="'encounter-start'", **named
    )
    end = fact(
        "staged WHERE plain AND end_text IS NOT NULL",
        time="end_last",
        system="'encounter-end'",
        ordinal="CASE WHEN start_text IS NULL THEN 0 ELSE 1 END",
        **named,
    )
    return Plan(staged, (start, end))
