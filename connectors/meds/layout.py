"""The files and columns of a MEDS folder, and the codes under which what MEDS has no column for is kept.

    data/<n>.parquet            one row a fact, a subject's rows together and in time order
    metadata/codes.parquet      code, description
    metadata/subjects.parquet   subject_id (int64) to site, patient_id, birth date and sex
    metadata/dataset.json

MEDS 0.4 asks for subject_id, time (microseconds, no zone: UTC here), code and numeric_value (float32). The
column `number` beside it keeps the float64 as given; unit, comparator, text_value, source and display
complete an event.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from prognosis.record import Code

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "0.4"
NOTE_SYSTEM = "prognosis-note"
STUDY_SYSTEM = "prognosis-imaging-study"
BIRTH = "MEDS_BIRTH"
DEATH = "MEDS_DEATH"
OWN_SYSTEM = "MEDS"


def event_schema() -> pa.Schema:
    """The columns of data/*.parquet."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("subject_id", pa.int64(), nullable=False),
            pa.field("time", pa.timestamp("us")),
            pa.field("code", pa.string(), nullable=False),
            pa.field("numeric_value", pa.float32()),
            pa.field("number", pa.float64()),
            pa.field("comparator", pa.string()),
            pa.field("unit", pa.string()),
            pa.field("text_value", pa.string()),
            pa.field("source", pa.string()),
            pa.field("display", pa.string()),
        ]
    )


def subject_schema() -> pa.Schema:
    """The columns of metadata/subjects.parquet."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("subject_id", pa.int64(), nullable=False),
            pa.field("site", pa.string(), nullable=False),
            pa.field("patient_id", pa.string(), nullable=False),
            pa.field("birth_date", pa.date32()),
            pa.field("sex", pa.string()),
        ]
    )


def subject_id(site: str, patient_id: str) -> int:
    """A positive 63-bit number that is always the same for the same patient of the same site."""
    digest = hashlib.sha256(f"{site}\x1f{patient_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def code_text(code: Code) -> str:
    """A code as MEDS writes it: its own codes bare, others as "system|value"."""
    if code.system == OWN_SYSTEM and code.value in {BIRTH, DEATH}:
        return code.value
    return str(code) if code.system else code.value


def code_of(text: str) -> Code:
    """The code that `code_text` wrote; a bare code of another data set has no system."""
    return Code(OWN_SYSTEM, text) if text in {BIRTH, DEATH} else Code.parse(text)
