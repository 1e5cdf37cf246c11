"""What a record holds, as one number: two records of the same content have the same digest."""

from __future__ import annotations

import hashlib
import json

from prognosis.record.patient import PatientRecord


def record_digest(record: PatientRecord) -> str:
    """sha256 over all that a record states; studies by their UIDs and series, not by their pixels.

    Who the patient is, is not part of it: the digest may be kept where no identifier may.
    """
    stated = {
        "born": None if record.birth_date is None else record.birth_date.isoformat(),
        "sex": record.sex,
        "events": [
            (
                event.time.isoformat(),
                str(event.code),
                event.number,
                event.comparator,
                event.unit,
                event.text,
                event.source,
            )
            for event in record.events
        ],
        "notes": [(note.time.isoformat(), note.kind, note.source, note.text) for note in record.notes],
        "studies": [
            (
                study.time.isoformat(),
                study.study_uid,
                study.store is not None,
                [(each.series_uid, each.modality, each.view, each.body_part) for each in study.series],
            )
            for study in record.studies
        ],
    }
    return hashlib.sha256(json.dumps(stated, separators=(",", ":")).encode()).hexdigest()
