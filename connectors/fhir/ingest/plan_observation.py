"""Observation, with its components."""

from __future__ import annotations

from connectors.fhir.ingest.expressions import (
    coding_of,
    is_code,
    is_quantity,
    label_of,
    unit_of,
)
from connectors.fhir.ingest.plan import (
    CODED,
    EVENT,
    NONE,
    Plan,
    dated,
    fact,
    happened_text,
    is_good,
    last,
    staged_sql,
)


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
    "known AND values <= 1 AND NOT (values = 1 AND absent) AND (values = 0 AND NOT stated OR "
    f"{is_code('chosen')} AND (values = 0 OR whole IS NOT NULL AND isfinite(whole) OR words IS NOT NULL "
    f"OR quantity IS NOT NULL AND {is_quantity('quantity', 'unit')}))"
)
_VALUE = {
    **{name: f"CASE WHEN stated THEN {made} END" for name, made in CODED.items()},
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


def observation_plan() -> Plan:
    """Observations: a row for the value, and one for each component that has one."""
    late = "issued_text IS NOT NULL AND effective_text IS NOT NULL AND issued_last < effective_first"
    notices = ", ".join(
        (
            "CASE WHEN issued_text IS NULL THEN 'Observation.effective used for issued' END",
            f"CASE WHEN {late} THEN 'Observation issued before it was made: the later time is used' END",
            "CASE WHEN NOT stated AND coalesce(len(component), 0) = 0 THEN "
            "'Observation without a value (dataAbsentReason or panel): no fact' END",
        )
    )
    # When a period is over is read by the mapping, where it matters.
    ended = 'effectivePeriod."end" IS NOT NULL AS ended'
    staged = staged_sql(
        "Observation",
        first=f"status, {dated('issued', 'issued')}, {dated('effective', happened_text('effective'))}, "
        f"component, {ended}, hasMember IS NOT NULL OR coalesce(len(component), 0) > 0 AS grouped, "
        f"{_valued('')}",
        then=f"{last('issued')} AS issued_last, {last('effective')} AS effective_last, "
        "values > 0 OR NOT (grouped OR absent) AS stated",
        plain="status IN ('registered', 'preliminary', 'final', 'amended', 'corrected', 'unknown') AND "
        f"{is_good('issued')} AND {is_good('effective')} AND "
        f"(issued_text IS NOT NULL OR effective_text IS NOT NULL) AND {_VALUE_IS_PLAIN} "
        f"AND (NOT ended OR issued_text IS NOT NULL AND NOT ({late}))",
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
    parent = fact("staged WHERE plain", time="CASE WHEN stated THEN time END", notices="notices", **_VALUE)
    part = fact(f"{_COMPONENTS} WHERE stated", time="time", **{**_VALUE, "ordinal": "position"})
    empty = f"SELECT DISTINCT line FROM {_COMPONENTS} WHERE NOT coalesce({_VALUE_IS_PLAIN}, FALSE)"
    # A panel none of whose components states anything carries a notice that only the mapping gives.
    silent = (
        f"SELECT line FROM staged WHERE plain AND NOT stated AND len(component) > 0 AND line NOT IN "
        f"(SELECT line FROM {_COMPONENTS} WHERE stated)"
    )
    return Plan(staged, (parent, part), f"{empty} UNION {silent}")
