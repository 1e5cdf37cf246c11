"""Patient."""

from __future__ import annotations

from connectors.fhir.ingest.expressions import (
    ID,
    last_instant,
    one_of,
    quoted,
)
from connectors.fhir.ingest.plan import (
    Plan,
    dated,
    source_column,
)
from connectors.fhir.mapping_person import PATIENT_ID


def patient_plan() -> Plan:
    """Patients without links: rows of persons."""
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
        f"SELECT line, resourceType, {source_column('Patient')}, id, gender, deceasedBoolean, "
        f"{dated('birth', 'birthDate')}, {dated('died', 'deceasedDateTime')}, "
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
